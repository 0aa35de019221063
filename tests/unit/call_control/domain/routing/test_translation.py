"""Translation of numbers: the table of the rules, and rules that are refused."""

import re

import pytest

from call_control.domain.routing.translation import LONGEST_NUMBER, TranslationError, parse_translation


@pytest.mark.parametrize(
    ("rules", "number", "translated"),
    [
        ("s/^00/011/", "0044123", "01144123"),
        ("s/[^0-9]//g", "+1 (604) 628-8900", "16046288900"),
        (r"s/^\+//;s/^1//", "+16046288900", "6046288900"),
        (r"s/^\+//g;s/^1/9/", "+16046288900", "96046288900"),
        (r"s/^(\d{3})(\d+)$/\2\1/", "123456", "456123"),
        ("s/^/99/", "123", "99123"),
        ("s/a/b/", "aaa#bbb", "baa"),
        ("s/1/_/g;s/2/x/", "12345671234567", "_x34567_234567"),
        ("s/1/_/G", "1212", "_2_2"),
        ("s/1/_/i", "1212", "_212"),
        ("x/1/2/", "1", "2"),
        ("s/a/b/ ; s/b/c/", "a", "c"),
        (r"s/^(?=0)/+/", "044", "+044"),
        (r"s/(?P<cc>49)(0)?/\g<cc>/", "49089", "4989"),
        ("s/x/y/", "", ""),
        ("s/x/y/", "#1", ""),
        ("s///", "12", "12"),
    ],
)
def test_translation(rules: str, number: str, translated: str) -> None:
    assert parse_translation(rules)(number) == translated


def test_a_number_that_is_too_long_is_left_alone() -> None:
    translate = parse_translation("s/1/2/g")
    assert translate("1" * LONGEST_NUMBER + "#1") == "2" * LONGEST_NUMBER
    assert translate("1" * (LONGEST_NUMBER + 1) + "#1") == "1" * (LONGEST_NUMBER + 1) + "#1"


def test_a_number_that_grows_too_long_meets_no_further_rule() -> None:
    translate = parse_translation("s/^/" + "1" * LONGEST_NUMBER + "/;s/1/2/g")
    assert translate("1") == "1" * (LONGEST_NUMBER + 1)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("", "rule 1 should look like"),
        ("s/a/b", "rule 1 should look like"),
        ("s/a/b/;", "rule 2 should look like"),
        ("s/a/b/c/", "should look like"),
        ("s/a/b/9", "letters behind the last '/'"),
        ("s/(/b/", "cannot be used"),
        ("s/[[a]/b/", "cannot be used"),
        (r"s/a/\1/", "invalid group reference"),
        (r"s/a/\g<x>/", "unknown group name"),
        (r"s/a/\q/", "bad escape"),
        ("s/a{99999999999}/b/", "cannot be used"),
        ("s/(?L)a/b/", "'L' flag"),
        ("s/(a+)+$/b/", "can take for ever"),
        ("s/(?#note)a/b/", "not supported"),
        ("s/a/" + "b" * 2_000 + "/", "at most 2000 characters"),
        ("s/" + "(" * 1_000 + ")" * 900 + "/b/", "rule 1"),
    ],
)
def test_wrong_rules_are_one_sentence(rules: str, said: str) -> None:
    with pytest.raises(TranslationError, match=re.escape(said)) as caught:
        parse_translation(rules)
    assert "\n" not in str(caught.value)


def test_rules_are_shown_as_written() -> None:
    assert str(parse_translation("s/a/b/;s/c/d/")) == "s/a/b/;s/c/d/"
