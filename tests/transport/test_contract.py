"""What `transport/base.py` promises, held against every transport there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from relay_actors.config import Limits
from relay_actors.errors import ConnectFailedError, TransportError
from relay_actors.transport.base import Transport
from tests.support.links import FarEnd, Links, MemoryLinks, Poller, WebsocketLinks
from tests.support.tls import ThrowawayAuthority

LIMITS = Limits(frame_bytes=100_000, outbound_bytes=1_000_000)
TEXTS = [
    b'{"jsonrpc":"2.0"}',
    b"",
    b"x" * 125,
    b"x" * 126,
    b"x" * 65_535,
    b"x" * 65_536,
    "ü€😀".encode(),
    b"y" * 100_000,
]


@pytest.fixture(params=["memory", "websocket", "websocket over TLS"])
def links(request: pytest.FixtureRequest, no_descriptor_leaks: None) -> Iterator[Links]:
    made: Links
    match request.param:
        case "memory":
            made = MemoryLinks(LIMITS)
        case "websocket":
            made = WebsocketLinks(LIMITS)
        case _:
            authority: ThrowawayAuthority = request.getfixturevalue("authority")
            made = WebsocketLinks(LIMITS, tls=authority.server_context("127.0.0.1"), ca_file=str(authority.ca_file))
    yield made
    made.close()


@pytest.fixture
def near(links: Links) -> Iterator[Transport]:
    transport = links.connector.connect()
    yield transport
    transport.abort()


@pytest.fixture
def far(links: Links, near: Transport) -> FarEnd:
    return links.accept()


@pytest.fixture
def poller(near: Transport) -> Poller:
    return Poller(near)


def flood(transport: Transport) -> None:
    """Send more than any buffer between the two ends takes."""
    for _ in range(1000):
        transport.send([b"x" * 50_000])


def test_texts_arrive_whole_and_in_order(far: FarEnd, poller: Poller) -> None:
    """Of every length at which the framing changes, up to the limit itself."""
    for text in TEXTS:
        far.send(text)
    assert poller.receive(len(TEXTS)) == TEXTS


def test_sent_texts_arrive_whole_and_in_order(near: Transport, far: FarEnd, poller: Poller) -> None:
    """All of a round in one call, and rounds one after the other."""
    near.send(iter(TEXTS))
    near.send([b"next round"])
    poller.flush()
    assert [far.receive() for _ in range(len(TEXTS) + 1)] == [*TEXTS, b"next round"]


def test_sending_nothing_is_nothing(near: Transport, far: FarEnd) -> None:
    """A round without texts must not put anything on the wire."""
    near.send([])
    near.send([b"first"])
    assert far.receive() == b"first"


def test_receiving_when_nothing_is_there_gives_nothing_and_does_not_wait(near: Transport, far: FarEnd) -> None:
    """A spurious wake-up costs nothing."""
    assert near.receive() == []
    assert near.receive() == []


def test_a_transport_is_not_ready_before_something_is_there(near: Transport, far: FarEnd, poller: Poller) -> None:
    """Otherwise whoever polls it spins."""
    assert not poller.is_ready(0.0)
    far.send(b"text")
    assert poller.receive(1) == [b"text"]
    assert not poller.is_ready(0.0)


def test_what_came_before_the_waker_was_set_is_not_slept_through(near: Transport, far: FarEnd) -> None:
    """The server may speak before the connection's actor has begun to watch."""
    far.send(b"early")
    assert Poller(near).receive(1) == [b"early"]


def test_the_peers_goodbye_is_raised_after_its_last_texts(near: Transport, far: FarEnd, poller: Poller) -> None:
    """No event that came in is lost because the connection ended right behind it."""
    far.send(b"one")
    far.send(b"two")
    far.close()
    texts, loss = poller.receive_until_lost()
    assert texts == [b"one", b"two"]
    assert "1000" in loss


def test_a_vanished_peer_is_raised(far: FarEnd, poller: Poller) -> None:
    """With no goodbye, and told apart from one."""
    far.vanish()
    texts, loss = poller.receive_until_lost()
    assert texts == []
    assert "1000" not in loss


def test_a_loss_is_raised_again_by_every_later_receive(near: Transport, far: FarEnd, poller: Poller) -> None:
    """Whoever asks twice must not be told that all is well."""
    far.close()
    poller.receive_until_lost()
    with pytest.raises(TransportError):
        near.receive()


def test_sending_to_a_peer_that_is_gone_fails_in_the_end(near: Transport, far: FarEnd, poller: Poller) -> None:
    """The first text may still fit into a buffer; endless ones may not."""
    far.vanish()
    poller.receive_until_lost()
    with pytest.raises(TransportError):
        flood(near)


def test_a_message_over_the_limit_ends_the_connection_after_the_texts_before_it(far: FarEnd, poller: Poller) -> None:
    """PROTOCOL 1: 10 MiB by default; 100 kB here."""
    far.send(b"before")
    far.send(b"x" * (LIMITS.frame_bytes + 1))
    texts, loss = poller.receive_until_lost()
    assert texts == [b"before"]
    assert "over the limit of 100000" in loss


def test_a_peer_that_does_not_read_ends_the_connection_and_not_the_memory(near: Transport, far: FarEnd) -> None:
    """Back-pressure has a bound: after it the connection counts as lost."""
    with pytest.raises(TransportError, match=r"does not read.*outbound_bytes"):
        flood(near)
    assert not near.wants_write()  # what waited is given up, and nobody polls for it


def test_what_came_in_is_still_received_after_a_failed_send(near: Transport, far: FarEnd, poller: Poller) -> None:
    """The two directions are lost one by one."""
    far.send(b"an event")
    assert poller.is_ready()
    with pytest.raises(TransportError):
        flood(near)
    assert near.receive() == [b"an event"]


def test_close_says_goodbye_after_what_was_sent(near: Transport, far: FarEnd) -> None:
    """PROTOCOL 6.2: 1000, and the last texts go first."""
    near.send([b"last words"])
    near.close()
    assert far.receive() == b"last words"
    assert far.how_it_ended() == "goodbye"


def test_close_says_goodbye_also_when_texts_are_left_unread(near: Transport, far: FarEnd, poller: Poller) -> None:
    """Unread bytes would let the operating system break the connection instead."""
    far.send(b"unread")
    assert poller.is_ready()
    near.close()
    assert far.how_it_ended() == "goodbye"


def test_abort_breaks_the_connection(near: Transport, far: FarEnd) -> None:
    """PROTOCOL 5.4: a force-close waits for nobody; what is on the other side must see that it was none."""
    near.abort()
    assert far.how_it_ended() == "broken"


@pytest.mark.parametrize("end", ["close", "abort"])
@pytest.mark.parametrize("end_again", ["close", "abort"])
def test_a_closed_transport_can_be_closed_again_and_refuses_everything_else(
    near: Transport, far: FarEnd, end: str, end_again: str
) -> None:
    """A descriptor that is used after its end may be somebody else's by then."""
    far.send(b"never read")
    getattr(near, end)()
    getattr(near, end_again)()
    assert near.fileno() == -1
    assert not near.wants_write()
    near.set_waker(pytest.fail)
    near.set_waker(None)
    with pytest.raises(TransportError, match="closed here"):
        near.receive()
    with pytest.raises(TransportError, match="closed here"):
        near.send([b"text"])
    with pytest.raises(TransportError, match="closed here"):
        near.flush()


def test_closing_after_the_peers_goodbye_is_quiet(near: Transport, far: FarEnd, poller: Poller) -> None:
    """The usual end: the server closes, the client frees its side."""
    far.close()
    poller.receive_until_lost()
    near.close()
    assert near.fileno() == -1


def test_a_connector_opens_one_link_after_the_other(links: Links) -> None:
    """A reconnect uses the same connector."""
    for text in (b"first", b"second"):
        transport = links.connector.connect()
        transport.send([text])
        assert links.accept().receive() == text
        transport.close()


def test_cancelling_when_nothing_is_under_way_changes_nothing(links: Links) -> None:
    """It is about the connect that is under way, not about the next."""
    links.connector.cancel()
    transport = links.connector.connect()
    links.connector.cancel()
    transport.send([b"text"])
    assert links.accept().receive() == b"text"
    transport.close()


def test_a_connect_that_is_refused_says_so(links: Links) -> None:
    """The stage tells an operator where to look."""
    links.refuse()
    with pytest.raises(ConnectFailedError, match="refused") as caught:
        links.connector.connect()
    assert caught.value.stage == "tcp"
