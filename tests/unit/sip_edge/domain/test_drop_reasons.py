"""Nothing is discarded silently: one way to each reason."""

from collections.abc import Callable

import pytest

from sip_edge.domain import DropReason, EdgeCore, HelperProxyConfig, Lifecycle
from sip_edge.domain.drop_reasons import METHODS, Counters
from sipcore.message import Request, Response
from sipcore.testing.builders import ack_to, invite, request, response_to
from support.edge_world import CALLEE, IDENTITY, TCP, UDP, World, call_key, endpoint, in_dialog, outgoing

KEY = call_key()
BRANCH = IDENTITY.branch(KEY, 1, 1)


def _open(world: World) -> None:
    world.open_call()


def _repeated_request(world: World) -> None:
    world.open_call()
    world.receive(invite())


def _acknowledge(world: World) -> None:
    refusal = world.packets()[-1].message
    assert isinstance(refusal, Response)
    world.receive(ack_to(invite(), refusal))


def _refused(world: World) -> None:
    world.link.credit = False
    world.receive(invite())
    _acknowledge(world)


def _busy(world: World) -> None:
    world.respond(world.open_call(), 486)


def _busy_acknowledged(world: World) -> None:
    _busy(world)
    _acknowledge(world)


def _acknowledged_twice(world: World) -> None:
    event = world.open_call()
    world.respond(event, 200)
    for _ in range(2):
        world.receive(in_dialog("ACK", event, cseq=1))


def _invited(world: World) -> Request:
    _, asked = world.place(KEY)
    assert asked is not None
    return asked


def _misrouted(world: World) -> None:
    world.receive(response_to(_invited(world), 180).replace(b"From:", b"Via: SIP/2.0/UDP a\r\nFrom:"), CALLEE)


def _repeated_response(world: World) -> None:
    asked = _invited(world)
    world.answer(asked, 486)
    world.answer(asked, 486)


def _cancelled(world: World) -> None:
    asked = _invited(world)
    world.answer(asked, 180)
    world.command(KEY, cancel={"branch": BRANCH})
    cancel = world.sent()
    assert isinstance(cancel, Request)
    world.answer(cancel, 200)


def _late_answer(world: World) -> None:
    event = world.open_call()
    world.respond(event, 486)
    world.respond(event, 480)


def _nothing_to_cancel(world: World) -> None:
    asked = _invited(world)
    world.answer(asked, 486)
    world.command(KEY, cancel={"branch": BRANCH})


def _command_twice(world: World) -> None:
    command, _ = world.place(KEY)
    world.core.execute(command, world.now)


def _foreign_stream(world: World) -> None:
    flow = world.core.flow_opened("tcp", CALLEE, world.now)
    world.core.receive_stream(flow or "", b"GET / HTTP/1.1\r\n\r\n", world.now)


def _flow_lost(world: World) -> None:
    flow = world.core.flow_opened("tcp", CALLEE, world.now) or ""
    world.core.receive_stream(flow, invite(via="SIP/2.0/TCP 192.0.2.1"), world.now)
    world.core.flow_closed(flow, world.now)
    world.core.flow_opened("tcp", CALLEE, world.now)
    world.respond(world.event(), 486)


def _stray(status: int) -> Callable[[World], None]:
    asked = _invited(World())
    return lambda world: world.receive(response_to(asked, status, to_tag="b"), CALLEE)


def _ungreeted(world: World) -> None:
    world.core = EdgeCore(world.core._config, world.outlet, world.link, world.core.counters)
    world.core.admission.state = Lifecycle.SERVING
    world.receive(invite())


def _late_at_the_proxy(world: World) -> None:
    branch = IDENTITY.proxy_branch("a request of before")
    world.receive(response_to(invite(), 200, via=f"SIP/2.0/UDP 198.51.100.1;branch={branch}"))


WAYS: dict[DropReason, Callable[[World], object]] = {
    DropReason.NOT_GREETED: _ungreeted,
    DropReason.KEEP_ALIVE: lambda world: world.receive(b"\r\n\r\n"),
    DropReason.MALFORMED: lambda world: world.receive(b"hello"),
    DropReason.MALFORMED_RESPONSE: lambda world: world.receive(b"SIP/2.0 200 OK\r\n\r\n"),
    DropReason.REPEATED_REQUEST: _repeated_request,
    DropReason.ACK_FOR_REFUSAL: _refused,
    DropReason.ACK_ABSORBED: _busy_acknowledged,
    DropReason.ACK_REPEATED: _acknowledged_twice,
    DropReason.ACK_FOREIGN: lambda world: world.receive(request("ACK", to_tag="foreign")),
    DropReason.RESPONSE_FOREIGN: lambda world: world.receive(response_to(invite(), 200)),
    DropReason.RESPONSE_MISROUTED: _misrouted,
    DropReason.RESPONSE_REPEATED: _repeated_response,
    DropReason.TRYING_ABSORBED: lambda world: world.answer(_invited(world), 100),
    DropReason.CANCEL_RESPONSE: _cancelled,
    DropReason.STRAY_TRYING: _stray(100),
    DropReason.LATE_ANSWER: _late_answer,
    DropReason.ANSWER_WITHOUT_TRANSACTION: lambda world: world.command(
        KEY, respond={"transaction": "x", "status": 180}
    ),
    DropReason.CANCEL_NOT_OURS: lambda world: world.command(KEY, cancel={"branch": BRANCH}),
    DropReason.NOTHING_TO_CANCEL: _nothing_to_cancel,
    DropReason.STOP_UNKNOWN: lambda world: world.command(KEY, stop={"branch": BRANCH}),
    DropReason.COMMAND_REPEATED: _command_twice,
    DropReason.COMMAND_EMPTY: lambda world: world.command(KEY),
    DropReason.RESOLUTION_UNKNOWN: lambda world: world.core.resolved(1, [endpoint("192.0.2.2")], world.now),
    DropReason.FLOW_UNKNOWN: lambda world: world.core.receive_stream("6.1", b"x", world.now),
    DropReason.FLOW_REFUSED: _flow_lost,
    DropReason.FLOW_FRAMING_LOST: _foreign_stream,
    DropReason.FLOW_LOST: _flow_lost,
    DropReason.UNREACHABLE: lambda world: world.command(
        KEY, send_request=outgoing(KEY, method="ACK", target={"uri": "tel:+49"})
    ),
    DropReason.UNANSWERED: _open,
    DropReason.UNACKNOWLEDGED: _busy,
    DropReason.UNSENDABLE: lambda world: world.place(KEY, call_id="a\r\nb"),
    DropReason.PROXY_RESPONSE_LATE: _late_at_the_proxy,
}
"""For some of them time has to pass as well."""


def test_every_reason_has_its_way() -> None:
    assert list(WAYS) == list(DropReason)


@pytest.mark.parametrize("reason", DropReason, ids=lambda reason: reason.name.lower())
def test_discard_is_counted(reason: DropReason) -> None:
    world = World(UDP, TCP, max_flows=1, helper_proxy=HelperProxyConfig(uri="sip:192.0.2.50"))
    WAYS[reason](world)
    world.pass_time(700)
    assert reason in world.drops()


def test_counters_have_closed_label_sets() -> None:
    counters = Counters()
    assert set(counters.requests) == METHODS | {"OTHER"}
    world = World()
    world.receive(request("FROBNICATE"))
    assert world.core.counters.requests["OTHER"] == 1
