"""Whatever peers and call-control say, in whatever order: the edge never breaks, and forgets all in time."""

import math
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from b2bua.edge.v1 import edge_pb2
from sip_edge.domain import HelperProxyConfig
from sipcore.message import Request, Response
from sipcore.parser import parse_datagram
from sipcore.testing.builders import ack_to, cancel_of, invite, request, response_to
from support.edge_world import CALLEE, CALLER, IDENTITY, World, call_key, endpoint, outgoing

KEY = IDENTITY.call_key("call-1@192.0.2.1", "alice-1", 1, "192.0.2.1:5060", "z9hG4bK-1")
TAG = IDENTITY.tag(KEY, 0)
REFERENCE = "z9hG4bK-1 192.0.2.1:5060 INVITE"
BRANCHES = tuple(IDENTITY.branch(KEY, 1, 1, retry) for retry in range(3))
STATUSES = st.sampled_from([100, 180, 200, 302, 486, 487, 503])

_, _asked = World().place(KEY)
assert _asked is not None
INVITE_OUT: Request = _asked
ORIGIN = World().open_call().request.origin
NAMED = {"uri": "sip:bob@example.com"}
TARGETS = [endpoint("192.0.2.2"), endpoint("192.0.2.3", transport="tcp"), endpoint("2001:db8::1")]

Step = Callable[[World], object]


def _respond(status: int, origin: bool, rseq: int = 0) -> Step:
    answer = edge_pb2.Respond(
        transaction=REFERENCE,
        status=status,
        to_tag=TAG,
        contact=True,
        origin=ORIGIN if origin else None,
        rseq=rseq,
    )
    return lambda world: world.command(KEY, respond=answer)


def _receive_response(status: int, branch: str, method: str) -> Step:
    via = f"SIP/2.0/UDP 198.51.100.1;rport;branch={branch}"
    data = response_to(INVITE_OUT, status, to_tag="bob-1", via=via).replace(
        b"1 INVITE", f"1 {method}".encode()
    )
    return lambda world: world.receive(data, CALLEE)


def _place(method: str, number: int, named: bool, size: int) -> Step:
    asked = outgoing(
        KEY,
        method=method,
        target=NAMED if named else {"uri": "sip:192.0.2.2"},
        body={"data": b"x" * size, "content_type": "application/sdp"},
        to_tag="bob-1" if method == "ACK" else "",
        invite_branch=BRANCHES[0] if method == "ACK" else "",
    )
    return lambda world: world.command(KEY, number, send_request=asked)


def _register(number: int, branches: str = "") -> Step:
    headers = [("Via", f"SIP/2.0/UDP 198.51.100.1;branch={branches}")] if branches else []
    data = request("REGISTER", branch=f"z9hG4bK-r{number}", cseq=number, headers=headers)
    return lambda world: world.receive(data)


def _registrar_answers(status: int) -> Step:
    """Whatever was forwarded so far is answered, old tries included."""

    def step(world: World) -> None:
        for packet in world.outlet.packets:
            message = packet.message
            if isinstance(message, Request) and message.method == "REGISTER":
                world.receive(response_to(message, status), CALLEE)

    return step


def _resolve(count: int) -> Step:
    def step(world: World) -> None:
        for token, _ in world.outlet.queries:
            world.core.resolved(token, TARGETS[:count], world.now)
        world.outlet.queries.clear()

    return step


def _break_connections(world: World) -> None:
    for flow, _, _ in world.outlet.connects:
        world.core.flow_closed(flow, world.now)
    world.outlet.connects.clear()


def _in_dialog(method: str, cseq: int) -> Step:
    data = request(
        method,
        to_tag=TAG,
        cseq=cseq,
        branch=f"z9hG4bK-{method}-{cseq}",
        contact="sip:a@192.0.2.1",
        headers=[("RAck", f"{cseq} 1 INVITE")] if method == "PRACK" else (),
    )
    return lambda world: world.receive(data)


BUSY = response_to(invite(), 486, to_tag=TAG)
_refusal = parse_datagram(BUSY)
assert isinstance(_refusal, Response)
REFUSAL: Response = _refusal
METHODS = st.sampled_from(["INVITE", "BYE", "ACK", "CANCEL", "INFO", "PRACK"])


def _pass_time(seconds: float) -> Step:
    return lambda world: world.pass_time(seconds)


def _cancel(branch: str) -> Step:
    return lambda world: world.command(KEY, cancel={"branch": branch})


def _stop(**which: str) -> Step:
    return lambda world: world.command(KEY, stop=which)


RECEIVE_CANCEL = st.just(lambda world: world.receive(cancel_of(invite())))
RECEIVE_ACK = st.just(lambda world: world.receive(ack_to(invite(), REFUSAL)))
BREAK = st.just(_break_connections)
HOP_LOST = st.just(lambda world: world.core.transport_failed(CALLEE, world.now))
RESPONSES = st.builds(_receive_response, STATUSES, st.sampled_from(BRANCHES), METHODS)
ANSWERS = STATUSES.filter(lambda status: status != 100)
SHORT = st.builds(_pass_time, st.sampled_from([0.5, 1.5]))

STEPS = st.one_of(
    st.just(lambda world: world.receive(invite())),
    RECEIVE_CANCEL,
    RECEIVE_ACK,
    BREAK,
    HOP_LOST,
    RESPONSES,
    st.builds(_in_dialog, METHODS, st.integers(1, 3)),
    st.builds(_respond, ANSWERS, st.booleans(), st.integers(0, 2)),
    st.builds(_place, METHODS, st.integers(1, 3), st.booleans(), st.sampled_from([0, 1400])),
    st.builds(_resolve, st.integers(0, 3)),
    st.builds(_cancel, st.sampled_from(BRANCHES)),
    st.builds(_stop, branch=st.sampled_from(BRANCHES)),
    st.builds(_stop, transaction=st.just(REFERENCE)),
    st.builds(_register, st.integers(1, 3)),
    st.just(_register(4, IDENTITY.proxy_branch("looped"))),
    st.builds(_registrar_answers, STATUSES),
    st.builds(_pass_time, st.sampled_from([0.5, 4.0, 10.0, 33.0])),
)
"""All that can happen, sensible or not."""

CALLER_STEPS = st.one_of(
    RECEIVE_CANCEL,
    RECEIVE_ACK,
    SHORT,
    st.builds(_respond, ANSWERS, st.just(False), st.integers(0, 2)),
    st.builds(_in_dialog, st.just("PRACK"), st.integers(1, 3)),
    RESPONSES,
)
"""What can happen to one INVITE of the caller while its transaction lives."""

CALLEE_STEPS = st.one_of(HOP_LOST, SHORT, RESPONSES, st.builds(_cancel, st.sampled_from(BRANCHES)))
"""What can happen to one INVITE of ours while its transaction lives."""


PROXIES = st.sampled_from([None, "sip:192.0.2.2", "sip:registrar.example", "sip:192.0.2.2;transport=tcp"])


@given(st.lists(STEPS, max_size=25), PROXIES)
def test_everything_is_forgotten_in_time(steps: list[Step], proxy: str | None) -> None:
    world = World(helper_proxy=HelperProxyConfig(uri=proxy) if proxy else None)
    for step in steps:
        step(world)
    _resolve(0)(world)
    world.pass_time(1000)
    assert world.core.open_transactions == 0
    assert world.core.idle
    assert world.core.next_deadline() == math.inf


PROXY_STEPS = st.one_of(
    st.builds(_register, st.integers(1, 2)),
    st.builds(_registrar_answers, STATUSES),
    st.builds(_resolve, st.integers(0, 3)),
    BREAK,
    HOP_LOST,
    SHORT,
)
"""What can happen to requests that are passed on, while their transactions live."""


@given(st.lists(PROXY_STEPS, max_size=20), PROXIES.filter(bool))
def test_what_is_passed_on_gets_one_final_answer(steps: list[Step], proxy: str) -> None:
    world = World(helper_proxy=HelperProxyConfig(uri=proxy))
    for step in (_register(1), *steps):
        step(world)
    _resolve(0)(world)
    world.pass_time(300)
    finals: dict[str, set[bytes]] = {}
    for packet in world.packets():
        message = packet.message
        if isinstance(message, Response) and message.status >= 200:
            finals.setdefault(message.via.branch, set()).add(packet.data)
    assert finals
    assert all(len(answers) == 1 for answers in finals.values())


@given(st.lists(CALLER_STEPS, max_size=20))
def test_an_invite_gets_one_final_answer(steps: list[Step]) -> None:
    world = World()
    world.open_call()
    for step in steps:
        step(world)
    messages = [packet.message for packet in world.packets()]
    finals = {
        message.status
        for message in messages
        if isinstance(message, Response) and message.status >= 200 and str(message.cseq) == "1 INVITE"
    }
    assert len(finals) <= 1


@given(st.lists(CALLEE_STEPS, max_size=20))
def test_an_invite_of_ours_has_one_outcome_besides_2xx(steps: list[Step]) -> None:
    world = World()
    world.place(KEY)
    for step in steps:
        step(world)
    world.pass_time(400)
    finals = [
        event.response.status
        for event in world.events()
        if event.WhichOneof("kind") == "response"
        and not event.response.stray
        and event.response.status >= 200
        and event.response.method == "INVITE"
    ]
    assert len([status for status in finals if status >= 300]) <= 1
    assert finals


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_taken(data: bytes, glued: bool) -> None:
    world = World()
    world.receive(data, CALLER)
    flow = world.core.flow_opened("tcp", CALLER, world.now)
    assert flow is not None
    world.core.receive_stream(flow, invite() + data if glued else data, world.now)
    world.pass_time(1000)
    assert world.core.open_transactions == 0


@given(st.integers(0, 700), st.binary(min_size=1, max_size=4))
def test_any_damage_to_a_message_is_taken(at: int, damage: bytes) -> None:
    for data, source in ((invite(), CALLER), (BUSY, CALLEE)):
        world = World()
        world.place(call_key())
        at %= len(data)
        world.receive(data[:at] + damage + data[at + len(damage) :], source)
