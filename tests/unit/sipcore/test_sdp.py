"""Session descriptions: what is read of them, and that nothing else is touched."""

import pytest

from sipcore.sdp import (
    Attribute,
    Connection,
    Direction,
    Hold,
    NotAcceptable,
    Origin,
    Rtcp,
    SdpLimits,
    answer_direction,
    hold_of,
    parse_session,
)

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
PLAIN = HEAD + "c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\n"
WEBRTC = (
    "v=0\r\no=alice 4611731400430051336 2 IN IP6 2001:db8::1\r\ns=caf\u00e9\r\nt=0 0\r\n"
    "a=group:BUNDLE 0\r\na=ice-options:trickle\r\n"
    "m=audio 9/2 UDP/TLS/RTP/SAVPF 111 101\r\nc=IN IP6 2001:db8::2\r\nb=AS:64\r\nb=TIAS:64000\r\n"
    "a=rtcp:9 IN IP6 2001:db8::3\r\na=ice-ufrag:x\r\na=ice-pwd:y\r\n"
    "a=candidate:1 1 UDP 1 2001:db8::2 9 typ host\r\n"
    "a=setup:actpass\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=rtcp-fb:* nack\r\n"
    "a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:101  telephone-event/8000 \r\na=recvonly\r\n"
    "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=sctp-port:5000\r\n"
)

KEPT = {
    "plain": PLAIN,
    "webrtc": WEBRTC,
    "line feeds": PLAIN.replace("\r\n", "\n"),
    "both line ends": PLAIN.replace("\r\n", "\n", 3),
    "no final line end": PLAIN.rstrip("\r\n"),
    "empty lines": HEAD + "\r\nt=0 0\r\n\r\n",
    "no media": HEAD + "t=0 0\r\n",
    "unknown lines": PLAIN.replace("t=0 0", "t=0 0\r\nx=?\r\nZ=\t\r\ny="),
    "repeated lines": HEAD + "i=a\r\ni=b\r\nb=CT:1\r\nb=AS:2\r\nt=0 0\r\nt=1 2\r\nr=7d 1h 0\r\n",
    "session lines in any order": "t=0 0\r\ns=-\r\no=- 1 1 IN IP4 h\r\nv=0\r\n",
    "fields set wide": PLAIN.replace("m=audio 4000 RTP/AVP 0 8", "m=audio  4000 RTP/AVP 0  8 "),
    "a refused section without address": PLAIN.replace("c=IN IP4 192.0.2.1\r\n", "").replace(" 4000 ", " 0 "),
    "a refused section without format": PLAIN.replace("4000 RTP/AVP 0 8", "0 RTP/AVP"),
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_every_octet_is_kept(text: str) -> None:
    body = text.encode()
    assert parse_session(body).to_bytes() == body


def test_octets_that_are_not_utf_8_are_kept() -> None:
    body = PLAIN.replace("s=-", "s=X").encode().replace(b"X", b"\xff\xfe\xc3")
    assert parse_session(body).to_bytes() == body


def test_session_level() -> None:
    session = parse_session(PLAIN.encode())
    assert session.origin == Origin("-", "1", "1", "IN", "IP4", "192.0.2.1")
    assert str(session.origin) == "- 1 1 IN IP4 192.0.2.1"
    assert session.connection == Connection("IN", "IP4", "192.0.2.1")
    assert str(session.connection) == "IN IP4 192.0.2.1"
    assert session.direction is Direction.SENDRECV
    assert [media.kind for media in session.media] == ["audio"]


def test_media_level() -> None:
    session = parse_session(WEBRTC.encode())
    audio, data = session.media
    assert (audio.kind, audio.port, audio.count, audio.transport) == ("audio", 9, 2, "UDP/TLS/RTP/SAVPF")
    assert audio.formats == ("111", "101")
    assert audio.connection == Connection("IN", "IP6", "2001:db8::2")
    assert audio.direction is Direction.RECVONLY
    assert audio.rtcp == Rtcp(9, Connection("IN", "IP6", "2001:db8::3"))
    assert audio.rtpmap == (("111", "opus/48000/2"), ("101", "telephone-event/8000"))
    assert audio.fmtp == (("111", "minptime=10;useinbandfec=1"),)
    assert audio.rtcp_fb == (("111", "transport-cc"), ("*", "nack"))
    assert audio.setup == "actpass"
    assert [attribute.name for attribute in audio.ice] == ["ice-ufrag", "ice-pwd", "candidate"]
    assert session.ice == (Attribute("ice-options", "trickle"),)
    assert (data.port, data.formats, data.connection) == (0, ("webrtc-datachannel",), None)
    assert data.rtcp is None
    assert data.setup is None


def test_attributes() -> None:
    media = parse_session((PLAIN + "a=x\r\na=y:\r\na=y:2:3\r\na=rtcp-mux").encode()).media[0]
    assert media.attributes[1:] == (
        Attribute("x", None),
        Attribute("y", ""),
        Attribute("y", "2:3"),
        Attribute("rtcp-mux", None),
    )
    assert [media.attribute(name) for name in ("x", "y", "z", "rtpmap")] == ["", "", None, "0 PCMU/8000"]


def test_the_section_goes_before_the_session() -> None:
    text = HEAD + "c=IN IP4 192.0.2.9\r\nt=0 0\r\na=inactive\r\n"
    text += "m=audio 1 RTP/AVP 0\r\nm=audio 2 RTP/AVP 0\r\nc=IN IP6 ::1\r\na=sendonly\r\na=recvonly\r\n"
    first, second = parse_session(text.encode()).media
    assert first.connection == Connection("IN", "IP4", "192.0.2.9")
    assert first.direction is Direction.INACTIVE
    assert second.connection == Connection("IN", "IP6", "::1")
    assert second.direction is Direction.SENDONLY


@pytest.mark.parametrize(
    ("value", "rtcp"),
    [
        ("53020", Rtcp(53020, None)),
        ("53020 IN IP4 h", Rtcp(53020, Connection("IN", "IP4", "h"))),
        ("", None),
        ("x", None),
        ("65536", None),
        ("1 IN", None),
        ("9" * 40, None),
    ],
)
def test_rtcp(value: str, rtcp: Rtcp | None) -> None:
    assert parse_session(f"{PLAIN}a=rtcp:{value}\r\n".encode()).media[0].rtcp == rtcp


def test_a_user_name_with_spaces() -> None:
    body = PLAIN.replace("o=- ", "o=Some Phone 3 ").encode()
    session = parse_session(body)
    assert session.origin == Origin("Some Phone 3", "1", "1", "IN", "IP4", "192.0.2.1")
    assert session.to_bytes() == body


def test_numbers_of_the_origin_have_any_size() -> None:
    session = parse_session(PLAIN.replace("o=- 1 1", f"o=- {'9' * 40} x").encode())
    assert (session.origin.session_id, session.origin.version) == ("9" * 40, "x")


BROKEN = {
    "empty": ("", 'Mandatory "v=" session header is missing'),
    "no v": (PLAIN.replace("v=0\r\n", ""), 'Mandatory "v=" session header is missing'),
    "no o": (PLAIN.replace("o=- 1 1 IN IP4 192.0.2.1\r\n", ""), 'Mandatory "o=" session header is missing'),
    "no s": (PLAIN.replace("s=-\r\n", ""), 'Mandatory "s=" session header is missing'),
    "no t": (PLAIN.replace("t=0 0\r\n", ""), 'Mandatory "t=" session header is missing'),
    "no c": (PLAIN.replace("c=IN IP4 192.0.2.1\r\n", ""), 'Mandatory "c=" media header is missing'),
    "s in the media only": (
        PLAIN.replace("s=-\r\n", "") + "s=-\r\n",
        'Mandatory "s=" session header is missing',
    ),
    "two o": (PLAIN.replace("s=-", "o=- 2 2 IN IP4 h\r\ns=-"), 'Session header "o=" is there twice'),
    "short o": (PLAIN.replace("o=- 1 1 IN", "o=1 1 IN"), 'Bad "o=" session header'),
    "short c": (PLAIN.replace("c=IN IP4", "c=IN"), 'Bad "c=" header'),
    "a second c that is short": (PLAIN + "c=IN IP4 h\r\nc=\r\n", 'Bad "c=" header'),
    "short m": (PLAIN.replace("m=audio 4000 RTP/AVP 0 8", "m=audio 4000"), 'Bad "m=" media header'),
    "no format": (PLAIN.replace("RTP/AVP 0 8", "RTP/AVP "), 'Bad "m=" media header: no format'),
    "a port too high": (
        PLAIN.replace(" 4000 ", " 65536 "),
        'Bad "m=" media header: number out of range in its port',
    ),
    "40 digits": (
        PLAIN.replace(" 4000 ", f" {'4' * 40} "),
        'Bad "m=" media header: number out of range in its port',
    ),
    "digits of elsewhere": (
        PLAIN.replace("4000", "\u0664000"),
        'Bad "m=" media header: not a number in its port',
    ),
    "no port": (PLAIN.replace(" 4000 ", " x "), 'Bad "m=" media header: not a number in its port'),
    "no count": (PLAIN.replace("4000", "4000/"), 'Bad "m=" media header: not a number in its port'),
    "count 0": (PLAIN.replace("4000", "4000/0"), 'Bad "m=" media header: no port'),
    "NUL": (PLAIN + "a=\0\r\n", "Session description has a NUL or a stray CR"),
    "stray CR": (PLAIN + "a=x\ry\r\n", "Session description has a NUL or a stray CR"),
    "final CR": (PLAIN + "a=x\r", "Session description has a NUL or a stray CR"),
    "no type": (PLAIN + "hello\r\n", "Session description has a line without type"),
    "folded": (PLAIN + " a=x\r\n", "Session description has a line without type"),
    "many lines": (PLAIN + "a=x\r\n" * 2000, "Session description has too many lines"),
    "many sections": (PLAIN + "m=a 0 b\r\n" * 128, "Session description has too many media sections"),
}


@pytest.mark.parametrize(("text", "why"), BROKEN.values(), ids=BROKEN)
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(NotAcceptable) as caught:
        parse_session(text.encode())
    assert (caught.value.status, caught.value.reason, caught.value.why) == (488, "Not Acceptable Here", why)


def test_the_reason_is_quoted() -> None:
    error = NotAcceptable('Mandatory "c=" media header is missing')
    assert str(error.header) == r'SIP;cause=488;text="Mandatory \"c=\" media header is missing"'


def test_limits_are_inclusive() -> None:
    body = PLAIN.encode()
    assert parse_session(body, SdpLimits(max_lines=8, max_sections=1)).to_bytes() == body
    with pytest.raises(NotAcceptable):
        parse_session(body, SdpLimits(max_lines=7, max_sections=1))
    with pytest.raises(NotAcceptable):
        parse_session(body, SdpLimits(max_lines=8, max_sections=0))


@pytest.mark.parametrize(
    ("connection", "attribute", "port", "hold"),
    [
        ("IN IP4 192.0.2.1", "", 4000, Hold.NONE),
        ("IN IP4 192.0.2.1", "a=sendrecv", 4000, Hold.NONE),
        ("IN IP4 192.0.2.1", "a=recvonly", 4000, Hold.NONE),
        ("IN IP4 192.0.2.1", "a=sendonly", 4000, Hold.SENDONLY),
        ("IN IP4 192.0.2.1", "a=inactive", 4000, Hold.INACTIVE),
        ("IN IP4 192.0.2.1", "a=inactive", 0, Hold.NONE),
        ("IN IP4 0.0.0.0", "", 4000, Hold.ADDRESS),
        ("IN IP4 0.0.0.0", "a=inactive", 4000, Hold.ADDRESS),
        ("IN IP4 0.0.0.0/127", "", 4000, Hold.ADDRESS),
        ("IN IP4 0.0.0.0", "", 0, Hold.NONE),
        ("IN IP4 0.0.0.0", "", 9, Hold.NONE),
        ("IN IP4 0.0.0.0", "a=sendonly", 9, Hold.SENDONLY),
        ("IN IP6 ::", "", 4000, Hold.ADDRESS),
        ("IN IP6 0:0:0:0:0:0:0:0", "", 4000, Hold.ADDRESS),
        ("IN IP6 ::ffff:0.0.0.0", "", 4000, Hold.ADDRESS),
        ("IN IP6 ::1", "", 4000, Hold.NONE),
        ("IN IP6 :::", "", 4000, Hold.NONE),
        ("IN IP4 host.example.com", "", 4000, Hold.NONE),
        ("IN IP4 0", "", 4000, Hold.NONE),
    ],
)
@pytest.mark.parametrize("level", ["session", "media"])
def test_hold(connection: str, attribute: str, port: int, hold: Hold, level: str) -> None:
    said = f"c={connection}\r\n" + (f"{attribute}\r\n" if attribute else "")
    media = f"m=audio {port} RTP/AVP 0\r\n"
    text = HEAD + (said + "t=0 0\r\n" + media if level == "session" else "t=0 0\r\n" + media + said)
    assert hold_of(parse_session(text.encode()).media[0]) is hold


def test_hold_of_a_refused_section_without_address() -> None:
    assert hold_of(parse_session(WEBRTC.encode()).media[1]) is Hold.NONE


@pytest.mark.parametrize(
    ("offered", "wanted", "answer"),
    [
        ("sendrecv", "sendrecv", "sendrecv"),
        ("sendrecv", "sendonly", "sendonly"),
        ("sendrecv", "recvonly", "recvonly"),
        ("sendrecv", "inactive", "inactive"),
        ("sendonly", "sendrecv", "recvonly"),
        ("sendonly", "sendonly", "inactive"),
        ("sendonly", "recvonly", "recvonly"),
        ("sendonly", "inactive", "inactive"),
        ("recvonly", "sendrecv", "sendonly"),
        ("recvonly", "sendonly", "sendonly"),
        ("recvonly", "recvonly", "inactive"),
        ("recvonly", "inactive", "inactive"),
        ("inactive", "sendrecv", "inactive"),
        ("inactive", "sendonly", "inactive"),
        ("inactive", "recvonly", "inactive"),
        ("inactive", "inactive", "inactive"),
    ],
)
def test_answers_to_directions(offered: str, wanted: str, answer: str) -> None:
    assert answer_direction(Direction(offered), Direction(wanted)) is Direction(answer)
