"""What the memory transport promises beyond the contract: the far end is equal, and nothing waits."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.config import Limits
from relay_actors.errors import ConnectFailedError, TransportError
from relay_actors.transport.memory import MemoryConnector, MemoryTransport, memory_pair
from tests.support.links import Poller


def test_both_ends_are_equal() -> None:
    """The simulator's end keeps the same promises as the client's."""
    for near, far in (memory_pair(), memory_pair()[::-1]):
        near.send([b"one", b"two"])
        assert far.receive() == [b"one", b"two"]


@given(st.lists(st.tuples(st.booleans(), st.lists(st.binary(max_size=5)), st.booleans())))
def test_whatever_the_order_of_sends_and_receives_each_end_gets_the_others_texts(
    steps: list[tuple[bool, list[bytes], bool]],
) -> None:
    """The law of a connection: what one end receives is what the other has sent, and nothing crosses over."""
    ends = memory_pair()
    sent: tuple[list[bytes], list[bytes]] = ([], [])
    received: tuple[list[bytes], list[bytes]] = ([], [])
    for is_first, texts, is_receiver_first in steps:
        ends[is_first].send(texts)
        sent[is_first].extend(texts)
        received[is_receiver_first].extend(ends[is_receiver_first].receive())
    for end in (0, 1):
        received[end].extend(ends[end].receive())
        assert received[end] == sent[1 - end]


def test_the_waker_is_called_for_texts_and_for_the_end_and_not_otherwise() -> None:
    """A deterministic run counts its wake-ups."""
    near, far = memory_pair()
    wakes: list[str] = []
    near.set_waker(lambda: wakes.append("woken"))
    assert wakes == []
    far.send([])
    assert near.receive() == []
    assert wakes == []
    far.send([b"one", b"two"])
    assert wakes == ["woken"]
    near.receive()
    far.close()
    assert wakes == ["woken"] * 2


def test_a_waker_may_receive_at_once() -> None:
    """Whoever is woken in the sender's own thread must not stand before a lock that the sender holds."""
    near, far = memory_pair()
    received: list[bytes] = []

    def receive() -> None:
        received.extend(near.receive())

    near.set_waker(receive)
    sending = threading.Thread(target=lambda: far.send([b"text"]), daemon=True)
    sending.start()
    sending.join(10.0)
    assert not sending.is_alive()
    assert received == [b"text"]


def test_a_waker_that_was_taken_back_is_not_called() -> None:
    """The connection's actor may have gone meanwhile."""
    near, far = memory_pair()
    near.set_waker(pytest.fail)
    near.set_waker(None)
    far.send([b"text"])
    assert near.receive() == [b"text"]


def test_texts_are_taken_between_two_threads_without_loss() -> None:
    """A blocking application drives its end from another thread than the simulator's."""
    near, far = memory_pair()
    count = 2000
    sending = threading.Thread(target=lambda: [far.send([b"%d" % number]) for number in range(count)])
    poller = Poller(near)
    sending.start()
    texts = poller.receive(count)
    sending.join(10.0)
    assert texts == [b"%d" % number for number in range(count)]


def test_texts_are_copied_when_they_can_change() -> None:
    """A socket copies too: what was sent is what was there at that moment."""
    near, far = memory_pair()
    text = bytearray(b"before")
    near.send([text])
    text[:] = b"after!"
    assert far.receive() == [b"before"]


def test_reading_makes_room_for_more() -> None:
    """The bound is on what waits, not on what was ever sent."""
    near, far = memory_pair(Limits(frame_bytes=10, outbound_bytes=25))
    for _ in range(10):
        near.send([b"x" * 10] * 2)
        assert len(far.receive()) == 2
    near.send([b"x" * 10] * 2)
    with pytest.raises(TransportError, match="does not read"):
        near.send([b"x" * 10])


def test_the_first_reason_of_an_end_is_the_one_that_is_told() -> None:
    """A sender that breaks the limit usually hangs up next, which would hide why."""
    near, far = memory_pair(Limits(frame_bytes=3))
    far.send([b"abcd"])
    far.abort()
    with pytest.raises(TransportError, match="over the limit of 3"):
        near.receive()


def test_a_text_is_not_lost_when_it_comes_with_the_end_while_the_other_side_looks() -> None:
    """The two ends may live in two threads: what is sent between two looks is given before the end is told."""
    near, far = memory_pair()

    class Late:
        """Has the far end say its last words when the near one has just looked."""

        def __init__(self, lock: Any) -> None:
            self.lock, self.says = lock, [lambda: (far.send([b"last"]), far.close())]

        def __enter__(self) -> None:
            self.lock.acquire()

        def __exit__(self, *_error: object) -> None:
            self.lock.release()
            while self.says:
                self.says.pop()()

    near._inbound._lock = Late(near._inbound._lock)  # type: ignore[assignment]
    assert near.receive() == []
    assert near.receive() == [b"last"]
    with pytest.raises(TransportError, match="1000"):
        near.receive()


def test_nothing_is_kept_for_an_end_that_is_gone() -> None:
    """Texts on their way to a closed end are forgotten with it."""
    near, far = memory_pair()
    near.send([b"x"])
    far.abort()
    with pytest.raises(TransportError, match="vanished"):
        near.send([b"y"])
    with pytest.raises(TransportError, match="vanished"):
        near.receive()


def test_the_far_end_is_handed_over_before_connect_returns() -> None:
    """So that the simulator can speak first, as a real server may."""
    accepted: list[MemoryTransport] = []

    def accept(far: MemoryTransport) -> None:
        accepted.append(far)
        far.send([b"welcome"])

    near = MemoryConnector(accept).connect()
    assert near.receive() == [b"welcome"]
    near.send([b"thanks"])
    assert accepted[0].receive() == [b"thanks"]


def test_a_connector_refuses_until_it_admits_again() -> None:
    """A test takes the network away and gives it back; what is open stays open."""
    accepted: list[MemoryTransport] = []
    connector = MemoryConnector(accepted.append)
    open_before = connector.connect()
    connector.refuse("the cable is cut")
    with pytest.raises(ConnectFailedError, match="could not connect to memory: tcp failed: the cable is cut"):
        connector.connect()
    open_before.send([b"still here"])
    assert accepted[0].receive() == [b"still here"]
    connector.admit()
    connector.connect()
    assert len(accepted) == 2


def test_a_connector_hands_its_limits_to_the_pair() -> None:
    """Else a test with small limits would test the default ones."""
    accepted: list[MemoryTransport] = []
    near = MemoryConnector(accepted.append, limits=Limits(frame_bytes=3)).connect()
    accepted[0].send([b"abc", b"abcd", b"abc"])
    assert near.receive() == [b"abc"]
    with pytest.raises(TransportError, match="4 bytes is over the limit of 3"):
        near.receive()
