"""Which sockets are polled: told once, again after rearming, and forgotten at once."""

import selectors
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from relay_actors.runtime.dispatcher_sockets import SocketPoll
from tests.runtime.worlds import DEADLINE_S


class Socket:
    """One end of a pair of sockets."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.ours.setblocking(False)
        self.writing = False
        self.told = 0

    def fileno(self) -> int:
        return self.ours.fileno()

    def wants_write(self) -> bool:
        return self.writing

    def on_ready(self) -> None:
        self.told += 1

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def poll() -> Iterator[SocketPoll]:
    poll = SocketPoll()
    poll.open()
    yield poll
    poll.close()


@pytest.fixture
def pair() -> Iterator[Socket]:
    pair = Socket()
    yield pair
    pair.close()


def poll_once(poll: SocketPoll) -> int:
    ready = poll.poll(0.0)
    for on_ready in ready:
        on_ready()
    return len(ready)


def registered(poll: SocketPoll) -> list[int]:
    assert poll._selector is not None
    return [key.fd for key in poll._selector.get_map().values() if key.data is not None]


def test_a_socket_that_is_dealt_with_at_once_costs_no_system_call(pair: Socket, monkeypatch: pytest.MonkeyPatch):
    """Polled, read, rearmed: the usual case, for every frame that comes."""
    calls: list[str] = []

    class Counting(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
        def register(self, *args: Any) -> Any:
            calls.append("register")
            return super().register(*args)

        def modify(self, *args: Any) -> Any:
            calls.append("modify")
            return super().modify(*args)

        def unregister(self, *args: Any) -> Any:
            calls.append("unregister")
            return super().unregister(*args)

    monkeypatch.setattr(selectors, "DefaultSelector", Counting)
    poll = SocketPoll()
    poll.open()
    poll.watch(pair, pair.on_ready)
    calls.clear()
    for _ in range(5):
        pair.theirs.send(b"x")
        assert poll_once(poll) == 1
        pair.ours.recv(10)
        poll.rearm(pair)
    assert calls == []
    poll.unwatch(pair)
    assert calls == ["unregister"]
    poll.close()


def test_a_ready_socket_is_told_once_until_it_is_rearmed(poll: SocketPoll, pair: Socket):
    """Its actor may be in a long turn: telling it again and again would spin."""
    poll.watch(pair, pair.on_ready)
    assert poll_once(poll) == 0
    pair.theirs.send(b"x")
    assert [poll_once(poll) for _ in range(3)] == [1, 0, 0]
    assert registered(poll) == []  # or each further poll would return at once, for nothing
    poll.rearm(pair)  # not read yet, so it is told again
    assert [poll_once(poll) for _ in range(3)] == [1, 0, 0]
    pair.ours.recv(10)
    poll.rearm(pair)
    assert poll_once(poll) == 0
    pair.theirs.send(b"y")
    assert poll_once(poll) == 1
    assert pair.told == 3


def test_a_socket_that_wants_to_write_is_told_when_it_can(poll: SocketPoll, pair: Socket):
    """The wish is looked at when it is rearmed, and may change each time."""
    poll.watch(pair, pair.on_ready)
    assert poll_once(poll) == 0
    pair.writing = True
    poll.rearm(pair)
    assert poll_once(poll) == 1
    pair.writing = False
    poll.rearm(pair)
    assert poll_once(poll) == 0


def test_what_is_not_watched_any_more_is_not_told(poll: SocketPoll, pair: Socket):
    """Idempotent; also when it was never watched, and rearming what is gone does nothing."""
    poll.unwatch(pair)
    poll.watch(pair, pair.on_ready)
    pair.theirs.send(b"x")
    poll.unwatch(pair)
    poll.unwatch(pair)
    poll.rearm(pair)
    assert poll_once(poll) == 0


def test_a_descriptor_may_be_reused_right_after_unwatching(poll: SocketPoll):
    """The number is given to the next connection: that one must be polled, and its predecessor forgotten."""
    first = Socket()
    poll.watch(first, first.on_ready)
    number = first.fileno()
    poll.unwatch(first)
    first.close()
    second = Socket()
    try:
        assert number in (second.ours.fileno(), second.theirs.fileno())
        poll.watch(second, second.on_ready)
        second.theirs.send(b"x")
        assert poll_once(poll) == 1
        assert (first.told, second.told) == (0, 1)
    finally:
        poll.unwatch(second)
        second.close()


def test_a_closed_descriptor_is_told_to_its_owner(poll: SocketPoll, pair: Socket):
    """It cannot be polled: the owner finds out why when it reads."""
    pair.ours.close()
    poll.watch(pair, pair.on_ready)
    assert pair.told == 1


def test_a_descriptor_that_is_closed_while_it_is_watched_does_no_harm(poll: SocketPoll, pair: Socket):
    """Against the rule, but it happens: rearming tells the owner, and others are polled."""
    other = Socket()
    poll.watch(pair, pair.on_ready)
    poll.watch(other, other.on_ready)
    pair.ours.close()
    pair.writing = True
    poll.rearm(pair)
    assert pair.told == 1
    other.theirs.send(b"x")
    assert poll_once(poll) == 1
    poll.unwatch(pair)
    poll.unwatch(other)
    other.close()


def test_a_wake_up_ends_a_poll(poll: SocketPoll):
    """The present one or the next; any number of them is one."""
    for _ in range(100_000):
        poll.wake()
    done = threading.Event()
    thread = threading.Thread(target=lambda: (poll.poll(DEADLINE_S), done.set()))
    thread.start()
    assert done.wait(DEADLINE_S)
    thread.join(DEADLINE_S)
    while poll._wake_reader is not None and _pending(poll._wake_reader):
        poll.poll(0.0)

    done.clear()
    thread = threading.Thread(target=lambda: (poll.poll(DEADLINE_S), done.set()))
    thread.start()
    poll.wake()
    assert done.wait(DEADLINE_S)
    thread.join(DEADLINE_S)


def _pending(reader: socket.socket) -> bool:
    try:
        return bool(reader.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


def test_what_is_watched_before_opening_is_polled_after_it(pair: Socket):
    """And again after closing and opening."""
    poll = SocketPoll()
    poll.watch(pair, pair.on_ready)
    poll.wake()
    assert poll.poll(0.0) == []
    pair.theirs.send(b"x")
    for _ in range(2):
        poll.open()
        assert poll_once(poll) == 1
        poll.rearm(pair)
        poll.close()
    poll.close()
    poll.unwatch(pair)


@pytest.mark.usefixtures("eager_switches")
def test_rearming_at_the_moment_of_a_poll_is_never_lost(poll: SocketPoll, pair: Socket):
    """The poll finds it ready and not rearmed, and takes it out; at that moment its actor rearms it."""
    rounds = 3000
    poll.watch(pair, pair.on_ready)
    told = threading.Semaphore(0)
    poll.unwatch(pair)
    poll.watch(pair, told.release)
    finished = threading.Event()

    def polling() -> None:
        while not finished.is_set():
            for on_ready in poll.poll(0.001):
                on_ready()

    thread = threading.Thread(target=polling)
    thread.start()
    pair.theirs.send(b"x")  # never read: it is ready all the time
    try:
        for number in range(rounds):
            assert told.acquire(timeout=DEADLINE_S), f"lost in round {number}"
            poll.rearm(pair)
    finally:
        finished.set()
        thread.join(DEADLINE_S)


@pytest.mark.usefixtures("eager_switches")
def test_unwatching_at_the_moment_of_a_change_leaves_nothing_registered(poll: SocketPoll):
    """A descriptor that stays behind would block the next connection that is given its number."""
    finished = threading.Event()

    def polling() -> None:
        while not finished.is_set():
            for on_ready in poll.poll(0.001):
                on_ready()

    thread = threading.Thread(target=polling)
    thread.start()
    try:
        for _ in range(300):
            pair: Any = Socket()
            poll.watch(pair, pair.on_ready)
            pair.theirs.send(b"x")
            rearmer = threading.Thread(target=lambda pair=pair: (setattr(pair, "writing", True), poll.rearm(pair)))
            rearmer.start()
            poll.unwatch(pair)
            rearmer.join(DEADLINE_S)
            assert registered(poll) == []
            pair.close()
    finally:
        finished.set()
        thread.join(DEADLINE_S)
