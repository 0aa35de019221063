"""Number translation: rules as the reference's users have them."""

import pytest

from call_control.domain.translation import LONGEST_NUMBER, TranslationError, parse_translation


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
        ("s/1/_/G", "121", "_2_"),
        ("s/1/_/i", "121", "_21"),
        ("y/1/_/", "121", "_21"),
        ("s/(?=2)/x/", "12", "1x2"),
    ],
)
def test_rules(rules: str, number: str, translated: str) -> None:
    assert parse_translation(rules)(number) == translated


@pytest.mark.parametrize(
    "rules",
    ["", "s", "s/a/b", "s/a/b/c/d", "s/(/x/", r"s/a/\1/", "s/a/b/;", "s/a{99999999999}/b/", "s/*/b/"],
)
def test_rules_that_cannot_be_used_say_so(rules: str) -> None:
    with pytest.raises(TranslationError):
        parse_translation(rules)


def test_what_is_too_long_to_be_a_number_stays_as_it_is() -> None:
    evil = parse_translation(r"s/(\d+)+$/x/")
    number = "1" * LONGEST_NUMBER + "!"
    assert evil(number) == number
