"""Laws of digest: what is answered is verified, what is printed is read, any text is a value or an error."""

from hypothesis import example, given
from hypothesis import strategies as st

from sipcore import GrammarError
from sipcore.auth import (
    Challenge,
    Credentials,
    answer,
    choose_challenge,
    ha1,
    is_supported,
    mask_credentials,
    parse_challenges,
    parse_credentials,
    verify,
    verify_password,
)
from sipcore.grammar import quote

TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('"\\,=<>; \udcff'), max_size=20
)
TOKENS = st.text("ABCxyz019-.!%*_+`'~", min_size=1, max_size=12)
ALGORITHMS = st.sampled_from(
    ["", "MD5", "md5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"]
).filter(is_supported)
CHALLENGES = st.builds(
    Challenge,
    TEXT,
    TEXT,
    st.none() | TEXT,
    ALGORITHMS,
    st.lists(st.sampled_from(["auth", "auth-int", "other"]), max_size=3).map(tuple),
    st.booleans(),
)
HOSTILE = st.text(
    st.sampled_from(list('Digest Basic realm nonce="\\,=<>;\r\n\x00\t\u00e9\udcff')), max_size=60
)
WORDS = "Digest |Basic |realm=|nonce=|username=|uri=|response=|qop=auth|nc=1|cnonce="
MARKS = ['"', '"x"', "\\", ",", ";", "=", "<", " ", "\x00", "\r\n"]
PIECES = st.lists(st.sampled_from([*WORDS.split("|"), *MARKS]), max_size=30).map("".join)


def printed(challenge: Challenge) -> str:
    """The challenge as its server would write it."""
    parts = [f"realm={quote(challenge.realm)}", f"nonce={quote(challenge.nonce)}"]
    if challenge.opaque is not None:
        parts.append(f"opaque={quote(challenge.opaque)}")
    if challenge.algorithm:
        parts.append(f"algorithm={challenge.algorithm}")
    if challenge.qop:
        parts.append(f"qop={quote(', '.join(challenge.qop))}")
    if challenge.stale:
        parts.append("stale=true")
    return "Digest " + ", ".join(parts)


@given(st.lists(CHALLENGES, max_size=4))
def test_challenges_are_read_as_they_were_written(challenges: list[Challenge]) -> None:
    fields = [printed(challenge) for challenge in challenges]
    if fields:
        assert parse_challenges(", ".join(fields)) == tuple(challenges)
    usable = [challenge for challenge in challenges if challenge.usable_qop is not None]
    assert choose_challenge(fields) == (usable[0] if usable else None)


@given(CHALLENGES, TEXT, TEXT, TEXT, TEXT, st.integers(1, 2**32 - 1), st.binary(max_size=20))
def test_an_answer_is_read_back_and_verified(
    challenge: Challenge, username: str, password: str, uri: str, cnonce: str, count: int, body: bytes
) -> None:
    if challenge.usable_qop is None:
        return
    key = ha1(username, challenge.realm, password, challenge.algorithm)
    made = answer(
        challenge, username, key, method="BYE", uri=uri, cnonce=cnonce, nonce_count=count, body=body
    )
    read = parse_credentials(str(made))
    assert read == made
    assert verify(made, key, method="BYE", body=body)
    assert not verify(made, key, method="BYEX", body=body)
    assert not verify_password(made, password + "x", method="BYE", body=body)


@given(
    st.builds(
        lambda texts, algorithm, opaque: Credentials(*texts, algorithm, opaque=opaque),
        st.tuples(TEXT, TEXT, TEXT, TEXT, TEXT),
        st.just("") | TOKENS,
        st.none() | TEXT,
    )
)
def test_credentials_of_any_text(credentials: Credentials) -> None:
    assert parse_credentials(str(credentials)) == credentials
    verify_password(credentials, "p", method="INVITE")


@given(HOSTILE | PIECES | st.text())
@example('Digest username="u",realm="r",nonce="n",uri="x",response="x",algorithm=\u017f')
def test_any_text_is_a_value_or_an_error(text: str) -> None:
    choose_challenge([text])
    mask_credentials(text)
    try:
        parse_challenges(text)
    except GrammarError as error:
        assert error.reason.isprintable() and error.reason.isascii()
    try:
        credentials = parse_credentials(text)
    except GrammarError as error:
        assert error.reason.isprintable() and error.reason.isascii()
    else:
        assert credentials is None or parse_credentials(str(credentials)) == credentials


@given(CHALLENGES, TEXT, TEXT)
def test_no_secret_comes_through_the_mask(challenge: Challenge, username: str, uri: str) -> None:
    secret = "0secret0"
    credentials = Credentials(
        username, challenge.realm, secret, uri, secret, "MD5", "auth", "1", secret, secret
    )
    masked = mask_credentials(str(credentials))
    assert secret not in masked
    assert masked.count("***") >= 4
