"""Laws of transfer headers and of Reason: what is printed is read, and no text breaks out of its field."""

from hypothesis import example, given
from hypothesis import strategies as st

from sipcore import PeerProtocolError, Uri, parse_reason
from sipcore.reason import passable_reasons
from sipcore.transfer import (
    ReferTo,
    Replaces,
    parse_refer_sub,
    parse_refer_to,
    parse_referred_by,
    parse_replaces,
)

TOKENS = st.text("ABCxyz019-.!%*_+`'~", min_size=1, max_size=12)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('"\\,=<>;&?%+\udcff'))
CALL_IDS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=";"), min_size=1)
DIALOGS = st.builds(Replaces, CALL_IDS, TOKENS, TOKENS, st.booleans())
HEADERS = st.lists(
    st.tuples(TOKENS.filter(lambda name: name.lower() != "replaces"), TEXT),
    max_size=3,
    unique_by=lambda header: header[0].lower(),
).map(tuple)
PIECES = st.lists(
    st.sampled_from(
        ["<sip:", "a@b", ">", "?", "Replaces=", "a;to-tag=1;from-tag=2", "a%3Bto-tag%3D1%3Bfrom-tag%3D2"]
    )
    | st.sampled_from(
        [";method=", "INVITE", "&", "%0D%0A", "%", '"', "\\", ";", ",", " ", "\u00e9", "\udcff"]
    ),
    max_size=12,
).map("".join)
REASONS = st.lists(
    st.sampled_from(
        ["SIP", "Q.850", ";", "cause=", "16", "text=", '"', '"x"', "\\", ",", " ", "<", "=", "\r\n"]
    ),
    max_size=16,
).map("".join)


@given(DIALOGS, HEADERS, TEXT, TOKENS)
def test_what_is_printed_is_read(
    dialog: Replaces, headers: tuple[tuple[str, str], ...], display: str, method: str
) -> None:
    assert parse_replaces(str(dialog)) == dialog
    target = Uri("sip", "bob", None, "b.example", 5070, (("lr", None),))
    refer_to = ReferTo(target, (("Replaces", str(dialog)), *headers), method, display)
    read = parse_refer_to(str(refer_to))
    assert read == refer_to
    assert read.replaces == dialog


@given(PIECES | st.text())
@example("<sip:a@b?Replaces=x%0D%0AVia:y%3Bto-tag%3D1%3Bfrom-tag%3D2>")
def test_any_text_is_a_value_or_an_error(text: str) -> None:
    for parse in (parse_refer_to, parse_replaces, parse_referred_by, parse_refer_sub):
        try:
            value = parse(text)
        except PeerProtocolError as error:
            assert error.status in (400, 416)
            assert error.reason.isprintable() and error.reason.isascii()
            continue
        if isinstance(value, ReferTo):
            assert parse_refer_to(str(value)) == value
            for name, content in value.headers:
                assert not set(name + content) & set("\r\n\x00")


@given(st.lists(REASONS | st.text(), max_size=3))
@example(['SIP;text="\\\r\n"'])
def test_reasons_that_pass_are_good_and_stay_as_they_are(values: list[str]) -> None:
    passable = passable_reasons(values)
    assert passable_reasons(passable) == passable
    assert passable_reasons([", ".join(passable)] if passable else []) == passable
    for value in passable:
        parse_reason(value)
        assert not set(value) & set("\r\n\x00")


@given(TEXT)
def test_texts_of_reasons_survive(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    (passed,) = passable_reasons([f'SIP;cause=480;text="{quoted}"'])
    assert parse_reason(passed).text == text
