"""Whatever is written on the command line of `b2bua_radius`, or into its file: options, or one line."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from b2bua_allinone.message_log.settings import OFF
from b2bua_allinone.radius.mapping import settings_of
from b2bua_allinone.radius.options import BY_LONG, BY_SHORT
from b2bua_allinone.radius.reading import OptionError, read_command_line
from b2bua_allinone.radius.refusals import refusal
from b2bua_allinone.radius.writing import write_ini

SECRET = "0pen5esame"
VALUES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "on",
            "off",
            "0",
            "1",
            "2",
            "3",
            "5060",
            "127.0.0.1",
            "[::1]",
            "*",
            "X-*",
            "s/a/b/g",
            "Nop[]",
            "/tmp/x",
            "tcp:127.0.0.1",
        ]
    ),
    st.sampled_from([f"192.0.2.1;expires=3 h;auth=u:{SECRET}", f"h:99999;auth=u:{SECRET}", ""]),
)
LONGS = st.sampled_from(list(BY_LONG))
SHORTS = st.sampled_from([*BY_SHORT, "A", "k", "d", "z", "é"])
WORDS = st.one_of(
    SHORTS.map("-{}".format),
    st.tuples(SHORTS, VALUES).map("".join).map("-{}".format),
    st.tuples(LONGS, VALUES).map("=".join).map("--{}".format),
    st.tuples(LONGS, st.integers(0, 12)).map(lambda pair: f"--{pair[0][: pair[1]]}=on"),
    VALUES,
)


def is_one_line(error: OptionError) -> bool:
    text = str(error)
    return bool(text) and len(text.splitlines()) == 1 and f"auth=u:{SECRET}" not in text


@given(st.lists(WORDS, max_size=6))
def test_a_command_line_is_options_or_one_line(words: list[str]) -> None:
    try:
        line = read_command_line([word for word in words if not word.startswith(("-C", "--c"))])
    except OptionError as error:
        assert is_one_line(error)
        return
    if refusal(line.options) is None:
        settings_of(line.options, OFF)


@given(st.lists(WORDS, max_size=6))
def test_what_is_written_down_is_read_back(tmp_path_factory: object, words: list[str]) -> None:
    try:
        options = read_command_line([word for word in words if not word.startswith(("-C", "--c"))]).options
    except OptionError:
        return
    path = Path(f"{tmp_path_factory.getbasetemp()}/written.ini")  # type: ignore[attr-defined]  # pytest's
    write_ini(options, path)
    assert read_command_line(["-C", str(path)]).options == options


@given(st.one_of(st.text(max_size=80), st.tuples(st.sampled_from(list(BY_LONG)), VALUES).map(" = ".join)))
def test_a_file_is_options_or_one_line(tmp_path_factory: object, text: str) -> None:
    path = Path(f"{tmp_path_factory.getbasetemp()}/read.ini")  # type: ignore[attr-defined]  # pytest's
    path.write_text(f"[general]\n{text}\n", encoding="utf-8", errors="surrogatepass")
    try:
        read_command_line(["-C", str(path)])
    except OptionError as error:
        assert is_one_line(error)
