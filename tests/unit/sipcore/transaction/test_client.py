"""Client transactions against RFC 3261 17.1 and RFC 6026 7.2, with literal times."""

import math

import pytest

from sipcore.errors import LocalProtocolError
from sipcore.timers import Timers
from sipcore.transaction import Action, ClientState, ClientTransaction

SEND, PASS, ACK = Action.SEND_REQUEST, Action.PASS_RESPONSE, Action.SEND_ACK
TIMEOUT, FAILED, END = Action.TIMEOUT, Action.TRANSPORT_FAILED, Action.TERMINATE


def client(method: str = "INVITE", *, reliable: bool = False, **timers: float) -> ClientTransaction:
    transaction = ClientTransaction(
        branch="z9hG4bK1", method=method, reliable=reliable, timers=Timers(**timers)
    )
    assert transaction.start(0.0) == (SEND,)
    return transaction


def run(transaction: ClientTransaction, until: float = math.inf) -> list[tuple[float, tuple[Action, ...]]]:
    """Fires every timer up to and including `until`."""
    fired = []
    while transaction.deadline <= until and transaction.deadline != math.inf:
        now = transaction.deadline
        fired.append((now, transaction.on_timer(now)))
    return fired


def test_invite_is_repeated_without_a_cap_and_ends_at_64_t1() -> None:
    fired = run(client())
    assert fired == [*((t, (SEND,)) for t in (0.5, 1.5, 3.5, 7.5, 15.5, 31.5)), (32.0, (TIMEOUT, END))]


def test_non_invite_is_repeated_at_most_every_t2() -> None:
    fired = run(client("BYE"))
    times = (0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)
    assert fired == [*((t, (SEND,)) for t in times), (32.0, (TIMEOUT, END))]


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
def test_nothing_is_repeated_on_a_reliable_transport(method: str) -> None:
    assert run(client(method, reliable=True)) == [(32.0, (TIMEOUT, END))]


def test_timers_b_and_f_are_settings() -> None:
    assert run(client(b=3.0))[-1] == (3.0, (TIMEOUT, END))
    assert run(client("BYE", f=5.0))[-1] == (5.0, (TIMEOUT, END))


def test_a_wake_up_too_early_does_nothing() -> None:
    transaction = client()
    assert transaction.on_timer(0.49) == ()
    assert transaction.deadline == 0.5


def test_a_late_wake_up_repeats_once() -> None:
    transaction = client()
    assert transaction.on_timer(3.0) == (SEND,)
    assert transaction.deadline == 4.0


def test_the_end_of_a_wait_goes_before_a_repetition() -> None:
    assert client().on_timer(40.0) == (TIMEOUT, END)


def test_provisional_response_stops_repetition_and_starts_the_expiry() -> None:
    transaction = client()
    assert transaction.on_response(100, 0.2) == (PASS,)
    assert transaction.deadline == 300.2
    assert transaction.on_response(183, 60.0) == (PASS,)
    assert transaction.deadline == 360.0


def test_expiry_tells_the_user_once_and_still_acknowledges() -> None:
    transaction = client(invite_expiry=10.0)
    transaction.on_response(180, 1.0)
    assert run(transaction, 11.0) == [(11.0, (TIMEOUT,))]
    assert transaction.state is ClientState.EXPIRED
    assert transaction.on_response(183, 12.0) == ()
    assert transaction.expect_end(12.0) == ()
    assert transaction.on_response(487, 12.1) == (ACK,)
    assert run(transaction) == [(44.1, (END,))]


def test_a_2xx_after_expiry_is_passed_so_that_the_user_can_end_it() -> None:
    transaction = client(invite_expiry=10.0)
    transaction.on_response(180, 1.0)
    transaction.on_timer(11.0)
    assert transaction.on_response(200, 12.0) == (PASS,)
    assert transaction.state is ClientState.ACCEPTED


def test_expiry_without_any_answer_to_the_cancel_ends_silently() -> None:
    transaction = client(invite_expiry=10.0)
    transaction.on_response(180, 1.0)
    assert run(transaction) == [(11.0, (TIMEOUT,)), (43.0, (END,))]


def test_one_transaction_can_have_an_expiry_of_its_own() -> None:
    transaction = ClientTransaction(branch="b", method="INVITE", reliable=False, expiry=7.0)
    transaction.start(0.0)
    assert transaction.deadline == 0.5
    transaction.on_response(180, 1.0)
    assert transaction.deadline == 8.0


def test_every_2xx_is_passed_for_64_t1() -> None:
    transaction = client()
    transaction.on_response(180, 1.0)
    assert transaction.on_response(200, 2.0) == (PASS,)
    assert transaction.on_response(200, 2.5) == (PASS,)
    assert transaction.on_response(200, 33.9) == (PASS,)
    assert transaction.on_response(180, 33.9) == ()
    assert transaction.on_response(486, 33.9) == ()
    assert transaction.on_transport_error(33.9) == ()
    assert run(transaction) == [(34.0, (END,))]
    assert transaction.on_response(200, 34.5) == ()


def test_accepted_lasts_as_long_on_reliable_transports() -> None:
    transaction = client(reliable=True)
    transaction.on_response(200, 1.0)
    assert run(transaction) == [(33.0, (END,))]


def test_failure_is_passed_once_and_acknowledged_each_time() -> None:
    transaction = client()
    assert transaction.on_response(486, 1.0) == (ACK, PASS)
    assert transaction.on_response(486, 1.5) == (ACK,)
    assert transaction.on_response(180, 1.5) == ()
    assert run(transaction) == [(33.0, (END,))]
    assert transaction.terminated


def test_failure_ends_at_once_on_reliable_transports() -> None:
    transaction = client(reliable=True)
    assert transaction.on_response(486, 1.0) == (ACK, PASS, END)
    assert transaction.deadline == math.inf


def test_a_2xx_of_another_fork_is_passed_after_a_failure() -> None:
    transaction = client()
    transaction.on_response(486, 1.0)
    assert transaction.on_response(200, 1.2) == (PASS,)
    assert transaction.deadline == 33.2


def test_cancel_bounds_the_wait_and_later_provisionals_do_not_extend_it() -> None:
    transaction = client()
    transaction.on_response(180, 1.0)
    assert transaction.expect_end(5.0) == ()
    assert transaction.on_response(183, 20.0) == (PASS,)
    assert transaction.expect_end(21.0) == ()
    assert run(transaction) == [(37.0, (TIMEOUT, END))]


@pytest.mark.parametrize(("status", "actions"), [(487, (ACK, PASS)), (200, (PASS,))])
def test_cancelled_invite_takes_any_final_response(status: int, actions: tuple[Action, ...]) -> None:
    transaction = client()
    transaction.on_response(180, 1.0)
    transaction.expect_end(1.0)
    assert transaction.on_response(status, 1.1) == actions


def test_no_cancel_before_a_provisional_response() -> None:
    transaction = client()
    with pytest.raises(LocalProtocolError, match="EXPECT_END cannot happen in state CALLING"):
        transaction.expect_end(0.1)
    assert transaction.state is ClientState.CALLING
    assert transaction.deadline == 0.5


def test_only_an_invite_can_be_cancelled() -> None:
    transaction = client("BYE")
    transaction.on_response(100, 0.1)
    with pytest.raises(LocalProtocolError):
        transaction.expect_end(0.2)


def test_a_transaction_starts_once() -> None:
    with pytest.raises(LocalProtocolError):
        client().start(0.1)


def test_non_invite_in_proceeding_is_repeated_every_t2() -> None:
    transaction = client("INFO")
    assert transaction.on_response(100, 0.1) == (PASS,)
    assert [time for time, _ in run(transaction, 20.0)] == [0.5, 4.5, 8.5, 12.5, 16.5]
    assert run(transaction)[-1] == (32.0, (TIMEOUT, END))


@pytest.mark.parametrize("status", [200, 481])
def test_non_invite_final_is_passed_once_and_absorbed_for_t4(status: int) -> None:
    transaction = client("BYE")
    assert transaction.on_response(status, 1.0) == (PASS,)
    assert transaction.on_response(status, 1.5) == ()
    assert transaction.on_response(100, 1.5) == ()
    assert transaction.on_transport_error(1.5) == ()
    assert run(transaction) == [(6.0, (END,))]


def test_non_invite_final_ends_at_once_on_reliable_transports() -> None:
    assert client("BYE", reliable=True).on_response(200, 1.0) == (PASS, END)


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
@pytest.mark.parametrize("ringing", [False, True])
def test_transport_error_before_the_final_response(method: str, ringing: bool) -> None:
    transaction = client(method)
    if ringing:
        transaction.on_response(180, 0.1)
    assert transaction.on_transport_error(0.2) == (FAILED, END)
    assert transaction.deadline == math.inf
    assert transaction.on_transport_error(0.3) == ()


def test_transport_error_under_the_ack_is_not_a_second_outcome() -> None:
    transaction = client()
    transaction.on_response(486, 1.0)
    assert transaction.on_transport_error(1.0) == (END,)


def test_transport_error_after_a_cancel() -> None:
    transaction = client()
    transaction.on_response(180, 1.0)
    transaction.expect_end(1.0)
    assert transaction.on_transport_error(1.1) == (FAILED, END)


def test_transport_error_after_the_expiry_is_not_a_second_outcome() -> None:
    transaction = client(invite_expiry=1.0)
    transaction.on_response(180, 0.0)
    transaction.on_timer(1.0)
    assert transaction.on_transport_error(1.1) == (END,)
