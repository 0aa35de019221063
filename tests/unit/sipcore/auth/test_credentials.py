"""Credentials: computed, printed, read and verified; responses against published vectors."""

import hashlib
from typing import NamedTuple

import pytest

from sipcore import GrammarError, LocalProtocolError
from sipcore.auth import (
    Challenge,
    Credentials,
    answer,
    ha1,
    is_supported,
    parse_challenges,
    parse_credentials,
    verify,
    verify_password,
)


class Vector(NamedTuple):
    challenge: str
    username: str
    password: str
    method: str
    uri: str
    cnonce: str
    response: str


RFC_7616_CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
RFC_7616_CHALLENGE = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={},'
    ' nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",'
    ' opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
VECTORS = {
    "RFC 2617 3.5": Vector(
        'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",'
        ' opaque="5ccc069c403ebaf9f0171e9517f40e41"',
        "Mufasa",
        "Circle Of Life",
        "GET",
        "/dir/index.html",
        "0a4f113b",
        "6629fae49393a05397450978507c4ef1",
    ),
    "RFC 7616 3.9.1, MD5": Vector(
        RFC_7616_CHALLENGE.format("MD5"),
        "Mufasa",
        "Circle of Life",
        "GET",
        "/dir/index.html",
        RFC_7616_CNONCE,
        "8ca523f5e9506fed4657c9700eebdbec",
    ),
    "RFC 7616 3.9.1, SHA-256": Vector(
        RFC_7616_CHALLENGE.format("SHA-256"),
        "Mufasa",
        "Circle of Life",
        "GET",
        "/dir/index.html",
        RFC_7616_CNONCE,
        "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    ),
    "RFC 7616 3.9.2 as its erratum 4897 has it": Vector(
        'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256,'
        ' nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",'
        ' opaque="HRPCssKJSGjCrkzDg8OhwpzCiGChXYjwrI2QmXDnsOS",'
        " charset=UTF-8, userhash=true",
        "J\u00e4s\u00f8n Doe",
        "Secret, or not?",
        "GET",
        "/doe.json",
        "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
        "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
    ),
}


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS.keys())
def test_published_vectors(vector: Vector) -> None:
    (challenge,) = parse_challenges(vector.challenge)
    if not is_supported(challenge.algorithm):
        pytest.skip("this OpenSSL has no SHA-512/256")
    key = ha1(vector.username, challenge.realm, vector.password, challenge.algorithm)
    credentials = answer(
        challenge, vector.username, key, method=vector.method, uri=vector.uri, cnonce=vector.cnonce
    )
    assert credentials.response == vector.response
    assert parse_credentials(str(credentials)) == credentials
    assert verify_password(credentials, vector.password, method=vector.method)
    assert not verify_password(credentials, vector.password + " ", method=vector.method)


def hexed(hash_name: str, *parts: str) -> str:
    return hashlib.new(hash_name, ":".join(parts).encode()).hexdigest()


USER = ("bob", "biloxi.com", "zanzibar")
CALL = {"method": "INVITE", "uri": "sip:bob@biloxi.com"}
BODY = b"v=0\r\n"


def test_sip_without_qop() -> None:
    """The form of RFC 2069, which RFC 3261 22.4 still allows."""
    challenge = Challenge("biloxi.com", "n")
    expected = hexed("md5", hexed("md5", *USER), "n", hexed("md5", "INVITE", CALL["uri"]))
    credentials = answer(challenge, "bob", ha1(*USER), **CALL, cnonce="unused")
    assert str(credentials) == (
        f'Digest username="bob",realm="biloxi.com",nonce="n",uri="sip:bob@biloxi.com",response="{expected}"'
    )


@pytest.mark.parametrize("hash_name", ["md5", "sha256", "sha512_256"])
@pytest.mark.parametrize("session", [False, True])
@pytest.mark.parametrize("qop", ["auth", "auth-int"])
def test_every_form(hash_name: str, session: bool, qop: str) -> None:
    name = {"md5": "MD5", "sha256": "SHA-256", "sha512_256": "SHA-512-256"}[hash_name]
    name += "-sess" if session else ""
    if not is_supported(name):
        pytest.skip("this OpenSSL has no SHA-512/256")
    key = hexed(hash_name, *USER)
    session_key = hexed(hash_name, key, "n", "c") if session else key
    a2 = ["INVITE", CALL["uri"]]
    if qop == "auth-int":
        a2.append(hashlib.new(hash_name, BODY).hexdigest())
    expected = hexed(hash_name, session_key, "n", "0000000a", "c", qop, hexed(hash_name, *a2))

    challenge = Challenge("biloxi.com", "n", 'o"', name, (qop,))
    assert ha1(*USER, name) == key
    credentials = answer(challenge, "bob", key, **CALL, cnonce="c", nonce_count=10, body=BODY)
    assert str(credentials) == (
        f'Digest username="bob",realm="biloxi.com",nonce="n",uri="sip:bob@biloxi.com",response="{expected}"'
        f',algorithm={name},qop={qop},nc=0000000a,cnonce="c",opaque="o\\""'
    )
    assert credentials.nonce_count == 10
    assert verify(credentials, key, method="INVITE", body=BODY)
    assert verify(credentials, key, method="INVITE", body=b"other") == (qop == "auth")
    assert not verify(credentials, key, method="BYE", body=BODY)


def test_texts_are_quoted_in_print_and_plain_in_the_hash() -> None:
    challenge = Challenge('a "b" \\', 'n"')
    credentials = answer(challenge, 'u"\\', ha1('u"\\', challenge.realm, "p"), **CALL, cnonce="")
    assert str(credentials).startswith(
        'Digest username="u\\"\\\\",realm="a \\"b\\" \\\\",nonce="n\\"",uri="sip:bob@biloxi.com",response="'
    )
    assert verify_password(credentials, "p", method="INVITE")


@pytest.mark.parametrize("count", [0, -1, 2**32])
def test_nonce_count_out_of_range(count: int) -> None:
    with pytest.raises(LocalProtocolError):
        answer(Challenge("r", "n"), "u", "", **CALL, cnonce="", nonce_count=count)


def test_nothing_that_breaks_out_of_the_field() -> None:
    for username, cnonce in (("u\r\nX: y", "c"), ("u", "c\n"), ("u\x00", "c")):
        with pytest.raises(LocalProtocolError):
            answer(Challenge("r", "n"), username, "", **CALL, cnonce=cnonce)


def test_what_cannot_be_answered_is_not() -> None:
    with pytest.raises(LocalProtocolError):
        answer(Challenge("r", "n", None, "SHA-256"), "u", "", **CALL, cnonce="")


def test_secrets_are_not_in_the_repr() -> None:
    credentials = Credentials("bob", "r", "secret", "sip:h", "secret", opaque="secret")
    assert repr(credentials) == (
        '<Credentials Digest username="bob",realm="r",nonce=***,uri="sip:h",response=***,opaque=***>'
    )


GOOD = 'Digest username="u",realm="r",nonce="n",uri="sip:h",response="x"'


@pytest.mark.parametrize(
    ("text", "credentials"),
    [
        (GOOD, Credentials("u", "r", "n", "sip:h", "x")),
        (GOOD + ',nc=1,cnonce="c",other', None),
        (GOOD + ',nc=1,cnonce="c",other=1', Credentials("u", "r", "n", "sip:h", "x")),
        (
            GOOD + ',qop="auth",nc=1,cnonce="c",opaque="o",algorithm="MD5"',
            Credentials("u", "r", "n", "sip:h", "x", "MD5", "auth", "1", "c", "o"),
        ),
    ],
)
def test_credentials_read(text: str, credentials: Credentials | None) -> None:
    if credentials is None:
        with pytest.raises(GrammarError):
            parse_credentials(text)
    else:
        assert parse_credentials(text) == credentials


def test_credentials_of_another_scheme() -> None:
    assert parse_credentials("Basic dXNlcg==") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Digest",
        'Digest username="u"',
        GOOD.replace("username", "user"),
        GOOD.replace("uri", "url"),
        GOOD + ',username="v"',
        GOOD + ",qop=auth",
        GOOD + ",qop=auth,nc=1",
        GOOD + ",qop=auth,nc=xyz,cnonce=c",
        GOOD + ",qop=auth,nc=000000001,cnonce=c",
        GOOD + ',qop="auth,auth-int",nc=1,cnonce=c',
        GOOD + ',algorithm="M D"',
        GOOD + ', Basic realm="x"',
    ],
)
def test_bad_credentials(text: str) -> None:
    with pytest.raises(GrammarError):
        parse_credentials(text)


@pytest.mark.parametrize(
    "change",
    [
        {"response": "\u00e9"},
        {"response": ""},
        {"algorithm": "SHA-1"},
        {"algorithm": "SHA-256"},
        {"algorithm": "MD5-sess"},
        {"qop": "other", "nc": "1", "cnonce": "c"},
    ],
)
def test_never_right(change: dict[str, str]) -> None:
    good = answer(Challenge("r", "n"), "u", ha1("u", "r", "p"), **CALL, cnonce="")
    assert verify_password(good, "p", method="INVITE")
    assert verify_password(good._replace(response=good.response.upper()), "p", method="INVITE")
    assert not verify_password(good._replace(**change), "p", method="INVITE")
