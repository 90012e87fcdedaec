"""The mailbox: lanes, bound, and the one decision between enqueue and close."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import MailboxFull
from relay_actors.runtime import mailbox as mailbox_module
from relay_actors.runtime.mailbox import SHORT, STOP, Envelope, Mailbox, Overflow
from relay_actors.runtime.reasons import NORMAL
from relay_actors.runtime.signals import Stop
from tests.runtime.worlds import DEADLINE_S, collected_after


def no_wait(_is_done: Callable[[], bool], _block: Callable[[float | None], bool], _timeout_s: float | None) -> bool:
    raise AssertionError("nobody should wait here")


def on_threads(is_done: Callable[[], bool], block: Callable[[float | None], bool], timeout_s: float | None) -> bool:
    return block(timeout_s) or is_done()


def messages(mailbox: Mailbox) -> list[object]:
    taken = []
    while (envelope := mailbox.take_user()) is not None:
        taken.append(envelope.message)
    return taken


def full(overflow: Overflow, block_s: float = 0.01) -> Mailbox:
    mailbox = Mailbox(2, overflow, block_s)
    for message in "ab":
        assert mailbox.put_user(Envelope(message), no_wait) == (True, None)
    return mailbox


def test_each_lane_keeps_its_order():
    """M1, as far as the mailbox is concerned."""
    mailbox = Mailbox()
    signals = [Stop(NORMAL), Stop(NORMAL)]
    for number in range(3):
        mailbox.put_user(Envelope(number), no_wait)
        mailbox.put_control(Envelope(-number))
    for signal in signals:
        mailbox.put_system(signal)

    assert mailbox.lengths() == (2, 3, 3)
    assert [mailbox.take_system(), mailbox.take_system(), mailbox.take_system()] == [*signals, None]
    control = [mailbox.take_control() for _ in range(4)]
    assert [envelope and envelope.message for envelope in control] == [0, -1, -2, None]
    assert messages(mailbox) == [0, 1, 2]
    assert mailbox.empty()


def test_a_full_mailbox_refuses_the_message():
    """M4, fail: the sender is told, and what waits is unharmed."""
    mailbox = full("fail")

    with pytest.raises(MailboxFull, match="2 messages wait"):
        mailbox.put_user(Envelope("c"), no_wait)

    assert messages(mailbox) == ["a", "b"]


def test_a_full_mailbox_drops_the_new_message():
    """M4, drop_new."""
    mailbox = full("drop_new")
    new = Envelope("c")

    assert mailbox.put_user(new, no_wait) == (True, new)
    assert messages(mailbox) == ["a", "b"]


def test_a_full_mailbox_drops_the_oldest_message():
    """M4, drop_old."""
    mailbox = full("drop_old")

    taken, dropped = mailbox.put_user(Envelope("c"), no_wait)

    assert taken
    assert dropped is not None
    assert dropped.message == "a"
    assert messages(mailbox) == ["b", "c"]


def test_a_stop_is_taken_beyond_the_bound_and_never_dropped():
    """M4: a full mailbox must not be able to keep an actor alive."""
    for overflow in ("fail", "drop_new", "drop_old", "block"):
        mailbox = full(overflow)
        assert mailbox.put_user(Envelope(STOP), no_wait) == (True, None)
        assert mailbox.lengths() == (0, 0, 3)

    only_stops = Mailbox(1, "drop_old")
    only_stops.put_user(Envelope(STOP), no_wait)
    late = Envelope("late")
    assert only_stops.put_user(late, no_wait) == (True, late)
    assert messages(only_stops) == [STOP]


def test_the_other_lanes_have_no_bound():
    """M4: the system lane is exempt; and what timers and flows send must arrive too."""
    mailbox = full("fail")

    assert mailbox.put_control(Envelope("tick"))
    assert mailbox.put_system(Stop(NORMAL))


def test_a_sender_that_blocks_gets_in_when_there_is_room():
    """M4, block(t): and the messages stay within the bound."""
    mailbox = full("block", 12 * DEADLINE_S)
    outcome: list[Any] = []
    sender = threading.Thread(target=lambda: outcome.append(mailbox.put_user(Envelope("c"), on_threads)))
    sender.start()

    assert mailbox.take_user() is not None
    sender.join(DEADLINE_S)

    assert outcome == [(True, None)]
    assert messages(mailbox) == ["b", "c"]


def test_a_sender_that_has_blocked_too_long_is_refused():
    """M4, block(t): a receiver that does not come back does not take its senders with it."""
    mailbox = full("block", 0.001)

    with pytest.raises(MailboxFull):
        mailbox.put_user(Envelope("c"), on_threads)

    assert messages(mailbox) == ["a", "b"]


def test_a_sender_that_blocks_is_told_when_the_mailbox_closes():
    """M5: it was not taken, so it will not be handled, and nobody waits for room that will never come."""
    mailbox = full("block", 12 * DEADLINE_S)
    waiting = threading.Event()
    outcome: list[Any] = []

    def wait_until(is_done: Callable[[], bool], block: Callable[[float | None], bool], time_s: float | None) -> bool:
        waiting.set()
        return block(time_s) or is_done()

    sender = threading.Thread(target=lambda: outcome.append(mailbox.put_user(Envelope("c"), wait_until)))
    sender.start()
    assert waiting.wait(DEADLINE_S)

    _signals, envelopes = mailbox.close()
    sender.join(DEADLINE_S)

    assert outcome == [(False, None)]
    assert [envelope.message for envelope in envelopes] == ["a", "b"]


def test_a_closed_mailbox_takes_nothing():
    """M5: refused, and not left behind."""
    for mailbox in (Mailbox(), Mailbox(3)):
        mailbox.close()

        assert mailbox.is_closed
        assert mailbox.put_user(Envelope("a"), no_wait) == (False, None)
        assert not mailbox.put_control(Envelope("a"))
        assert not mailbox.put_system(Stop(NORMAL))
        assert mailbox.empty()


def test_closing_returns_what_was_waiting_in_order():
    """M5: drained, for an explicit outcome."""
    mailbox = Mailbox()
    stop = Stop(NORMAL)
    for message in "ab":
        mailbox.put_user(Envelope(message), no_wait)
    mailbox.put_control(Envelope("tick"))
    mailbox.put_system(stop)

    signals, envelopes = mailbox.close()

    assert signals == [stop]
    assert [envelope.message for envelope in envelopes] == ["tick", "a", "b"]
    assert mailbox.empty()


class Meddling(list[Any]):
    """A lane in which somebody else does something at the worst moment."""

    def __init__(self, before: Callable[[], object] = int, after: Callable[[], object] = int) -> None:
        super().__init__()
        self._before = before
        self._after = after

    def append(self, item: Any) -> None:
        self._before()
        super().append(item)
        self._after()


@pytest.mark.parametrize("lane", ["system", "control", "user"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_closing_in_the_middle_of_a_put_is_decided_one_way(lane: str, moment: str):
    """M5: closed before the envelope is in, it is refused; closed after it, the closer has it. Never neither."""
    mailbox = Mailbox()
    closed: list[Any] = []

    def close() -> None:
        signals, envelopes = mailbox.close()
        closed.extend([*signals, *envelopes])

    setattr(mailbox, lane, Meddling(**{moment: close}))
    signal, envelope = Stop(NORMAL), Envelope("a")
    if lane == "system":
        is_taken = mailbox.put_system(signal)
    elif lane == "control":
        is_taken = mailbox.put_control(envelope)
    else:
        is_taken, _dropped = mailbox.put_user(envelope, no_wait)

    assert is_taken is (moment == "after")
    assert closed == ([] if not is_taken else [signal if lane == "system" else envelope])
    assert mailbox.empty()


@pytest.mark.parametrize("capacity", [None, 10_000])
@pytest.mark.parametrize("lane", ["system", "control", "user"])
@pytest.mark.usefixtures("eager_switches")
def test_no_schedule_leaves_an_envelope_in_a_closed_mailbox(lane: str, capacity: int | None):
    """M5: each envelope is refused, drained or taken, and only one of these, whatever the threads do."""
    senders, each = 4, 50

    for _ in range(40):
        mailbox = Mailbox(capacity)
        accounted: Counter[int] = Counter()
        barrier = threading.Barrier(senders + 1)
        refused: list[int] = []

        def send(first: int, mailbox: Mailbox = mailbox, barrier: Any = barrier, refused: list[int] = refused) -> None:
            barrier.wait(DEADLINE_S)
            for number in range(first, first + each):
                if lane == "user":
                    taken, _dropped = mailbox.put_user(Envelope(number), no_wait)
                elif lane == "control":
                    taken = mailbox.put_control(Envelope(number))
                else:
                    taken = mailbox.put_system(Numbered(number))
                if not taken:
                    refused.append(number)

        threads = [threading.Thread(target=send, args=(number * each,)) for number in range(senders)]
        for thread in threads:
            thread.start()
        barrier.wait(DEADLINE_S)
        take = {"user": mailbox.take_user, "control": mailbox.take_control, "system": mailbox.take_system}[lane]
        for _turn in range(20):
            if (item := take()) is not None:
                accounted[number_of(item)] += 1
        signals, envelopes = mailbox.close()
        for item in [*signals, *envelopes]:
            accounted[number_of(item)] += 1
        for thread in threads:
            thread.join(DEADLINE_S)
        accounted.update(refused)

        assert mailbox.empty()
        assert accounted == Counter(range(senders * each))


class Numbered(Stop):
    """A signal that can be told from others."""

    def __init__(self, number: int) -> None:
        super().__init__(NORMAL)
        self.number = number


def number_of(item: Any) -> int:
    number: int = item.number if isinstance(item, Numbered) else item.message
    return number


@given(st.lists(st.sampled_from(["put", "take", "stop"])), st.integers(1, 4), st.sampled_from(["drop_new", "drop_old"]))
def test_the_bound_holds_and_every_message_is_accounted_for(steps: list[str], capacity: int, overflow: Any):
    """M4: for any sequence of steps, what waits is within the bound, stops apart; nothing vanishes."""
    mailbox = Mailbox(capacity, overflow)
    put = taken = dropped = stops = 0
    for step in steps:
        if step == "take":
            taken += mailbox.take_user() is not None
        elif step == "stop":
            stops += 1
            mailbox.put_user(Envelope(STOP), no_wait)
        else:
            put += 1
            is_in, lost = mailbox.put_user(Envelope(put), no_wait)
            assert is_in
            dropped += lost is not None
        waiting = [envelope for envelope in list(mailbox.user) if envelope.message is not STOP]
        assert len(waiting) <= capacity
    assert put + stops == taken + dropped + mailbox.user_length


@pytest.mark.parametrize("overflow", ["fail", "drop_new", "drop_old", "block"])
def test_an_offer_neither_waits_nor_pushes_out(overflow: Overflow):
    """M4: whatever the policy is; of a bounded mailbox and of an unbounded one."""
    bounded, unbounded = Mailbox(1, overflow), Mailbox()
    assert [bounded.offer(Envelope(number)) for number in range(3)] == [True, None, None]
    assert [unbounded.offer(Envelope(number)) for number in range(3)] == [True] * 3
    for mailbox in (bounded, unbounded):
        first = mailbox.take_user()
        assert first is not None
        assert first.message == 0
        mailbox.close()
        assert mailbox.offer(Envelope("late")) is False
        assert mailbox.empty()


@pytest.mark.parametrize("lane", [0, 1])
def test_an_envelope_in_the_middle_can_be_taken_and_a_lane_is_looked_through_once(lane: Any):
    """A14: the others keep their order; what was looked at is not looked at again."""
    mailbox = Mailbox()
    looked: list[Any] = []

    def wanted(envelope: Envelope) -> bool:
        looked.append(envelope.message)
        return envelope.message == "this"

    def put(message: object) -> None:
        if lane:
            mailbox.put_user(Envelope(message), no_wait)
        else:
            mailbox.put_control(Envelope(message))

    assert mailbox.look_for(lane, 0, wanted) == (None, 0)
    for message in (1, "this", 2):
        put(message)
    found, at = mailbox.look_for(lane, 0, wanted)
    assert found is not None
    assert mailbox.withdraw(found)
    assert not mailbox.withdraw(found)
    found, at = mailbox.look_for(lane, at, wanted)
    assert (found, at) == (None, 2)
    newest = mailbox.newest()
    put("this")
    assert mailbox.newest() != newest
    assert mailbox.look_for(lane, at, wanted)[0] is not None
    assert looked == [1, "this", 2, "this"]
    take = mailbox.take_user if lane else mailbox.take_control
    assert [envelope.message for envelope in iter(take, None)] == [1, 2, "this"]


def test_a_lane_that_drops_its_oldest_is_looked_through_every_time():
    """M4: what lies where changes."""
    mailbox = full("drop_old")
    assert mailbox.look_for(1, 2, lambda envelope: envelope.message == "a")[0] is not None


def test_taking_from_the_middle_makes_room():
    """M4: for a sender that waits for it."""
    mailbox = full("block", block_s=DEADLINE_S)
    sender = threading.Thread(target=lambda: mailbox.put_user(Envelope("waited"), on_threads))
    sender.start()
    found, _at = mailbox.look_for(1, 0, lambda _envelope: True)
    assert found is not None
    assert mailbox.withdraw(found)
    sender.join(DEADLINE_S)
    assert not sender.is_alive()


def long_lane(number: int) -> Mailbox:
    """A mailbox in which more wait than a list is good for; some of them have been moved, and others came after."""
    mailbox = Mailbox()
    for message in range(number):
        mailbox.put_user(Envelope(message), no_wait)
    mailbox.settle()
    assert mailbox.older
    for message in range(number, number + 3):
        mailbox.put_user(Envelope(message), no_wait)
    return mailbox


def test_a_long_lane_keeps_its_order_and_its_length():
    """M1: what is moved to where the first is taken quickly is still before what comes after it."""
    number = 3 * SHORT
    mailbox = long_lane(number)
    first = mailbox.oldest()[0]
    assert (first.message, mailbox.user_length, mailbox.lengths()) == (0, number + 3, (0, 0, number + 3))
    assert mailbox.newest()[1].message == number + 2  # type: ignore[union-attr]  # somebody came last
    assert mailbox.has_messages()
    assert not mailbox.empty()

    assert [mailbox.take_user().message for _ in range(number + 3)] == list(range(number + 3))  # type: ignore[union-attr]
    assert mailbox.take_user() is None
    assert (mailbox.older, mailbox.user) == (None, [])


@pytest.mark.parametrize("number", [3 * SHORT, 3000])
def test_closing_a_long_lane_gives_all_of_it_in_order(number: int):
    """M5."""
    mailbox = long_lane(number)
    assert mailbox.take_user().message == 0  # type: ignore[union-attr]
    for message in range(number + 3, 2 * number):
        mailbox.put_user(Envelope(message), no_wait)

    assert [envelope.message for envelope in mailbox.close()[1]] == list(range(1, 2 * number))
    mailbox.settle()
    assert mailbox.empty()
    assert mailbox.take_user() is None


def test_a_long_lane_is_looked_through_once_and_anything_is_taken_out_of_it():
    """A14: what has been moved, and what has come after it."""
    number = 2 * SHORT
    mailbox = long_lane(number)
    at = 0
    for wanted in (5, number - 1, number + 1):
        found, at = mailbox.look_for(1, at, lambda envelope, wanted=wanted: envelope.message == wanted)  # type: ignore[misc]
        assert found is not None
        assert found.message == wanted
        assert mailbox.withdraw(found)
        assert not mailbox.withdraw(found)
    assert mailbox.look_for(1, at, lambda _envelope: True)[0].message == number + 2  # type: ignore[union-attr]
    assert mailbox.user_length == number


def test_a_closed_mailbox_moves_nothing():
    """M5: what a late sender has put is for nobody but him."""
    mailbox = Mailbox()
    mailbox.open_user().extend(Envelope(number) for number in range(2 * SHORT))
    mailbox.is_closed = True
    mailbox.settle()
    assert mailbox.older is None


@pytest.mark.parametrize("lane", ["system", "control"])
def test_the_other_lanes_may_be_long_as_well(lane: str):
    """M1, M5: a watcher of very many is told of all their ends, and their parent of each, in order."""
    mailbox, number = Mailbox(), 3 * SHORT
    items: list[Any] = [Stop(NORMAL) if lane == "system" else Envelope(one) for one in range(number + 3)]
    put: Any = mailbox.put_system if lane == "system" else mailbox.put_control
    take: Any = mailbox.take_system if lane == "system" else mailbox.take_control
    for item in items[:number]:
        put(item)
    mailbox.settle()
    for item in items[number:]:
        put(item)
    assert mailbox.lengths() == ((number + 3, 0, 0) if lane == "system" else (0, number + 3, 0))
    assert (mailbox.has_signals(), mailbox.has_messages()) == (lane == "system", lane == "control")
    assert mailbox.newest()[0] is (items[-1] if lane == "control" else None)
    assert mailbox.oldest() == ([items[0]] if lane == "control" else [])
    assert not mailbox.empty()

    assert [take() for _ in range(10)] == items[:10]
    signals, envelopes = mailbox.close()
    assert [*signals, *envelopes] == items[10:]
    assert mailbox.empty()


@pytest.mark.parametrize("lane", ["control", "user"])
def test_a_lane_is_made_once_whoever_sends_first(lane: str):
    """M5: many threads send the first message; each of theirs is there."""
    for _round in range(50):
        mailbox, ready = Mailbox(), threading.Barrier(4)

        def send(name: int, mailbox: Mailbox = mailbox, ready: threading.Barrier = ready) -> None:
            ready.wait(DEADLINE_S)
            envelope = Envelope(name)
            assert mailbox.put_control(envelope) if lane == "control" else mailbox.offer(envelope)

        threads = [threading.Thread(target=send, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)
        assert sorted(envelope.message for envelope in mailbox.close()[1]) == [0, 1, 2, 3]


def test_an_envelope_that_is_gone_is_not_looked_for_where_nobody_has_sent():
    """M5: it was found in the control lane, and the closer has taken it meanwhile."""
    mailbox = Mailbox()
    mailbox.put_control(Envelope("a"))
    found, _at = mailbox.look_for(0, 0, lambda _envelope: True)
    assert found is not None
    assert mailbox.take_control() is found
    assert not mailbox.withdraw(found)


def test_closing_a_bounded_mailbox_finds_what_is_just_being_moved(monkeypatch: pytest.MonkeyPatch):
    """M5: by a kill from another thread, in the middle of a turn that moves a long lane."""
    has_come, closed = threading.Event(), threading.Event()
    drained: list[Envelope] = []

    class NotedLock:
        """Tells when somebody has to wait for it."""

        def __init__(self) -> None:
            self.lock = threading.RLock()

        def __enter__(self) -> None:
            if not self.lock.acquire(blocking=False):
                has_come.set()
                assert self.lock.acquire(timeout=DEADLINE_S)

        def __exit__(self, *_about: object) -> None:
            self.lock.release()

    def close() -> None:
        drained.extend(mailbox.close()[1])
        has_come.set()
        closed.set()

    class BeingMoved(list[Envelope]):
        def __delitem__(self, index: Any) -> None:
            super().__delitem__(index)
            threading.Thread(target=close).start()
            assert has_come.wait(DEADLINE_S)

    mailbox = Mailbox(2)
    envelopes = [Envelope(number) for number in range(SHORT + 1)]
    mailbox.control = BeingMoved(envelopes)
    monkeypatch.setattr(mailbox_module, "_lanes", NotedLock())
    mailbox.settle()
    assert closed.wait(DEADLINE_S)
    assert drained == envelopes
    assert mailbox.empty()


@pytest.mark.parametrize("moved", [(), ("control",), ("user",)])
def test_closing_by_a_finaliser_finds_what_is_just_being_moved_once(moved: tuple[str, ...]):
    """M5: the garbage collector runs it in the thread that has the turn, at whichever place."""
    for number in range(30):
        mailbox = Mailbox()
        envelopes = [Envelope(place) for place in range(4 * SHORT)]
        puts = {"control": mailbox.put_control, "user": mailbox.offer}
        lanes = {"control": envelopes[: 2 * SHORT], "user": envelopes[2 * SHORT :]}
        for lane in sorted(lanes, key=lambda lane: lane not in moved):
            for envelope in lanes[lane]:
                assert puts[lane](envelope)
            if lane in moved:
                mailbox.settle()
        drained: list[Envelope] = []
        with collected_after(number, lambda: drained.extend(mailbox.close()[1])):  # noqa: B023  # run at once
            mailbox.settle()
        assert drained == envelopes, number
        assert mailbox.empty(), number
