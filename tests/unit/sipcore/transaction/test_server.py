"""Server transactions against RFC 3261 17.2, 13.3.1.4 and RFC 6026 7.1, with literal times."""

import math

import pytest

from sipcore.timers import Timers
from sipcore.transaction import Action, ServerState, ServerTransaction

SEND, PASS_ACK, MISSING = Action.SEND_RESPONSE, Action.PASS_ACK, Action.ACK_MISSING
TIMEOUT, FAILED, END = Action.TIMEOUT, Action.TRANSPORT_FAILED, Action.TERMINATE
CAPPED = (0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)


def server(method: str = "INVITE", *, reliable: bool = False, **timers: float) -> ServerTransaction:
    return ServerTransaction(method, reliable, Timers(**timers))


def run(transaction: ServerTransaction) -> list[tuple[float, tuple[Action, ...]]]:
    """Fires every timer until none is left."""
    fired = []
    while transaction.deadline != math.inf:
        now = transaction.deadline
        fired.append((now, transaction.on_timer(now)))
    return fired


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
def test_repetitions_get_the_last_provisional_response(method: str) -> None:
    transaction = server(method)
    assert transaction.on_request(0.0) == ()
    assert transaction.on_send(100, 0.1) == (SEND,)
    assert transaction.on_request(0.5) == (SEND,)
    assert transaction.on_send(180, 1.0) == (SEND,)
    assert transaction.on_request(1.5) == (SEND,)
    assert transaction.deadline == math.inf


@pytest.mark.parametrize("reliable", [False, True])
def test_2xx_is_repeated_on_every_transport_until_64_t1(reliable: bool) -> None:
    transaction = server(reliable=reliable)
    assert transaction.on_send(200, 0.0) == (SEND,)
    assert run(transaction) == [*((t, (SEND,)) for t in CAPPED), (32.0, (MISSING, END))]


def test_ack_stops_the_2xx_while_repeated_invites_are_absorbed() -> None:
    transaction = server()
    transaction.on_send(200, 0.0)
    assert transaction.on_request(0.2) == ()
    assert transaction.on_ack(0.6) == (PASS_ACK,)
    assert transaction.on_ack(0.7) == ()
    assert transaction.on_request(0.8) == ()
    assert transaction.on_send(200, 0.9) == ()
    assert transaction.on_transport_error(0.9) == ()
    assert transaction.state is ServerState.ACKNOWLEDGED
    assert run(transaction) == [(32.0, (END,))]


def test_a_second_final_response_is_discarded() -> None:
    accepted, refused = server(), server()
    accepted.on_send(200, 0.0)
    refused.on_send(487, 0.0)
    for transaction in (accepted, refused):
        for status in (180, 200, 486):
            assert transaction.on_send(status, 0.1) == ()


def test_transport_error_does_not_decide_about_a_2xx() -> None:
    transaction = server()
    transaction.on_send(200, 0.0)
    assert transaction.on_transport_error(0.0) == ()
    assert run(transaction)[-1] == (32.0, (MISSING, END))


def test_failure_is_repeated_at_most_every_t2_until_timer_h() -> None:
    transaction = server()
    assert transaction.on_send(486, 0.0) == (SEND,)
    assert run(transaction) == [*((t, (SEND,)) for t in CAPPED), (32.0, (MISSING, END))]


def test_failure_is_not_repeated_on_reliable_transports() -> None:
    transaction = server(reliable=True)
    transaction.on_send(486, 0.0)
    assert run(transaction) == [(32.0, (MISSING, END))]


def test_ack_for_a_failure_is_absorbed_and_confirms() -> None:
    transaction = server()
    transaction.on_send(486, 0.0)
    assert transaction.on_request(0.2) == (SEND,)
    assert transaction.on_ack(0.4) == ()
    assert transaction.state is ServerState.CONFIRMED
    assert transaction.on_ack(0.5) == ()
    assert transaction.on_request(0.6) == ()
    assert transaction.on_transport_error(0.6) == ()
    assert run(transaction) == [(5.4, (END,))]


def test_ack_for_a_failure_ends_at_once_on_reliable_transports() -> None:
    transaction = server(reliable=True)
    transaction.on_send(486, 0.0)
    assert transaction.on_ack(0.4) == (END,)
    assert transaction.terminated


def test_ack_before_a_final_response_is_ignored() -> None:
    transaction = server()
    assert transaction.on_ack(0.0) == ()
    transaction.on_send(180, 0.1)
    assert transaction.on_ack(0.2) == ()
    assert transaction.state is ServerState.PROCEEDING


@pytest.mark.parametrize("status", [200, 481])
def test_non_invite_repeats_its_final_response_on_demand(status: int) -> None:
    transaction = server("BYE")
    assert transaction.on_send(status, 0.0) == (SEND,)
    assert transaction.on_request(0.5) == (SEND,)
    assert transaction.on_send(500, 0.6) == ()
    assert transaction.on_ack(0.6) == ()
    assert run(transaction) == [(32.0, (END,))]
    assert transaction.on_request(33.0) == ()


def test_non_invite_ends_at_once_on_reliable_transports() -> None:
    transaction = server("BYE", reliable=True)
    assert transaction.on_send(200, 0.0) == (SEND, END)


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
@pytest.mark.parametrize("status", [0, 180, 486])
def test_transport_error_is_told_and_ends(method: str, status: int) -> None:
    transaction = server(method)
    if status:
        transaction.on_send(status, 0.0)
    assert transaction.on_transport_error(0.1) == (FAILED, END)
    assert transaction.deadline == math.inf


@pytest.mark.parametrize("ringing", [False, True])
def test_an_invite_whose_user_is_silent_can_still_be_answered(ringing: bool) -> None:
    transaction = ServerTransaction("INVITE", False, give_up=10.0)
    if ringing:
        transaction.on_send(180, 1.0)
    assert run(transaction) == [(10.0, (TIMEOUT,))]
    assert transaction.on_send(487, 10.0) == (SEND,)


@pytest.mark.parametrize("ringing", [False, True])
def test_another_request_whose_user_is_silent_is_forgotten(ringing: bool) -> None:
    transaction = ServerTransaction("INFO", False, give_up=10.0)
    if ringing:
        transaction.on_send(100, 1.0)
    assert run(transaction) == [(10.0, (TIMEOUT, END))]


def test_a_final_response_replaces_the_time_to_give_up() -> None:
    transaction = ServerTransaction("INVITE", True, give_up=10.0)
    transaction.on_send(486, 9.0)
    assert run(transaction) == [(41.0, (MISSING, END))]


def test_the_accepted_state_is_a_setting() -> None:
    transaction = server(accepted=3.0)
    transaction.on_send(200, 0.0)
    assert run(transaction)[-1] == (3.0, (MISSING, END))
