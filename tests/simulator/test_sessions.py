"""What outlives a socket."""

from __future__ import annotations

import json
from itertools import count

from relay_actors.protocol.server import SentEvent, ServerProtocol, make_event
from relay_actors.simulator.acks import AckBook, Acks
from relay_actors.simulator.sessions import ASKED_BOUND, QUEUE_BOUND, Connection, Session, Sessions


def make_sessions() -> Sessions:
    numbers = count(1)
    return Sessions(lambda: f"{next(numbers):08d}-id")


class Wire:
    """A link that only keeps what it is given."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []

    def send_texts(self, texts: list[bytes]) -> None:
        self.texts += texts

    def close(self, *, clean: bool) -> None:
        self.texts.clear()


def connect() -> Connection:
    numbers = count(1)
    protocol = ServerProtocol(new_id=lambda: f"s{next(numbers)}")
    connection = Connection(
        Wire(),
        protocol,
        lambda one: one.link.send_texts(one.protocol.texts_to_send()),
        acks=Acks(AckBook()),
        now=lambda: 0.0,
    )
    protocol.receive_text('{"id":"c","method":"signalwire.connect"}')
    protocol.accept_log_in({})
    protocol.texts_to_send()
    return connection


def ids_on(connection: Connection) -> list[str]:
    assert isinstance(connection.link, Wire)
    return [json.loads(text)["id"] for text in connection.link.texts]


def event(frame_id: str) -> SentEvent:
    return make_event(frame_id, "calling.call.play", {})


def test_each_session_has_a_protocol_string_of_its_own():
    sessions = make_sessions()
    one, other = sessions.open("p"), sessions.open("p")

    assert one.name.startswith("signalwire_")
    assert len(one.name.split("_")) == 4, "the signature is its second part (PROTOCOL 3.5)"
    assert one.name != other.name
    assert sessions.find(one.name) is one
    assert sessions.find("nobody") is None


def test_events_for_a_client_that_is_away_wait_for_its_next_socket_in_order():
    session: Session = make_sessions().open("p")
    for number in range(3):
        session.deliver(event(f"e{number}"))
    connection = connect()
    session.attach(connection)
    session.deliver_waiting()

    assert ids_on(connection) == ["e0", "e1", "e2"]


def test_what_was_not_acknowledged_comes_before_what_came_meanwhile():
    """Order per call survives the loss of a socket (PROTOCOL 2.7)."""
    session = make_sessions().open("p")
    first = connect()
    session.attach(first)
    session.deliver(event("e0"))
    session.deliver(event("e1"))
    first.protocol.receive_text('{"id":"e0","result":{}}')
    session.detach()
    session.deliver(event("e2"))
    assert session.unacknowledged == ["e1", "e2"]

    second = connect()
    session.attach(second)
    session.deliver_waiting()

    assert ids_on(second) == ["e1", "e2"]


def test_an_endless_absence_does_not_fill_the_memory():
    session = make_sessions().open("p")
    for number in range(QUEUE_BOUND + 1):
        session.deliver(event(f"e{number}"))

    assert len(session.unacknowledged) == QUEUE_BOUND
    assert session.unacknowledged[0] == "e1"


def test_subscriptions_keep_their_order_and_can_be_taken_back():
    session = make_sessions().open("p")
    session.subscribe(["b", "a", "b"])
    session.unsubscribe(["b", "unknown"])
    session.subscribe(["c"])

    assert list(session.contexts) == ["a", "c"]


def test_a_forgotten_session_is_found_no_more():
    sessions = make_sessions()
    one, other = sessions.open("p"), sessions.open("p")
    sessions.close(one)
    assert sessions.all() == [other]
    sessions.forget()
    assert sessions.all() == []


def test_detaching_twice_keeps_events_once():
    session = make_sessions().open("p")
    session.attach(connect())
    session.deliver(event("e0"))
    session.detach()
    session.detach()

    assert session.unacknowledged == ["e0"]


def test_it_is_remembered_what_the_latest_requests_asked_for():
    connection = connect()
    for number in range(ASKED_BOUND + 1):
        connection.asks(f"r{number}", "calling.play")
    connection.asks(["an id of another type"], "calling.play")

    assert [connection.asked_by(id) for id in ("r0", "r1", "unknown", ["x"])] == ["", "calling.play", "", ""]
