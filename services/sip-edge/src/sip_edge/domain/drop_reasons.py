"""Every reason for which the edge discards something, and the counters of what it did."""

from enum import IntEnum


class DropReason(IntEnum):
    """Why a message or a command had no effect. In lower case the names are labels of the metric."""

    NOT_GREETED = 0
    """No pod has told the salt yet: keys can neither be made nor verified."""
    KEEP_ALIVE = 1
    """Blank lines between messages (RFC 5626 4.4.1)."""
    MALFORMED = 2
    """Not a SIP message, or one that cannot be answered."""
    MALFORMED_RESPONSE = 3
    """A response that breaks RFC 3261."""
    REPEATED_REQUEST = 4
    """Retransmission of a request; its last answer, if any, was sent again."""
    ACK_FOR_REFUSAL = 5
    """Acknowledges a refusal that the edge gave without keeping state."""
    ACK_ABSORBED = 6
    """Acknowledges a non-2xx answer of a transaction here."""
    ACK_REPEATED = 7
    """The 2xx was acknowledged before."""
    ACK_FOREIGN = 8
    """Neither a transaction nor a tag of ours."""
    RESPONSE_FOREIGN = 9
    """The branch of the top Via is not ours."""
    RESPONSE_MISROUTED = 10
    """More than one Via: meant for somebody behind us (RFC 3261 8.1.3.3)."""
    RESPONSE_REPEATED = 11
    """Absorbed by its transaction; a final to INVITE was acknowledged again."""
    TRYING_ABSORBED = 12
    """100 Trying is hop by hop."""
    CANCEL_RESPONSE = 13
    """What counts is the final response of the INVITE."""
    STRAY_TRYING = 14
    """A 100 without a transaction."""
    LATE_ANSWER = 15
    """Call-control answered a request that has its final answer."""
    ANSWER_WITHOUT_TRANSACTION = 16
    """Call-control answered a request unknown here and did not say how."""
    CANCEL_NOT_OURS = 17
    """CANCEL for an INVITE of another edge that had no provisional."""
    NOTHING_TO_CANCEL = 18
    """The INVITE has its final response, or its CANCEL; or it is none."""
    STOP_UNKNOWN = 19
    """Nothing here to stop."""
    COMMAND_REPEATED = 20
    """Command carried out before."""
    COMMAND_EMPTY = 21
    """Command of a kind that this edge does not know."""
    RESOLUTION_UNKNOWN = 22
    """DNS answer for a request that is gone."""
    FLOW_UNKNOWN = 23
    """Bytes of a connection that the core has given up."""
    FLOW_REFUSED = 24
    """Too many connections."""
    FLOW_FRAMING_LOST = 25
    """No message boundary can be found any more; the connection was closed."""
    FLOW_LOST = 26
    """The connection on which something should leave is gone."""
    UNREACHABLE = 27
    """No address or no listener for something that has no transaction to fail."""
    UNANSWERED = 28
    """Call-control did not answer a request in time."""
    UNACKNOWLEDGED = 29
    """No ACK for a non-2xx answer."""
    UNSENDABLE = 30
    """Call-control asked for a message that cannot be written down."""
    PROXY_RESPONSE_LATE = 31
    """For a request that the helper proxy, here or at another edge, has forgotten."""


METHODS = frozenset(
    {
        *("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "PRACK", "REFER"),
        *("NOTIFY", "SUBSCRIBE", "MESSAGE", "REGISTER", "PUBLISH", "PING"),
    }
)
"""Methods that the edge has heard of. Any other is answered 501, and counted as one."""


class Counters:
    """What an edge counts; read by the metrics of the shell. All label sets are closed."""

    __slots__ = ("drops", "requests", "responses", "sent_requests", "sent_responses")

    def __init__(self) -> None:
        self.drops: list[int] = [0] * len(DropReason)
        """Indexed by `DropReason`."""
        self.requests: dict[str, int] = dict.fromkeys((*sorted(METHODS), "OTHER"), 0)
        """Requests received, retransmissions included, by method."""
        self.sent_requests: dict[str, int] = dict(self.requests)
        """Requests sent, retransmissions included, by method."""
        self.responses: list[int] = [0] * 700
        """Responses received, indexed by status."""
        self.sent_responses: list[int] = [0] * 700
        """Responses sent, retransmissions included, indexed by status."""

    def drop(self, reason: DropReason) -> None:
        """One more discard."""
        self.drops[reason] += 1
