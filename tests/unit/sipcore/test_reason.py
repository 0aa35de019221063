"""Reason values on their way to the other leg."""

import pytest

from sipcore.reason import passable_reasons


@pytest.mark.parametrize(
    ("values", "passable"),
    [
        ([], ()),
        (["SIP;cause=200"], ("SIP;cause=200",)),
        (
            ['Q.850 ; cause = 16 ; text = "Terminated"', "SIP;cause=600"],
            ('Q.850;cause=16;text="Terminated"', "SIP;cause=600"),
        ),
        (
            ['Q.850;cause=16;text="a, b", SIP;cause=480;x-note="1;2";flag'],
            ('Q.850;cause=16;text="a, b"', 'SIP;cause=480;x-note="1;2";flag'),
        ),
        (['SIP;text="say \\"no\\" \\\\ \\n"'], ('SIP;text="say \\"no\\" \\\\ n"',)),
        (["SIP;text=word", "Q.850"], ("SIP;text=word", "Q.850")),
        (['SIP;text=""'], ('SIP;text=""',)),
        (['SIP;text="J\u00fcrgen \udcff"'], ('SIP;text="J\u00fcrgen \udcff"',)),
    ],
)
def test_passed_on(values: list[str], passable: tuple[str, ...]) -> None:
    assert passable_reasons(values) == passable
    assert passable_reasons(passable) == passable


@pytest.mark.parametrize(
    "value",
    [
        "",
        ";cause=1",
        "SIP;cause=many",
        "SIP;cause",
        "SIP;cause=1000",
        "SIP;cause=1;cause=2",
        "S<P;cause=1",
        "S P;cause=1",
        'SIP;cause=488;text="Mandatory "c=" media description"',
        'SIP;text="open',
        "SIP;text=two words",
        'SIP;text="a\r\nX: y"',
        'SIP;text="a\x00"',
        "SIP;",
    ],
)
def test_malformed_ones_stay_behind(value: str) -> None:
    assert passable_reasons([value, "Q.850;cause=1"]) == ("Q.850;cause=1",)
    assert passable_reasons([f"Q.850;cause=1, {value}"]) in (("Q.850;cause=1",), ())
