"""Challenges: read, and chosen from."""

import pytest

from sipcore import GrammarError
from sipcore.auth import Challenge, choose_challenge, is_supported, parse_challenges


@pytest.mark.parametrize(
    ("text", "challenges"),
    [
        ('Digest realm="r",nonce="n"', (Challenge("r", "n"),)),
        (
            'Digest realm="a \\"b\\", \\\\c", domain="sip:x sip:y", qop="auth, AUTH-INT,,other", nonce="n=",'
            ' opaque="", stale=TRUE, algorithm=SHA-256, charset=UTF-8, userhash=true, future="x"',
            (Challenge('a "b", \\c', "n=", "", "SHA-256", ("auth", "auth-int", "other"), True),),
        ),
        (
            'digest REALM=r, NONCE=n, qop=auth, algorithm="MD5", stale=yes',
            (Challenge("r", "n", None, "MD5", ("auth",)),),
        ),
        ('Digest realm="r",nonce="n",qop=""', (Challenge("r", "n"),)),
        (
            'Basic realm="b", Digest realm="r",nonce="1", Negotiate x==, Digest realm="r",nonce="2"',
            (Challenge("r", "1"), Challenge("r", "2")),
        ),
        ("Basic realm", ()),
    ],
)
def test_challenges(text: str, challenges: tuple[Challenge, ...]) -> None:
    assert parse_challenges(text) == challenges


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Digest",
        "Digest realm=r",
        "Digest nonce=n",
        'realm="r",nonce="n"',
        'Digest realm="r,nonce="n"',
        'Digest realm="r",nonce="n',
        'Digest realm="r",nonce="n\\"',
        "Digest realm=r,nonce=n,nonce=n",
        "Digest realm=r;nonce=n",
        "Digest realm,nonce=n",
        "Digest realm=r,nonce=n, Digest realm=r",
    ],
)
def test_bad_challenges(text: str) -> None:
    with pytest.raises(GrammarError):
        parse_challenges(text)


@pytest.mark.parametrize(
    ("algorithm", "qop", "usable"),
    [
        ("", (), ""),
        ("MD5", (), ""),
        ("md5", ("auth",), "auth"),
        ("MD5", ("auth-int", "auth"), "auth-int"),
        ("MD5", ("other", "auth", "auth-int"), "auth"),
        ("MD5", ("other",), None),
        ("MD5-sess", (), None),
        ("MD5-sess", ("auth",), "auth"),
        ("SHA-256", (), None),
        ("SHA-256", ("auth",), "auth"),
        ("SHA-256-sess", ("auth-int",), "auth-int"),
        ("SHA-1", ("auth",), None),
        ("AKAv1-MD5", (), None),
    ],
)
def test_what_can_be_answered(algorithm: str, qop: tuple[str, ...], usable: str | None) -> None:
    assert Challenge("r", "n", None, algorithm, qop).usable_qop == usable


@pytest.mark.skipif(not is_supported("SHA-512-256"), reason="this OpenSSL has no SHA-512/256")
@pytest.mark.parametrize("algorithm", ["SHA-512-256", "SHA-512-256-sess"])
def test_truncated_sha512_can_be_answered(algorithm: str) -> None:
    assert Challenge("r", "n", None, algorithm, ("auth",)).usable_qop == "auth"
    assert Challenge("r", "n", None, algorithm).usable_qop is None


def challenge(nonce: str, algorithm: str, qop: str = "auth") -> str:
    return f'Digest realm="r",nonce="{nonce}",algorithm={algorithm},qop="{qop}"'


@pytest.mark.parametrize(
    ("values", "nonce"),
    [
        ([], None),
        (["Basic realm=r", "nonsense", ""], None),
        ([challenge("1", "SHA-256"), challenge("2", "MD5")], "1"),
        ([challenge("1", "MD5"), challenge("2", "SHA-256")], "1"),
        ([challenge("1", "SHA-3"), challenge("2", "MD5", "none"), challenge("3", "MD5", "auth-int")], "3"),
        ([challenge("1", "SHA-3") + ", " + challenge("2", "MD5")], "2"),
        (['Digest nonce="1"', challenge("2", "MD5")], "2"),
        ([challenge("1", "SHA-3")], None),
    ],
)
def test_the_first_that_can_be_answered(values: list[str], nonce: str | None) -> None:
    chosen = choose_challenge(values)
    assert (chosen.nonce if chosen else None) == nonce
