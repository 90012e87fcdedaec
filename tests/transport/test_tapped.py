"""A connection that is looked at is a connection like another; it is told of what crosses, and of nothing else."""

from __future__ import annotations

import pytest

from relay_actors.errors import ConnectFailedError, TransportError
from relay_actors.transport.memory import MemoryConnector, MemoryTransport
from relay_actors.transport.tapped import TappedConnector


def test_each_text_is_told_with_its_direction_in_the_order_of_crossing():
    """What is sent is told before it leaves: the answer may come at once."""
    told: list[tuple[bool, bytes]] = []
    far_ends: list[MemoryTransport] = []
    near = TappedConnector(
        MemoryConnector(far_ends.append), lambda is_sent, text: told.append((is_sent, text))
    ).connect()
    [far] = far_ends
    near.set_waker(lambda: told.append((False, b"woken")))
    far.set_waker(lambda: far.send([b"answer"]) if far.receive() else None)
    near.send(iter([b"question", b"more"]))
    assert near.receive() == [b"answer"]
    assert told == [(True, b"question"), (True, b"more"), (False, b"woken"), (False, b"answer")]
    assert (near.fileno(), near.wants_write()) == (-1, False)
    near.flush()


@pytest.mark.parametrize("how", ["close", "abort"])
def test_it_ends_as_the_connection_does(how: str):
    """In both ways, and what cannot be sent is an error as ever."""
    far_ends: list[MemoryTransport] = []
    connector = MemoryConnector(far_ends.append)
    tapped = TappedConnector(connector, lambda _is_sent, _text: None)
    near = tapped.connect()
    getattr(near, how)()
    with pytest.raises(TransportError, match="closed" if how == "close" else "vanished"):
        far_ends[0].receive()
    with pytest.raises(TransportError):
        near.send([b"x"])
    tapped.cancel()
    connector.refuse("closed today")
    with pytest.raises(ConnectFailedError, match="closed today"):
        tapped.connect()
