"""Messages that are put aside: the lists themselves, with no actor."""

import threading

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay_actors.errors import StashFull
from relay_actors.runtime.mailbox import Envelope
from relay_actors.runtime.stash import Stash
from tests.runtime.worlds import DEADLINE_S, collected_after


def put(stash: Stash, *messages: object, capacity: int = 10) -> None:
    for message in messages:
        assert stash.put(Envelope(message), None, capacity)


def take_all(stash: Stash) -> list[object]:
    taken = []
    while (entry := stash.take_ready()) is not None:
        taken.append(entry[1].message)
    return taken


def test_what_is_put_aside_waits_until_it_is_brought_back():
    """P2: in order; nothing is ready before."""
    stash = Stash()
    put(stash, "a", "b", "c")
    assert (len(stash), stash.has_ready, stash.take_ready()) == (3, False, None)

    assert stash.release(1) == 1
    assert stash.release() == 2
    assert take_all(stash) == ["a", "b", "c"]
    assert (len(stash), stash.release()) == (0, 0)


def test_a_full_stash_says_what_to_do():
    """P1: those that are brought back and not handled yet count, so that each can be put aside again."""
    stash = Stash()
    put(stash, "a", "b", capacity=2)
    stash.release(1)
    with pytest.raises(StashFull, match="raise stash_capacity"):
        stash.put(Envelope("c"), None, 2)

    entry = stash.take_ready()
    assert entry is not None
    number, envelope = entry
    assert stash.put(envelope, number, 2)
    stash.release()
    assert take_all(stash) == ["a", "b"]


def test_a_closed_stash_gives_what_it_had_and_takes_nothing():
    """P1: in order, whatever had been brought back."""
    stash = Stash()
    put(stash, "a", "b", "c")
    stash.release(1)
    assert [envelope.message for envelope in stash.close()] == ["a", "b", "c"]
    assert not stash.put(Envelope("d"), None, 10)
    assert (len(stash), stash.close(), stash.take_ready()) == (0, [], None)


def test_what_is_put_aside_can_be_put_aside_again_elsewhere_in_its_order():
    """J4: each is waiting, or has been brought back, as it was; the next one is younger than all of them."""
    stash, again = Stash(), Stash()
    for name in "abc":
        stash.put(Envelope(name), None, 10)
    stash.release(1)
    assert stash.messages() == [("a", True), ("b", False), ("c", False)]
    again.put(Envelope("x"), None, 10)
    again.refill(stash.messages())
    assert again.messages() == stash.messages()
    again.put(Envelope("d"), None, 10)
    assert take_all(again) == ["a"]
    again.release()
    assert take_all(again) == ["b", "c", "d"]


def test_a_message_can_be_forgotten_wherever_it_is():
    """M6: its handler has put it aside, and then raised."""
    stash = Stash()
    envelopes = [Envelope(name) for name in "abc"]
    for envelope in envelopes:
        stash.put(envelope, None, 10)
    stash.release(1)
    stash.forget(envelopes[0])
    stash.forget(envelopes[2])
    stash.release()
    assert take_all(stash) == ["b"]


@example(["new", "new", "release", "take and put back", "release", "take"])
@example(["new", "new", "release all", "take and put back", "release all", "take", "take"])
@given(st.lists(st.sampled_from(["new", "release", "release all", "take", "take and put back"]), max_size=80))
def test_older_messages_always_come_first(steps: list[str]):
    """P2: whatever is put aside again, and in whichever portions it is brought back."""
    stash = Stash()
    waiting: set[int] = set()
    ready: set[int] = set()
    new = 0
    for step in steps:
        if step == "new":
            new += 1
            waiting.add(new)
            assert stash.put(Envelope(new), None, 1000)
        elif step.startswith("release"):
            count = 1 if step == "release" else len(waiting)
            moved = set(sorted(waiting)[:count])
            assert stash.release(None if step == "release all" else 1) == len(moved)
            waiting -= moved
            ready |= moved
        elif (entry := stash.take_ready()) is not None:
            assert entry[1].message == min(ready)
            ready.discard(min(ready))
            if step == "take and put back":
                assert stash.put(entry[1], entry[0], 1000)
                waiting.add(entry[0])
        else:
            assert not ready
        assert len(stash) == len(waiting) + len(ready)
    assert [envelope.message for envelope in stash.close()] == sorted(waiting | ready)


@pytest.mark.usefixtures("eager_switches")
def test_a_close_from_another_thread_loses_nothing():
    """P1, M5: each message is handled, refused or given to the closer; once."""
    for _ in range(50):
        stash = Stash()
        mine: list[object] = []

        def work(stash: Stash = stash, mine: list[object] = mine) -> None:
            for number in range(40):
                if not stash.put(Envelope(number), None, 1000):
                    mine.append(number)
                if number % 3 == 0:
                    stash.release(2)
                    mine.extend(entry[1].message for entry in [stash.take_ready()] if entry is not None)

        worker = threading.Thread(target=work)
        worker.start()
        closed = [envelope.message for envelope in stash.close()]
        worker.join(DEADLINE_S)
        assert sorted([*mine, *closed]) == list(range(40))  # type: ignore[type-var]


@pytest.mark.parametrize("count", [1, 3, None])
def test_a_close_by_a_finaliser_loses_nothing(count: int | None):
    """P1, M5: the garbage collector runs it while a message is put aside, or some are brought back."""
    for number in range(30):
        stash = Stash()
        put(stash, "a", "b", "c", "d", "e")
        stash.release(1)
        mine: list[object] = []
        closed: list[object] = []
        late = Envelope("f")
        with collected_after(
            number,
            lambda: closed.extend(envelope.message for envelope in stash.close()),  # noqa: B023  # run at once
        ):
            is_put = stash.put(late, None, 10)
            stash.release(count)
        if not is_put:
            mine.append("f")
        assert sorted([*mine, *closed]) == list("abcdef"), number  # type: ignore[type-var]
        assert len(stash) == 0, number
