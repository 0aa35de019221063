"""The codec filter: what goes, what stays, and what is refused."""

import pytest

from sipcore.codec_filter import AllowedCodecs, filter_codecs, parse_allowed_pts
from sipcore.sdp import NotAcceptable

HEAD = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nb=AS:1\r\nb=AS:2\r\n"


def filtered(media: str, option: str) -> str:
    """What is left of these lines."""
    body = HEAD + media.replace("\n", "\r\n").encode()
    result = filter_codecs(body, parse_allowed_pts(option))
    assert (result is body) == (result == body)
    assert result.startswith(HEAD)
    return result[len(HEAD) :].decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("0", AllowedCodecs(frozenset({"0"}), frozenset())),
        ("0,8,101", AllowedCodecs(frozenset({"0", "8", "101"}), frozenset())),
        (" 18 , 007 ", AllowedCodecs(frozenset({"18", "7"}), frozenset())),
        ("127,[opus/48000/2]", AllowedCodecs(frozenset({"127"}), frozenset({"opus/48000/2"}))),
        ("[telephone-event/8000]", AllowedCodecs(frozenset(), frozenset({"telephone-event/8000"}))),
    ],
)
def test_the_option(text: str, allowed: AllowedCodecs) -> None:
    assert parse_allowed_pts(text) == allowed


@pytest.mark.parametrize(
    "entry",
    ["", "128", "-1", "x", "0x1", "9" * 40, "\u0661", "[", "[]", "[PCMU]", "[PCMU/]", "[PCMU/8k]",
     "PCMU/8000", "[a b/8000]", "[a/8000", "[a/8000/]", "[a/8000/1/2]", "[a/1]]"],
)  # fmt: skip
def test_a_wrong_entry_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="neither a payload type") as caught:
        parse_allowed_pts(f"0,{entry}")
    assert repr(entry[:40]) in str(caught.value)


AUDIO = """m=audio 4000 RTP/AVP 18 0 8 101 13
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=no
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=rtcp-fb:8 nack
a=rtcp-fb:0 nack
a=rtcp-fb:* ccm fir
a=rtpmap:99 stray/1
a=ptime:20
a=sendrecv
"""


def test_what_is_not_allowed_goes_with_its_lines() -> None:
    assert filtered(AUDIO, "8,0,[telephone-event/8000]") == (
        "m=audio 4000 RTP/AVP 0 8 101\n"
        "a=rtpmap:0 PCMU/8000\n"
        "a=rtpmap:8 PCMA/8000\n"
        "a=rtpmap:101 telephone-event/8000\n"
        "a=fmtp:101 0-15\n"
        "a=rtcp-fb:8 nack\n"
        "a=rtcp-fb:0 nack\n"
        "a=rtcp-fb:* ccm fir\n"
        "a=rtpmap:99 stray/1\n"
        "a=ptime:20\n"
        "a=sendrecv\n"
    )


def test_when_all_are_allowed_the_octets_are_the_same() -> None:
    assert filtered(AUDIO, "0,8,13,18,101") == AUDIO


@pytest.mark.parametrize(
    "option", ["[pcmu/8000]", "[PCMU/16000]", "[PCMU/8000/1]", "[TELEPHONE-EVENT/8000]"], ids=str
)
def test_names_are_compared_exactly(option: str) -> None:
    assert filtered(AUDIO, f"13,{option}").startswith("m=audio 4000 RTP/AVP 13\n")


def test_a_name_needs_its_rtpmap() -> None:
    with pytest.raises(NotAcceptable):
        filtered("m=audio 4000 RTP/AVP 0\n", "[PCMU/8000]")


def test_an_rtpmap_counts_in_its_own_section() -> None:
    media = "m=audio 4000 RTP/AVP 0 96\nm=video 4002 RTP/AVP 0 96\na=rtpmap:96 x/1\n"
    assert filtered(media, "0,[x/1]") == media.replace("0 96", "0", 1)


@pytest.mark.parametrize(
    "transport",
    ["RTP/AVP", "RTP/SAVP", "RTP/AVPF", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF", "rtp/avpf"],
)
def test_rtp_transports_are_filtered(transport: str) -> None:
    assert filtered(f"m=audio 4000/2 {transport} 0 8\n", "8") == f"m=audio 4000/2 {transport} 8\n"


@pytest.mark.parametrize(
    "line",
    [
        "m=image 4000 udptl t38",
        "m=message 4000 TCP/MSRP *",
        "m=audio 4000 udp 0",
        "m=application 9 DCCP/RTP/AVP 0",
    ],
)
def test_other_transports_are_left_alone(line: str) -> None:
    assert filtered(f"{line}\n", "8") == f"{line}\n"


@pytest.mark.parametrize("line", ["m=audio 0 RTP/AVP 0 8", "m=video 0 RTP/AVP", "m=video 0 RTP/AVP 31"])
def test_refused_sections_are_left_alone(line: str) -> None:
    media = f"{line}\na=rtpmap:31 H261/90000\nm=audio 4000 RTP/AVP 8 9\n"
    assert filtered(media, "8") == media.replace("8 9", "8")


def test_a_description_without_media_is_left_alone() -> None:
    assert filtered("a=x\n", "8") == "a=x\n"


def test_a_section_left_without_format_is_refused() -> None:
    with pytest.raises(NotAcceptable) as caught:
        filtered("m=audio 4000 RTP/AVP 0 8\nm=video 4002 RTP/AVP 31\n", "8")
    assert caught.value.status == 488
    assert str(caught.value.header) == 'SIP;cause=488;text="offered media prohibited by the policy"'


def test_a_broken_description_is_refused() -> None:
    with pytest.raises(NotAcceptable, match="488"):
        filter_codecs(b"v=0\r\n", parse_allowed_pts("0"))


def test_formats_that_are_no_numbers() -> None:
    assert filtered("m=audio 4000 RTP/AVP x 0 00\na=rtpmap:x y/1\n", "0") == "m=audio 4000 RTP/AVP 0\n"
    assert filtered("m=audio 4000 RTP/AVP x 0\na=rtpmap:x y/1\n", "[y/1]") == (
        "m=audio 4000 RTP/AVP x\na=rtpmap:x y/1\n"
    )
