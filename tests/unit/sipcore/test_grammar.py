"""The pieces that header fields share, and the proof by construction that none of them is slow."""

import re
from types import ModuleType

import pytest

from sipcore import GrammarError, grammar, head, headers, parser, reason, transfer, uri
from sipcore.auth import credentials
from sipcore.grammar import (
    find_param,
    format_host,
    format_host_port,
    format_params,
    parse_host_port,
    parse_number,
    parse_params,
    quote,
    quoted_end,
    split_commas,
    unquote,
)


@pytest.mark.parametrize(
    "module",
    [credentials, grammar, head, headers, parser, reason, transfer, uri],
    ids=lambda module: module.__name__,
)
def test_no_pattern_repeats_a_repetition(module: ModuleType) -> None:
    """One quantifier per group at most, so that matching cannot take more than linear time."""
    patterns = [value for value in vars(module).values() if isinstance(value, re.Pattern)]
    for pattern in patterns:
        text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode()
        without_classes = re.sub(r"\[(?:\\.|[^\]\\])*\]", "C", text)
        assert not re.search(r"\([^)]*[*+?}][^)]*\)[*+{]", without_classes), text
        assert not re.search(r"[*+][^\\]?[*+]", without_classes), text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a ,\tb", ["a", "b"]),
        (",", ["", ""]),
        ('"a,\\",b" <x>, <y,z>;q="1,2"', ['"a,\\",b" <x>', '<y,z>;q="1,2"']),
        ('<sip:a@b;x="1,2">,c', ['<sip:a@b;x="1,2">', "c"]),
    ],
)
def test_split_commas(text: str, parts: list[str]) -> None:
    assert split_commas(text) == parts


@pytest.mark.parametrize("text", ['a,"b', "a,<b", 'a,"b\\"', 'a,"b\\'])
def test_unterminated_elements(text: str) -> None:
    with pytest.raises(GrammarError):
        split_commas(text)


@pytest.mark.parametrize("text", ["", 'a"b', "a\\b", "\\", "\x00", "\\\x00", "\u00e9\udcff"])
def test_quoting(text: str) -> None:
    quoted = quote(text)
    assert quoted_end(quoted + "x", 0) == len(quoted)
    assert unquote(quoted) == text


def test_parameters_both_ways() -> None:
    text = 'tag=1;Flag;q="a;b=\\"c,";v6=[::1]:5060;b64=a+/=='
    params = parse_params(text)
    assert format_params(params) == ";" + text
    assert [find_param(params, name) for name in ("flag", "q", "v6", "b64", "no")] == [
        "",
        'a;b="c,',
        "[::1]:5060",
        "a+/==",
        None,
    ]


@pytest.mark.parametrize(
    "text",
    ["", ";", "a;", "a=", "=a", "a=b c", "a b=c", 'a="b', 'a="b"c', "a;A", "a=<b>", "a=\u00e9", "a=\x01"],
)
def test_bad_parameters(text: str) -> None:
    with pytest.raises(GrammarError):
        parse_params(text)


def test_numbers() -> None:
    assert parse_number("0" * 50 + "7", 7) == 7
    assert parse_number("0" * 50, 7) == 0
    for text in ("8", "9" * 40, "9" * 5000, "", "-1", "+1", "1_0", " 1", "\u0661", "\u00b2", "1\n"):
        with pytest.raises(GrammarError):
            parse_number(text, 7)


def test_hosts() -> None:
    assert parse_host_port("a" * 100 + " : 1") == ("a" * 100, 1)
    assert parse_host_port("[::1] : 5060") == ("::1", 5060)
    assert parse_host_port("under_score.example") == ("under_score.example", None)
    assert (format_host("::1"), format_host("h")) == ("[::1]", "h")
    assert (format_host_port("::1", 1), format_host_port("::1", None)) == ("[::1]:1", "[::1]")
    assert (format_host_port("h", 1), format_host_port("h", None)) == ("h:1", "h")
