"""Several schemes in one field, and what of it a log may show."""

import pytest

from sipcore import GrammarError
from sipcore.auth import mask_credentials
from sipcore.auth.fields import parse_parameters, split_schemes


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('Digest realm="a,b", nonce = "n"', [("Digest", ['realm="a,b"', 'nonce = "n"'])]),
        ("Basic dXNlcjpwYXNz==", [("Basic", ["dXNlcjpwYXNz=="])]),
        ("Negotiate", [("Negotiate", [])]),
        ("Negotiate, Digest\ta=b,, c=d ,", [("Negotiate", []), ("Digest", ["a=b", "c=d"])]),
        ('Basic realm="x", DIGEST a=b', [("Basic", ['realm="x"']), ("DIGEST", ["a=b"])]),
    ],
)
def test_schemes(text: str, values: list[tuple[str, list[str]]]) -> None:
    assert split_schemes(text) == values


@pytest.mark.parametrize(
    "text", ["", ",", " ", "a=b", "=", '"Digest" a=b', 'Digest a="b, c=d', "Digest@x a=b", "Digest a=<b,c=d"]
)
def test_bad_schemes(text: str) -> None:
    with pytest.raises(GrammarError):
        split_schemes(text)


def test_parameters() -> None:
    assert parse_parameters(['A = "x\\"\\\\,;"', "b=c==", 'd=""']) == {"a": 'x"\\,;', "b": "c==", "d": ""}


@pytest.mark.parametrize("element", ["a", "a=", "=b", "a=b;c=d", "a=b c", "a=\u00e9", 'a="b"c', "a=b\x00"])
def test_bad_parameters(element: str) -> None:
    with pytest.raises(GrammarError):
        parse_parameters([element])


def test_a_parameter_comes_once() -> None:
    with pytest.raises(GrammarError, match="twice"):
        parse_parameters(["realm=a", "REALM=b"])


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (
            'Digest username="u",realm="r",nonce="secret",uri="sip:h",response="secret",algorithm=MD5,'
            'qop=auth,nc=00000001,cnonce="secret",opaque="secret",more=secret',
            'Digest username="u",realm="r",nonce=***,uri="sip:h",response=***,algorithm=MD5,qop=auth,'
            "nc=00000001,cnonce=***,opaque=***,more=***",
        ),
        ("Basic c2VjcmV0", "Basic ***"),
        ("Bearer secret", "Bearer ***"),
        ("secret", "***"),
        ("secret again", "***"),
        ("NTLM secret, digest realm=r", "***, digest realm=r"),
        ("Digest", "Digest"),
        ("Digest secret", "Digest ***"),
        ("Digest realm=r;response=secret", "Digest ***"),
        ('Digest realm="r", response="secret', "***"),
        ('Digest response="secret', "Digest ***"),
        ("", "***"),
    ],
)
def test_masked(value: str, masked: str) -> None:
    assert mask_credentials(value) == masked
