"""The bound of the ways in which a pattern can match."""

import pytest

from call_control.domain.routing.pattern_cost import TOO_MANY, PatternError, ways


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", 1),
        ("abc", 1),
        (r"^\+\d$", 1),
        ("a+", 10),
        ("a*", 11),
        ("a?", 2),
        ("a+?", 10),
        ("a*+", 11),
        ("a{3}", 1),
        ("a{2,4}", 3),
        ("a{8,}", 3),
        ("a{,2}", 3),
        ("a{,}", 11),
        ("a{0000002,4}", 3),
        ("a{20,30}", 1),
        ("a{}", 1),
        ("a{x}", 1),
        ("a+b+", 100),
        ("a|b+", 11),
        ("(a|b)c+", 20),
        ("(?:a|b|c){2}", 9),
        ("(00|011)?", 3),
        ("[a+]", 1),
        ("[]+]+", 10),
        (r"[^]\]+]b?", 2),
        (r"\(+", 10),
        ("(?i)a+", 10),
        ("(?=a+)b", 10),
        ("(?<!a)b", 1),
        ("(?P<x>a+)", 10),
        ("(?s-i:a+)", 10),
        ("(?>a+)", 10),
        ("()*", 11),
    ],
)
def test_ways(pattern: str, expected: int) -> None:
    assert ways(pattern, 10) == expected


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|aa)+$", "(a*)*", "((a?)b?){40}", "(.*)(.*)(.*)(.*)(.*)(.*)x", "(a?){30,}"]
)
def test_what_takes_for_ever(pattern: str) -> None:
    assert ways(pattern, 64) == TOO_MANY


@pytest.mark.parametrize(
    "pattern",
    ["(?#a)b", "(a)(?(1)b|c)", "(?x)a", "(a)(?P=b)", "a)", "(" * 21 + ")" * 21],
)
def test_what_is_not_followed(pattern: str) -> None:
    with pytest.raises(PatternError):
        ways(pattern, 10)
