"""`-W` writes what `-C` reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua_allinone.radius.reading import OptionError, read_command_line
from b2bua_allinone.radius.writing import ini_text, write_ini

CHOICES = st.lists(
    st.sampled_from(
        [
            ("-f",),
            ("-l", "[::1]"),
            ("-l", "*"),
            ("-p", "5070"),
            ("-u",),
            ("-A", "0"),
            ("-A", "2"),
            ("-k", "3"),
            ("-s", "192.0.2.1"),
            ("-s", "h.example.com:5070;auth=u:p;hs_scodes=486,603 h2"),
            ("-h", "X-*"),
            ("-F", "0,[telephone-event/8000]"),
            ("-t", "s/^#/a b/g;s/%(x)s/%%/"),
            ("-m", "60"),
            ("-c", "unix:/tmp/x y"),
            ("-L", "# not a comment; = : %"),
            ("-r", "udp:127.0.0.1:22222"),
            ("-H",),
        ]
    ),
    max_size=8,
)


@given(CHOICES)
def test_what_was_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, choices: list[tuple[str, ...]]
) -> None:
    options = read_command_line([word for choice in choices for word in choice]).options
    path = tmp_path_factory.mktemp("ini") / "written.ini"
    write_ini(options, path)
    assert read_command_line(["-C", str(path)]).options == options


def test_the_form_of_the_file() -> None:
    text = ini_text(read_command_line(["-f", "-s", "192.0.2.1", "-s", "192.0.2.2"]).options)
    assert text.startswith("[general]\nforeground = True\n")
    assert "static_route = 192.0.2.1 192.0.2.2\n" in text
    assert "digest_auth_only = False\n" in text
    assert "max_credit_time" not in text


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    write_ini(read_command_line([]).options, tmp_path / "x.ini")
    assert (tmp_path / "x.ini").stat().st_mode & 0o777 == 0o600


def test_a_file_that_everybody_could_read_no_longer_is(tmp_path: Path) -> None:
    path = tmp_path / "x.ini"
    path.write_text("")
    path.chmod(0o644)
    write_ini(read_command_line([]).options, path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_no_file_keeps_its_rights() -> None:
    before = Path("/dev/null").stat().st_mode
    write_ini(read_command_line([]).options, Path("/dev/null"))
    assert Path("/dev/null").stat().st_mode == before


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="-W: cannot write"):
        write_ini(read_command_line([]).options, tmp_path / "absent" / "x.ini")


def test_the_files_to_write_are_read_in_order() -> None:
    assert read_command_line(["-W", "a", "-Wb"]).write_to == (Path("a"), Path("b"))
