"""The clock follows the server and never runs backwards."""

from hypothesis import given
from hypothesis import strategies as st

from call_control.adapters.store_clock import StoreClock


class Monotonic:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


class World:
    """Our clock, and a server whose clock is `ahead` seconds ahead of it."""

    def __init__(self, ahead: float) -> None:
        self.monotonic = Monotonic()
        self.clock = StoreClock(self.monotonic)
        self.ahead = ahead

    def reply(self, there: float, back: float) -> None:
        """A request that takes `there` seconds to the server and `back` seconds from it."""
        sent = self.monotonic.time
        self.monotonic.time += there + back
        server = sent + there + self.ahead
        self.clock.observe(sent, self.monotonic.time, int(server * 1e6))

    def error(self) -> float:
        """Seconds by which the clock is ahead of the server."""
        return self.clock.now() / 1000 - (self.monotonic.time + self.ahead)


def test_the_first_reply_sets_it() -> None:
    world = World(ahead=-500.0)
    world.clock.now()
    world.reply(0.001, 0.001)
    assert abs(world.error()) <= 0.002


def test_a_slow_reply_does_not_spoil_what_fast_ones_taught() -> None:
    world = World(ahead=5e8)
    for _ in range(3):
        world.reply(0.0005, 0.0005)
    for _ in range(20):
        world.reply(0.0, 0.9)
        world.reply(0.9, 0.0)
    assert abs(world.error()) <= 0.002


def test_a_server_that_jumps_forward_is_followed_at_once() -> None:
    world = World(ahead=100.0)
    world.reply(0.001, 0.001)
    world.ahead += 30
    world.reply(0.001, 0.001)
    assert abs(world.error()) <= 0.003


def test_a_server_that_jumps_back_is_approached_at_half_speed() -> None:
    world = World(ahead=100.0)
    world.reply(0.001, 0.001)
    world.ahead -= 10
    started = world.clock.now()
    for _ in range(10):
        before = world.clock.now()
        world.monotonic.time += 0.998
        world.reply(0.001, 0.001)
        assert 450 <= world.clock.now() - before <= 550
    assert world.clock.now() - started >= 4500
    for _ in range(20):
        world.monotonic.time += 0.998
        world.reply(0.001, 0.001)
    assert abs(world.error()) <= 0.003


steps = st.tuples(st.floats(0, 2), st.floats(0, 2), st.floats(-5, 5), st.floats(0, 3))


@given(st.floats(-1e6, 1e9), st.lists(steps, max_size=30))
def test_it_never_runs_backwards(ahead: float, replies: list[tuple[float, float, float, float]]) -> None:
    world = World(ahead=ahead + 1e7)
    world.reply(0.001, 0.001)
    last = world.clock.now()
    for there, back, jump, pause in replies:
        world.ahead += jump
        world.reply(there, back)
        assert (now := world.clock.now()) >= last
        world.monotonic.time += pause
        assert (last := world.clock.now()) >= now
