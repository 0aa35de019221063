"""Which header fields events carry."""

import pytest

from sip_edge.domain.wanted import Wanted
from sipcore.message import Headers

HEADERS = Headers(
    [
        ("Via", "SIP/2.0/UDP a.example"),
        ("i", "call-1"),
        ("P-Asserted-Identity", "<sip:a@a.example>"),
        ("x-ACME-Id", "1"),
        ("X-Other", "2"),
        ("Subject", "s"),
        ("p-Charging-Vector", "icid-value=1"),
        ("k", "timer"),
        ("X-Other", "3"),
        ("Content-Type", "application/sdp"),
    ]
)

UNPLACED = ["P-Asserted-Identity", "x-ACME-Id", "X-Other", "Subject", "p-Charging-Vector", "k", "X-Other"]
"""Those that events have no field for, in order."""


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ([], []),
        (["subject"], ["Subject"]),
        (["supported", "call-id"], ["i", "k"]),
        (["x-other"], ["X-Other", "X-Other"]),
        (["x-*"], ["x-ACME-Id", "X-Other", "X-Other"]),
        (["x-a*", "subject"], ["x-ACME-Id", "Subject"]),
        (["p-*"], ["P-Asserted-Identity", "p-Charging-Vector"]),
        (["*"], UNPLACED),
        (["*", "via"], ["Via", *UNPLACED]),
        (["y-*"], []),
    ],
)
def test_select(wanted: list[str], names: list[str]) -> None:
    assert [name for name, _ in Wanted(wanted).select(HEADERS)] == names


def test_spelling_and_value_are_kept() -> None:
    assert Wanted(["x-*"]).select(HEADERS)[:2] == [
        ("x-ACME-Id", "1"),
        ("X-Other", "2"),
    ]
