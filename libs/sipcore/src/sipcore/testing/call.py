"""One call of a scripted agent: the dialog and the user's part of RFC 3261 sections 9, 12 to 15."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sipcore.dialog import (
    NO_CSEQ,
    TARGET_REFRESH,
    CSeqOrder,
    aim,
    cseq_order,
    refreshed_target,
    route_set_uac,
    route_set_uas,
)
from sipcore.errors import LocalProtocolError
from sipcore.headers import NameAddr
from sipcore.message import Request, Response
from sipcore.testing.builders import as_request, request
from sipcore.testing.exchange import ClientExchange, ServerExchange
from sipcore.testing.script import CallState, Ending, Kind, Script
from sipcore.testing.wire import Address

if TYPE_CHECKING:
    from sipcore.testing.agent import ScriptedAgent

__all__ = ["ALLOW", "Call", "Dialog"]


@dataclass(slots=True)
class Dialog:
    """What belongs to one remote tag."""

    remote_tag: str
    route_set: tuple[str, ...]
    remote_target: str


class Call:
    """One side of a call. The script drives it; tests may drive it too with the public methods."""

    def __init__(
        self, agent: ScriptedAgent, script: Script, *, call_id: str, local_tag: str, is_caller: bool
    ) -> None:
        self.agent = agent
        self.script = script
        self.call_id = call_id
        self.local_tag = local_tag
        self.is_caller = is_caller
        self.state = CallState.CALLING
        self.ending: Ending | None = None
        self.status = 0
        """The final status of the INVITE that began the call, 0 while there is none."""
        self.dialog: Dialog | None = None
        self.local = ""
        """Our From or To value without tag."""
        self.remote = ""
        self.remote_bodies: list[bytes] = []
        """The bodies of INVITE, its responses and ACK that the peer sent, in order of arrival."""
        self._local_cseq = 0
        self._remote_cseq = NO_CSEQ
        self._inviting: ClientExchange | None = None
        self._invited: ServerExchange | None = None
        self._accepted: dict[int, ServerExchange] = {}
        """The INVITEs that we answered with a 2xx, by CSeq number: what an ACK is matched with."""
        self._unacknowledged: set[int] = set()
        self._acks: dict[tuple[str, int], tuple[bytes, Address]] = {}
        self._offerless = 0
        self._updating = False
        self._cancelling = False
        self._hanging_up = False
        self._early: Dialog | None = None
        self._last: tuple[str, bytes, Address] | None = None
        self._repetitions: list[ClientExchange] = []

    # What a test or the script asks for

    def cancel(self) -> None:
        """Caller: gives up. The CANCEL waits for a provisional response; a 2xx that crosses it gets a BYE."""
        if self._cancelling or self.state is not CallState.CALLING or self._inviting is None:
            return
        self._cancelling = True
        if self._inviting.provisional:
            self._send_cancel(self._inviting)

    def hang_up(self) -> None:
        """Ends the call in the way that fits its state; a BYE waits for the ACK of our 2xx (RFC 3261 15)."""
        if self.state is CallState.CALLING:
            if self.is_caller:
                self.cancel()
            else:
                self.answer(603)
        elif self.state is CallState.ANSWERED:
            self._hanging_up = True
        elif self.state is CallState.ESTABLISHED:
            self._send_bye(Ending.HUNG_UP)

    def ring(self, status: int = 180, body: bytes = b"") -> None:
        """Callee: a provisional response."""
        if self._invited is not None:
            self.agent.respond(self._invited, status, self, body=body)

    def answer(self, status: int, body: bytes | None = None) -> None:
        """Callee: the final response to the INVITE that began the call."""
        exchange = self._invited
        if exchange is None or self.state is not CallState.CALLING:
            return
        self.status = status
        if status >= 300:
            self.agent.respond(exchange, status, self, headers=self.script.headers)
            self.end(Ending.REFUSED)
            return
        self.state = CallState.ANSWERED
        self._accept(exchange, status, body)

    @property
    def inviting(self) -> bool:
        """Whether an INVITE is open in this dialog, so that no other may be sent (RFC 3261 14.1)."""
        return self._inviting is not None or bool(self._unacknowledged)

    def reinvite(self, body: bytes | None = None) -> None:
        """An INVITE in the dialog. Raises LocalProtocolError while another one is open (RFC 3261 14.1)."""
        dialog = self._established()
        if self.offering:
            raise LocalProtocolError("an INVITE is open in this dialog, or an offer")
        body = self.script.offer if body is None else body
        self._inviting = self._send_in(dialog, "INVITE", self._on_reinvite_outcome, body=body)

    @property
    def offering(self) -> bool:
        """Whether an offer of ours is open, or an INVITE, so that no offer may be sent (RFC 3311 5.1)."""
        return self.inviting or self._updating

    def update(self, body: bytes) -> None:
        """An UPDATE with an offer. Raises LocalProtocolError while another one is open (RFC 3311 5.1)."""
        dialog = self._established()
        if self.offering:
            raise LocalProtocolError("an INVITE is open in this dialog, or an offer")
        self._updating = True
        self._send_in(dialog, "UPDATE", self._on_update_outcome, body=body)

    def refer(self, target: str) -> None:
        """A REFER: the other side shall call `target`, a URI (RFC 3515)."""
        self.request("REFER", headers=(("Contact", f"<{self.agent.contact}>"), ("Refer-To", f"<{target}>")))

    def request(
        self,
        method: str,
        body: bytes = b"",
        *,
        headers: tuple[tuple[str, str], ...] = (),
        content_type: str = "",
    ) -> None:
        """Any other request inside the dialog; its outcome is in the agent's records."""
        self._send_in(
            self._established(),
            method,
            self._on_request_outcome,
            body=body,
            headers=headers,
            content_type=content_type or "application/sdp",
        )

    def info(self, body: bytes = b"Signal=1\r\nDuration=160\r\n") -> None:
        """An INFO, by default with a key press in the customary format."""
        self.request("INFO", body, content_type="application/dtmf-relay")

    def hang_up_early(self) -> None:
        """Caller: a BYE in the early dialog (RFC 3261 15), if a provisional response has made one."""
        if self.state is CallState.CALLING and self._early is not None and not self._cancelling:
            self._cancelling = True
            self._send_in(self._early, "BYE", _no_matter)

    def repeat_in_new_transaction(self) -> None:
        """The last request once more, the same but for its branch, as a proxy that forks or restarts does."""
        if self._last is None or self.state not in (CallState.CALLING, CallState.ESTABLISHED):
            return
        method, data, destination = self._last
        branch = self.agent.new_branch()
        old = as_request(data).via.branch
        repeated = data.replace(f"branch={old}".encode(), f"branch={branch}".encode(), 1)
        outcome = self._on_repetition if method == "INVITE" else _no_matter
        exchange = self.agent.send_request(method, branch, repeated, destination, outcome, self.call_id)
        if method == "INVITE":
            self._repetitions.append(exchange)

    def vanish(self) -> None:
        """From now on nothing is sent or answered, as after a loss of power."""
        if self.state is not CallState.ENDED:
            self.ending = Ending.VANISHED
            self.end(Ending.VANISHED)
            self.agent.forget(self.call_id)

    # Caller

    def start(self, uri: str, destination: Address) -> None:
        """Sends the INVITE that begins the call."""
        self.remote = f"<{uri}>"
        dialog = Dialog("", (), uri)
        script = self.script
        self._inviting = self._send_in(
            dialog,
            "INVITE",
            self._on_outcome,
            body=script.offer,
            headers=script.headers,
            destination=destination,
        )
        self._later(script.cancel_after, self.cancel)
        self._take_steps(early=True)

    def _on_outcome(self, status: int, response: Response | None) -> None:
        exchange = self._inviting
        if status < 200 and response is not None:
            self._keep_body(response)
            if response.to_tag and status > 100:
                target = response.contact.uri if response.contact else self.remote[1:-1]
                self._early = Dialog(response.to_tag, route_set_uac(response.record_routes), target)
            if self._cancelling and exchange is not None:
                self._send_cancel(exchange)
        elif status < 300 and response is not None:
            self._stop_repetitions()
            self._on_2xx(response)
        elif self._repetitions:
            # What becomes of the copy decides.
            self._inviting = self._repetitions.pop()
        elif not self.status:
            self._stop_repetitions()
            self.status = status
            if response is None and exchange is not None and not exchange.transaction.terminated:
                self._send_cancel(exchange)
            self.end(Ending.CANCELLED if self._cancelling else Ending.REFUSED)

    def _on_repetition(self, status: int, response: Response | None) -> None:
        """The copy of the INVITE may be the one that is answered."""
        if 200 <= status < 300 and response is not None:
            self._on_2xx(response)
        elif status >= 300 and not self._repetitions and not self.status:
            self.status = status
            self.end(Ending.REFUSED)

    def _stop_repetitions(self) -> None:
        """The call is decided: what was sent over other paths is not waited for."""
        for exchange in self._repetitions:
            exchange.stop()
        self._repetitions.clear()

    def _on_2xx(self, response: Response) -> None:
        if self._acknowledge_again(response):
            return
        self._keep_body(response)
        contact = response.contact
        dialog = Dialog(
            response.to_tag,
            route_set_uac(response.record_routes),
            contact.uri if contact else self.remote[1:-1],
        )
        self._acknowledge(dialog, response)
        if self.state is not CallState.CALLING:
            # Another fork has answered, or this one after we gave up (RFC 3261 13.2.2.4).
            if self.ending is not Ending.PEER_HUNG_UP:
                self._send_in(dialog, "BYE", _no_matter)
            return
        self.dialog = dialog
        self.status = response.status
        if self._cancelling:
            self._send_bye(Ending.CANCELLED)
        else:
            self._establish()

    def _on_reinvite_outcome(self, status: int, response: Response | None) -> None:
        if status < 200:
            return
        if status < 300 and response is not None and self.dialog is not None:
            if self._acknowledge_again(response):
                return
            if response.contact is not None:
                self.dialog.remote_target = refreshed_target(
                    "INVITE", response.contact.uri, self.dialog.remote_target
                )
            self._keep_body(response)
            self._acknowledge(self.dialog, response)
        self._inviting = None
        self._on_request_outcome(status, response)

    def _on_update_outcome(self, status: int, response: Response | None) -> None:
        if status < 200:
            return
        self._updating = False
        if status < 300 and response is not None:
            self._keep_body(response)
        self._on_request_outcome(status, response)

    def _on_request_outcome(self, status: int, response: Response | None) -> None:
        if status in (408, 481) and self.state is CallState.ESTABLISHED:
            # RFC 3261 12.2.1.2: the dialog is gone at the other side.
            self._send_bye(Ending.HUNG_UP)

    # Callee

    def receive_invite(self, exchange: ServerExchange) -> None:
        """The INVITE that begins the call."""
        request = exchange.request
        self.local = str(request.to)
        self.remote = _without_tag(request.from_)
        self.dialog = Dialog(request.from_tag, route_set_uas(request.record_routes), _target_of(request))
        self._remote_cseq = request.cseq.number
        self._invited = exchange
        self._keep_body(request)
        script = self.script
        if script.trying:
            self.agent.respond(exchange, 100, self)
        self._later(script.ring_after, self._ring_by_script)
        self._later(script.answer_after, self._answer_by_script)
        self._take_steps(early=True)

    def receive_cancel(self, exchange: ServerExchange) -> None:
        """A CANCEL for the INVITE in `exchange`; the CANCEL itself is answered already (RFC 3261 9.2)."""
        if exchange is self._invited and self.state is CallState.CALLING:
            self.status = 487
            self.agent.respond(exchange, 487, self)
            self.end(Ending.CANCELLED)

    def receive_ack(self, request: Request) -> bool:
        """An ACK in this dialog. False when it belongs to no 2xx of ours."""
        number = request.cseq.number
        exchange = self._accepted.get(number)
        if exchange is None:
            return False
        if number in self._unacknowledged:
            self._keep_body(request)
        exchange.acknowledge()
        return True

    def answers(self, exchange: ServerExchange) -> bool:
        """Whether this is the INVITE that began the call."""
        return exchange is self._invited

    def _ring_by_script(self) -> None:
        if self.state is CallState.CALLING:
            self.ring(self.script.ring_status)

    def _answer_by_script(self) -> None:
        self.answer(self.script.status)

    def _on_acknowledged(self, exchange: ServerExchange, happened: bool) -> None:
        self._unacknowledged.discard(exchange.request.cseq.number)
        self.agent.note(Kind.ACK_RECEIVED if happened else Kind.ACK_MISSING, self.call_id, "ACK")
        if self.state is CallState.ANSWERED and happened:
            self._establish()
        elif not happened and self.state in (CallState.ANSWERED, CallState.ESTABLISHED):
            # RFC 3261 13.3.1.4 and 14.2: without the ACK the session has to end.
            self._send_bye(Ending.UNACKNOWLEDGED)

    # Both

    def receive(self, exchange: ServerExchange) -> None:
        """A request in this dialog, other than ACK and CANCEL."""
        request = exchange.request
        if cseq_order(self._remote_cseq, request.cseq.number) is not CSeqOrder.NEW:
            self.agent.respond(exchange, 500, self)
            return
        self._remote_cseq = request.cseq.number
        handler = _HANDLERS.get(request.method)
        if handler is None:
            self.agent.respond(exchange, 405, self, headers=(("Allow", ALLOW),))
        elif self.state is CallState.ENDED:
            self.agent.respond(exchange, 481, self)
        else:
            handler(self, exchange)

    def is_with(self, remote_tag: str) -> bool:
        """Whether the peer goes by this tag. Before the caller has seen a tag, any will do."""
        return self.dialog is None or self.dialog.remote_tag == remote_tag

    def end(self, ending: Ending) -> None:
        """The call is over for this side."""
        if self.state is CallState.ENDED:
            return
        if self.ending is None:
            self.ending = ending
        self.state = CallState.ENDED
        self.agent.note(Kind.ENDED, self.call_id, status=self.status)

    def _on_bye(self, exchange: ServerExchange) -> None:
        self.agent.respond(exchange, 200, self)
        if self.state is CallState.CALLING and self._invited is not None:
            # RFC 3261 15.1.2: a pending request is answered 487.
            self.status = 487
            self.agent.respond(self._invited, 487, self)
        self.end(Ending.PEER_HUNG_UP)

    def _on_reinvite(self, exchange: ServerExchange) -> None:
        if self.offering:
            self.agent.respond(exchange, 491, self)
            return
        self._keep_body(exchange.request)
        status = self.script.reinvite_status
        if status >= 300:
            self.agent.respond(exchange, status, self)
            return
        self._refresh(exchange.request)
        self._accept(exchange, status, None)

    def _on_update(self, exchange: ServerExchange) -> None:
        request = exchange.request
        if request.body and self.offering:
            self.agent.respond(exchange, 491, self)
            return
        self._keep_body(request)
        self._refresh(request)
        answer = self.script.answer if request.body else b""
        self.agent.respond(exchange, 200, self, body=answer, headers=(("Allow", ALLOW),))

    def _on_refer(self, exchange: ServerExchange) -> None:
        """Accepted, and no more: nobody is called."""
        self._refresh(exchange.request)
        self.agent.respond(exchange, 202, self)

    def _on_other(self, exchange: ServerExchange) -> None:
        self._refresh(exchange.request)
        self.agent.respond(exchange, 200, self, headers=(("Allow", ALLOW),))

    def _accept(self, exchange: ServerExchange, status: int, body: bytes | None) -> None:
        if body is None:
            body = self.script.answer if exchange.request.body else self.script.offer
        exchange.acknowledged = lambda happened: self._on_acknowledged(exchange, happened)
        number = exchange.request.cseq.number
        self._accepted[number] = exchange
        self._unacknowledged.add(number)
        self.agent.respond(exchange, status, self, body=body, headers=self.script.headers)

    def _establish(self) -> None:
        self.state = CallState.ESTABLISHED
        if self.is_caller:
            self._inviting = None
        if self._hanging_up:
            self._send_bye(Ending.HUNG_UP)
            return
        script = self.script
        self._later(script.reinvite_after, self._reinvite_by_script)
        self._later(script.info_after, self._info_by_script)
        self._later(script.hangup_after, self.hang_up)
        self._take_steps(early=False)

    def _reinvite_by_script(self) -> None:
        if self.state is CallState.ESTABLISHED and not self.inviting:
            self.reinvite()

    def _info_by_script(self) -> None:
        if self.state is CallState.ESTABLISHED:
            self.info()

    def _established(self) -> Dialog:
        if self.dialog is None or self.state is not CallState.ESTABLISHED:
            raise LocalProtocolError(f"the call is not established but {self.state.value}")
        return self.dialog

    def _send_bye(self, ending: Ending) -> None:
        assert self.dialog is not None
        self.state = CallState.ENDING
        self.ending = ending
        self._send_in(self.dialog, "BYE", self._on_bye_outcome)

    def _on_bye_outcome(self, status: int, response: Response | None) -> None:
        if status >= 200 and self.state is CallState.ENDING:
            self.end(self.ending or Ending.HUNG_UP)

    def _send_cancel(self, exchange: ClientExchange) -> None:
        if not exchange.cancelled:
            self.agent.send_cancel(exchange, self.call_id)

    def _acknowledge(self, dialog: Dialog, response: Response) -> None:
        number = response.cseq.number
        late_answer = self.script.answer if response.body and self._offerless == number else b""
        data, destination, _ = self._build(dialog, "ACK", number, body=late_answer)
        self._acks[response.to_tag, number] = data, destination
        self.agent.send_ack(data, destination, self.call_id)

    def _acknowledge_again(self, response: Response) -> bool:
        ack = self._acks.get((response.to_tag, response.cseq.number))
        if ack is None:
            return False
        self.agent.send_ack(*ack, self.call_id)
        return True

    def _send_in(
        self,
        dialog: Dialog,
        method: str,
        outcome: Callable[[int, Response | None], None],
        *,
        destination: Address | None = None,
        body: bytes = b"",
        headers: tuple[tuple[str, str], ...] = (),
        content_type: str = "application/sdp",
    ) -> ClientExchange:
        self._local_cseq += 1
        if method == "INVITE" and not body:
            self._offerless = self._local_cseq
        data, next_hop, branch = self._build(
            dialog, method, self._local_cseq, body=body, headers=headers, content_type=content_type
        )
        self._last = method, data, destination or next_hop
        return self.agent.send_request(method, branch, data, destination or next_hop, outcome, self.call_id)

    def _build(
        self,
        dialog: Dialog,
        method: str,
        cseq: int,
        *,
        body: bytes = b"",
        headers: tuple[tuple[str, str], ...] = (),
        content_type: str = "application/sdp",
    ) -> tuple[bytes, Address, str]:
        """Bytes, destination and branch of a request in the dialog."""
        agent = self.agent
        target = aim(dialog.route_set, dialog.remote_target)
        branch = agent.new_branch()
        data = request(
            method,
            target.request_uri,
            call_id=self.call_id,
            from_=self.local,
            from_tag=self.local_tag,
            to=self.remote,
            to_tag=dialog.remote_tag,
            cseq=cseq,
            branch=branch,
            via=agent.via,
            contact=agent.contact if method in TARGET_REFRESH else "",
            routes=target.route,
            headers=headers,
            body=body,
            content_type=content_type,
        )
        return data, agent.resolve(target.next_hop), branch

    def _refresh(self, request: Request) -> None:
        if self.dialog is not None and request.contact is not None:
            self.dialog.remote_target = refreshed_target(
                request.method, request.contact.uri, self.dialog.remote_target
            )

    def _keep_body(self, message: Request | Response) -> None:
        if message.body:
            self.remote_bodies.append(message.body)

    def _take_steps(self, *, early: bool) -> None:
        for step in self.script.steps:
            if step.early is early:
                self.agent.clock.call_at(self.agent.clock.time() + step.after, step.act, self)

    def _later(self, delay: float | None, callback: Callable[[], None]) -> None:
        if delay is not None:
            self.agent.clock.call_at(self.agent.clock.time() + delay, callback)


_HANDLERS: dict[str, Callable[[Call, ServerExchange], None]] = {
    "BYE": Call._on_bye,
    "INVITE": Call._on_reinvite,
    "INFO": Call._on_other,
    "MESSAGE": Call._on_other,
    "OPTIONS": Call._on_other,
    "UPDATE": Call._on_update,
    "REFER": Call._on_refer,
    "NOTIFY": Call._on_other,
}
ALLOW = ", ".join(["ACK", "CANCEL", *_HANDLERS])


def _no_matter(status: int, response: Response | None) -> None:
    """The outcome changes nothing; it is in the records."""


def _without_tag(address: NameAddr) -> str:
    return str(address._replace(params=tuple(pair for pair in address.params if pair[0].lower() != "tag")))


def _target_of(request: Request) -> str:
    return request.contact.uri if request.contact is not None else request.from_.uri
