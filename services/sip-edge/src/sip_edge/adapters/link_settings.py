"""Settings of the link to call-control."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """Times are seconds."""

    patience: float = 1.0
    """After this time without an acknowledgement an event goes to the next pod."""
    expiry: float = 32.0
    """64*T1: after this time an event has no transaction any more, and is given up."""
    unacknowledged_limit: int = 20_000
    """Events kept until they are acknowledged; half of that for new calls."""
    batch_limit: int = 32
    """Events in one frame."""
    linger: float = 0.002
    """How long a batch may wait for company, on a stream with more than 200 items a second."""
    done_limit: int = 10_000
    """Confirmations that wait for a stream."""
    greeting_timeout: float = 2.0
    """A pod that connects and does not greet is left alone."""
    silence_limit: float = 5.0
    """After this time a silent pod is disconnected."""
    retry_least: float = 0.2
    """Shortest wait before connecting again."""
    retry_most: float = 2.0
    """Longest wait before connecting again."""
    dns_interval: float = 2.0
    """Between two look-ups of `dns:///` targets."""
    tick: float = 0.05
    """Between two looks at overdue events."""
    close_timeout: float = 2.0
    """How long `close` waits for acknowledgements."""
