"""The calls and transactions of one process, as the control socket shows and ends them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from b2bua.callcontrol.v1 import call_pb2 as record
from b2bua.common.v1 import sip_pb2
from b2bua_allinone.control.protocol import NOT_AVAILABLE, CallLine, LegLine, TransactionLine
from sip_edge.domain import EdgeCore
from sipcore.errors import PeerProtocolError
from sipcore.headers import parse_name_addr
from sipcore.uri import TelUri, parse_uri


class CallControlView(Protocol):
    """What of a `Pod` is looked at."""

    def active_keys(self) -> Sequence[str]:
        """Keys of the cached calls that are not over."""

    def records(self, text: str = "") -> Iterable[record.Call]:
        """The cached calls that hold a text, ended ones included, each decoded for this look."""

    def disconnect(self, call_key: str) -> None:
        """End a call: BYE, CANCEL or a final answer on each of its legs."""


class LiveCalls:
    """`Calls` of one process. With a store that several processes share, these are the calls cached here."""

    def __init__(self, pod: CallControlView, core: EdgeCore, clock: Callable[[], float]) -> None:
        """`clock` is the monotonic clock of the edge's core."""
        self._pod = pod
        self._core = core
        self._clock = clock

    def calls(self) -> Iterator[CallLine]:
        """See `Calls`."""
        return map(call_line, self._open_calls())

    def server_transactions(self) -> Iterator[TransactionLine]:
        """See `Calls`."""
        for entry in self._core.server_transactions():
            origin = entry.origin
            name = f"{origin.call_id}/{origin.cseq}/{entry.key.partition(' ')[0]}"
            age = self._clock() - entry.since
            yield TransactionLine(id=name, method=origin.method, state=entry.machine.state.name, age=age)

    def client_transactions(self) -> Iterator[TransactionLine]:
        """See `Calls`."""
        for trial in self._core.client_transactions():
            machine, attempt = trial.machine, trial.attempt
            name = f"{attempt.request.call_id}/{attempt.request.cseq}/" if attempt is not None else ""
            age = self._clock() - trial.since
            yield TransactionLine(
                id=name + trial.branch, method=machine.method, state=machine.state.name, age=age
            )

    def disconnect(self, call_id: str) -> bool:
        """See `Calls`."""
        keys = [call.key for call in self._open_calls(call_id) if call.legs[0].call_id == call_id]
        for key in keys:
            self._pod.disconnect(key)
        return bool(keys)

    def disconnect_all(self) -> Iterator[None]:
        """See `Calls`."""
        for key in self._pod.active_keys():
            self._pod.disconnect(key)
            yield

    def media_timeout(self, relay_id: str, media: int | None) -> bool:
        """See `Calls`: as long as no media is relayed, no call has such an id."""
        return False

    def _open_calls(self, text: str = "") -> Iterator[record.Call]:
        return (
            call for call in self._pod.records(text) if call.state != record.CALL_STATE_ENDED and call.legs
        )


_WAITING = (record.LEG_STATE_INVITING, record.LEG_STATE_PROCEEDING)
_UP = (record.CALL_STATE_ANSWERED, record.CALL_STATE_CONFIRMED)


def call_line(call: record.Call) -> CallLine:
    """Return what is shown of a call."""
    ingress = call.legs[0]
    egress = call.legs[-1] if len(call.legs) > 1 else None
    return CallLine(
        call_id=ingress.call_id,
        state=_call_state(call),
        ingress=LegLine(
            state=_ingress_state(call),
            peer=_ingress_peer(call),
            calling=_user(ingress.remote_uri),
            called=_user(ingress.local_uri),
        ),
        egress=None
        if egress is None
        else LegLine(
            state=_egress_state(call, egress),
            peer=_shown(egress.sent.address) if egress.HasField("sent") else _target(egress),
            calling=_user(egress.local_uri),
            called=_user(egress.remote_uri),
        ),
    )


_LEG_STATES: Mapping[record.LegState, str] = MappingProxyType(
    {
        record.LEG_STATE_CANCELLING: "Cancelling(UAC)",
        record.LEG_STATE_CONFIRMED: "Connected",
        record.LEG_STATE_RELEASING: "Disconnected",
        record.LEG_STATE_ENDED: "Disconnected",
    }
)


def _call_state(call: record.Call) -> str:
    if call.state in _UP:
        return "Connected"
    return "ARComplete" if len(call.legs) > 1 else "WaitRoute"


def _ingress_state(call: record.Call) -> str:
    if call.state in (record.CALL_STATE_TRYING, record.CALL_STATE_ROUTING):
        return "Trying(UAS)"
    if call.state == record.CALL_STATE_RINGING:
        return "Ringing(UAS)"
    return _settled_state(call, call.legs[0])


def _egress_state(call: record.Call, leg: record.Leg) -> str:
    if leg.state in _WAITING:
        return "Ringing(UAC)" if leg.alerting_time_ms else "Trying(UAC)"
    if leg.state == record.LEG_STATE_ENDED and leg.final_status >= 300:
        return "Failed"
    return _settled_state(call, leg)


def _settled_state(call: record.Call, leg: record.Leg) -> str:
    """State of a leg whose INVITE is answered: while a re-INVITE crosses, both sides are updating."""
    for relay in call.relays:
        if relay.method == "INVITE" and leg.index in (relay.from_leg, relay.to_leg):
            return "Updating(UAS)" if leg.index == relay.from_leg else "Updating(UAC)"
    return _LEG_STATES.get(leg.state, "Connected")


def _ingress_peer(call: record.Call) -> str:
    """Where the caller's INVITE came from, as long as the record says it; then where its Contact leads."""
    if call.HasField("invite"):
        return _shown(call.invite.origin.source)
    opened = next((one for one in call.transactions if one.leg == 0 and not one.origin_in_dialog), None)
    return _shown(opened.origin.source) if opened is not None else _target(call.legs[0])


def _shown(address: sip_pb2.Endpoint) -> str:
    host = f"[{address.ip}]" if ":" in address.ip else address.ip
    return f"{address.transport or 'udp'}:{host}:{address.port}"


def _target(leg: record.Leg) -> str:
    try:
        uri = parse_uri(leg.remote_target)
    except PeerProtocolError:
        return NOT_AVAILABLE
    if isinstance(uri, TelUri):
        return NOT_AVAILABLE
    return f"{uri.transport or 'udp'}:{uri.host}:{uri.port or 5060}"


def _user(value: str) -> str:
    """User part of a From or To value."""
    try:
        uri = parse_uri(parse_name_addr(value).uri)
    except PeerProtocolError:
        return NOT_AVAILABLE
    return (uri.number if isinstance(uri, TelUri) else uri.user) or NOT_AVAILABLE
