"""Algorithms, keys and responses against published vectors."""

import hashlib

import pytest

from sipcore import LocalProtocolError
from sipcore.auth import ha1, is_supported
from sipcore.auth.hashes import available_algorithms, find_algorithm, response


def test_names_in_any_case() -> None:
    assert all(map(is_supported, ("", "md5", "MD5-Sess", "sha-256", "SHA-256-SESS")))
    assert not any(map(is_supported, ("SHA-1", "MD5 ", "AKAv1-MD5", "SHA256", "MD5-\u017fE\u017fS")))
    assert find_algorithm("") == find_algorithm("MD5")


def test_a_hash_that_is_missing_is_an_unsupported_algorithm() -> None:
    def without_truncated(name: str, **options: bool) -> object:
        if name == "sha512_256":
            raise ValueError("unsupported hash type")
        return hashlib.new(name, **options)

    assert sorted(available_algorithms(without_truncated)) == [
        "",
        "MD5",
        "MD5-SESS",
        "SHA-256",
        "SHA-256-SESS",
    ]
    assert set(available_algorithms()) >= set(available_algorithms(without_truncated))


def test_unsupported_algorithms_are_our_fault() -> None:
    with pytest.raises(LocalProtocolError):
        ha1("u", "r", "p", "SHA-1")
    with pytest.raises(LocalProtocolError):
        response("SHA-1", "", method="M", uri="u", nonce="n", qop="", nc="", cnonce="", body=b"")


def test_key_of_a_user() -> None:
    expected = hashlib.md5(b"bob:biloxi.com:zanzibar", usedforsecurity=False).hexdigest()
    assert ha1("bob", "biloxi.com", "zanzibar") == expected
    assert ha1("bob", "biloxi.com", "zanzibar", "md5-sess") == expected
    octets = hashlib.sha256(b"J\xc3\xa4:\xff:p").hexdigest()
    assert ha1("J\u00e4", "\udcff", "p", "SHA-256") == octets
