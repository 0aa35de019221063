"""Time of parsing and serialising one INVITE. Run: python benchmarks/micro/bench_sipcore.py"""

from __future__ import annotations

import timeit
from collections.abc import Callable

from sipcore import Request, parse_datagram, serialize_request, serialize_response, validate_request

SDP = (
    b"v=0\r\no=- 13760799956958020 13760799956958020 IN IP4 198.51.100.10\r\ns=-\r\n"
    b"c=IN IP4 198.51.100.10\r\nt=0 0\r\nm=audio 8000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
)
INVITE = (
    b"INVITE sip:12125551234@proxy.example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 198.51.100.10:5060;branch=z9hG4bK-524287-1---d8754z;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b"Contact: <sip:alice@198.51.100.10:5060;transport=udp>\r\n"
    b"To: <sip:12125551234@proxy.example.com>\r\n"
    b'From: "Alice" <sip:alice@proxy.example.com>;tag=76341d04\r\n'
    b"Call-ID: 1-76341d04aa8f4ae0ae@198.51.100.10\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE\r\n"
    b"Content-Type: application/sdp\r\n"
    b"User-Agent: Example/1.0\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(SDP), SDP)
)
RUNS = 20_000
REPEATS = 5


def parse() -> Request:
    """Parse and read what the edge needs of every message."""
    message = parse_datagram(INVITE)
    _ = message.via, message.from_tag, message.to_tag, message.call_id, message.cseq, message.contact
    assert isinstance(message, Request)
    return message


def parse_and_validate() -> None:
    """Parse and check all that a request must have."""
    validate_request(parse())


FIELDS = parse().headers.items()


def write_request() -> bytes:
    """Serialise the same INVITE."""
    return serialize_request("INVITE", "sip:12125551234@proxy.example.com", FIELDS, SDP)


def write_response() -> bytes:
    """Serialise a response of the same size."""
    return serialize_response(200, "OK", FIELDS, SDP)


def microseconds(work: Callable[[], object]) -> float:
    """The best time of one run of ``work``."""
    return min(timeit.repeat(work, number=RUNS, repeat=REPEATS)) / RUNS * 1e6


def main() -> None:
    """Print the table."""
    print(f"INVITE of {len(INVITE)} octets, {len(FIELDS)} header fields")
    for name, work in (
        ("parse + via, tags, call_id, cseq, contact", parse),
        ("the same + validate_request", parse_and_validate),
        ("serialize_request", write_request),
        ("serialize_response", write_response),
    ):
        print(f"{name:45} {microseconds(work):6.2f} us")


if __name__ == "__main__":
    main()
