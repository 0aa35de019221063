"""The wire: what it delivers, when, and that its faults are by the seed and on the record."""

import random

from sipcore.testing import Address, Clock, Fate, Faults, Wire

HERE: Address = ("here", 1)
THERE: Address = ("there", 2)


class Listener:
    """Keeps what arrives, and when."""

    def __init__(self, clock: Clock, wire: Wire, address: Address) -> None:
        self.clock = clock
        self.got: list[tuple[float, bytes, Address]] = []
        self.send = wire.attach(address, self.receive)

    def receive(self, data: bytes, source: Address) -> None:
        self.got.append((self.clock.time(), data, source))


def pair(faults: Faults, seed: int = 1) -> tuple[Clock, Wire, Listener, Listener]:
    clock = Clock()
    wire = Wire(clock, random.Random(seed).random, faults)
    return clock, wire, Listener(clock, wire, HERE), Listener(clock, wire, THERE)


def numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def test_a_perfect_wire_delivers_all_in_order_after_the_delay() -> None:
    clock, wire, here, there = pair(Faults(delay=0.02))
    for data in numbered(20):
        here.send(data, THERE)
    clock.run_until_idle()
    assert there.got == [(0.02, data, HERE) for data in numbered(20)]
    assert wire.count(Fate.DELIVERED) == 20


def test_losses_are_by_chance_and_on_the_record() -> None:
    clock, wire, here, there = pair(Faults(loss=0.3))
    for data in numbered(200):
        here.send(data, THERE)
    clock.run_until_idle()
    lost = [passage.data for passage in wire.log if passage.fate is Fate.LOST]
    arrived = [data for _, data, _ in there.got]
    assert 30 <= len(lost) <= 90
    assert sorted(lost + arrived) == sorted(numbered(200))


def test_duplicates_arrive_twice() -> None:
    clock, _, here, there = pair(Faults(duplication=1.0))
    here.send(b"a", THERE)
    clock.run_until_idle()
    assert [data for _, data, _ in there.got] == [b"a", b"a"]


def test_what_is_held_back_is_overtaken() -> None:
    clock, _, here, there = pair(Faults(reordering=0.3, hold=1.0))
    for data in numbered(50):
        here.send(data, THERE)
    clock.run_until_idle()
    arrived = [data for _, data, _ in there.got]
    assert arrived != numbered(50)
    assert sorted(arrived) == sorted(numbered(50))
    assert there.got[-1][0] <= 1.005


def test_the_same_seed_makes_the_same_run() -> None:
    logs = []
    for _ in range(2):
        clock, wire, here, _ = pair(Faults(loss=0.2, duplication=0.2, reordering=0.2), seed=7)
        for data in numbered(50):
            here.send(data, THERE)
        clock.run_until_idle()
        logs.append(wire.log)
    assert logs[0] == logs[1]


def test_a_chosen_datagram_can_be_cut() -> None:
    clock, wire, here, there = pair(Faults())
    wire.cut = lambda data, source, destination: (data, source, destination) == (b"b", HERE, THERE)
    for data in (b"a", b"b", b"c"):
        here.send(data, THERE)
    clock.run_until_idle()
    assert [data for _, data, _ in there.got] == [b"a", b"c"]
    assert wire.count(Fate.CUT) == 1


def test_nobody_hears_what_is_sent_to_nobody() -> None:
    clock, wire, here, there = pair(Faults())
    here.send(b"a", ("nowhere", 3))
    here.send(b"b", THERE)
    wire.detach(THERE)
    clock.run_until_idle()
    assert there.got == []
    assert wire.count(Fate.UNREACHABLE) == 2
