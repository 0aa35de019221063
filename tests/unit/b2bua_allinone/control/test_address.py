"""Addresses of the control socket, in the forms of the reference."""

from pathlib import Path

import pytest

from b2bua_allinone.control.address import ControlAddress, parse_control_address
from svckit.listen import HostPort


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/var/run/b2bua.sock", ControlAddress(path=Path("/var/run/b2bua.sock"))),
        ("unix:/run/x", ControlAddress(path=Path("/run/x"))),
        ("b2bua.sock", ControlAddress(path=Path.cwd() / "b2bua.sock")),
        ("tcp:127.0.0.1", ControlAddress(tcp=HostPort("127.0.0.1", 12345))),
        ("tcp:127.0.0.1:99", ControlAddress(tcp=HostPort("127.0.0.1", 99))),
        ("tcp:[::1]:99", ControlAddress(tcp=HostPort("::1", 99))),
    ],
)
def test_forms(text: str, address: ControlAddress) -> None:
    assert parse_control_address(text) == address
    assert parse_control_address(str(address)) == address


@pytest.mark.parametrize("text", ["", "unix:", "tcp:", "tcp:h:x", "tcp:h:99999", "/" + "x" * 108, "a\0b"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"should|before"):
        parse_control_address(text)
