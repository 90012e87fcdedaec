"""A server that says what was recorded, in the order of cause and effect."""

from __future__ import annotations

from random import Random
from typing import Any

from relay_actors.protocol import frames
from relay_actors.protocol.json_codec import loads
from relay_actors.runtime.clock import ManualClock
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.testing import Recording
from relay_actors.testing.said import ANSWER, COMMAND, EVENT, Said
from relay_actors.testing.script import CROSSING_S, PATIENCE_S, Script
from relay_actors.transport.memory import MemoryTransport, memory_pair

CALL = {"call_id": "call-1"}


def event(at: float, name: str, **more: Any) -> Said:
    return Said(at, EVENT, name, CALL | more)


def command(at: float, number: int, method: str, **more: Any) -> Said:
    return Said(at, COMMAND, method, CALL | more, number)


def answer(at: float, number: int) -> Said:
    return Said(at, ANSWER, "", {"code": "200", "number": number}, number)


class Client:
    """The application's end of the wire, played by a test."""

    def __init__(self, *said: Said) -> None:
        self.dispatcher = DeterministicDispatcher(Random(0), ManualClock())
        self.script = Script(Recording(said), self.dispatcher)
        self.end = self.opened()
        self.send("log-in", frames.CONNECT, {})

    def opened(self) -> MemoryTransport:
        near, far = memory_pair()
        self.script.accept(far)
        return near

    def send(self, id: str, method: str, params: dict[str, Any]) -> None:
        self.end.send([frames.request(id, method, params)])
        self.dispatcher.settle()

    def hears(self, seconds: float = 0.0) -> list[str]:
        """Let time pass, and return what has come: types of events, and ids of what was answered."""
        self.dispatcher.advance(seconds)
        heard: list[str] = []
        for text in self.end.receive():
            frame = loads(text)
            assert isinstance(frame, dict)
            params: Any = frame.get("params")
            heard.append(str(frame["id"]) if params is None else str(params["event_type"]))
        return heard


def test_an_event_comes_at_its_time_and_not_before_the_command_that_it_follows():
    """What is late makes all that follows late."""
    client = Client(
        event(0.0, "a"), command(1.0, 1, "m"), answer(1.5, 1), event(2.0, "b"), command(2.0, 2, "n"), event(4.0, "c")
    )
    assert client.hears() == ["log-in", "a"]
    assert client.hears(3.0) == []
    client.send("1", "m", CALL)
    assert client.hears() == []
    assert client.hears(0.5) == ["1"]
    assert client.hears(0.5) == ["b"]
    client.send("2", "n", CALL)
    assert client.hears(1.9) == []
    assert client.hears(0.1) == ["c"]
    assert client.script.is_over
    assert client.script.given_up == {}


def test_a_command_that_does_not_come_is_given_up():
    """After its patience, or at once if its call has gone on without it."""
    client = Client(command(0.0, 1, "m"), command(0.0, 2, "n"), answer(0.0, 2), event(0.0, "a"))
    assert client.hears(PATIENCE_S - 0.1) == ["log-in"]
    client.send("2", "n", CALL)
    assert client.hears() == ["2", "a"]
    assert list(client.script.given_up) == [1]
    client = Client(command(0.0, 1, "m"), event(0.0, "a"))
    assert client.hears(PATIENCE_S) == ["log-in", "a"]
    assert client.script.is_over


def test_what_is_about_a_command_waits_for_it():
    """A late one is answered all the same, and told what became of it."""
    client = Client(
        command(0.0, 1, "m", control_id="control-1"),
        answer(0.0, 1),
        event(1.0, "a", control_id="control-1"),
        event(2.0, "b"),
    )
    assert client.hears(PATIENCE_S + 2.0) == ["log-in", "b"]
    client.send("1", "m", {**CALL, "control_id": "live"})
    assert client.hears() == ["1", "a"]
    assert client.script.given_up == {}


def test_a_command_that_is_not_in_it_is_answered_and_noted():
    """The application is not to hang in what is wrong already."""
    client = Client(event(0.0, "a"))
    client.send("1", "m", CALL)
    client.send("2", frames.PING, {})
    client.send("3", "signalwire.receive", {"contexts": ["c"]})
    assert client.hears() == ["log-in", "a", "1", "2", "3"]
    assert [(step.said.name, step.said.number) for step in client.script.steps] == [("a", 0), ("m", 0)]


def test_a_command_that_is_sent_once_more_is_the_same_one():
    """As long as it is not answered (SEMANTICS K6)."""
    client = Client(command(0.0, 1, "m"), answer(5.0, 1))
    client.send("1", "m", CALL)
    client.send("again", "m", CALL)
    assert client.hears(5.0) == ["log-in", "again"]
    client.send("more", "m", CALL)
    assert [step.said.number for step in client.script.steps if step.said.kind == COMMAND] == [1, 0]


def test_a_dial_or_a_text_that_is_due_is_awaited():
    """Somebody outside is to send it; a command of a call its own code."""
    client = Client(Said(3.0, COMMAND, "calling.dial", {"tag": "tag-1"}, 1), command(3.0, 2, "m"))
    assert client.script.awaited is None
    client.hears(3.0)
    assert client.script.awaited is not None
    assert client.script.awaited.name == "calling.dial"
    client.send("1", "calling.dial", {"tag": "live"})
    assert client.script.awaited is None


def test_the_application_may_come_back_on_another_connection():
    """And hears what is still to be said."""
    client = Client(event(1.0, "a"))
    client.end.abort()
    client.dispatcher.settle()
    client.end = client.opened()
    client.send("again", frames.CONNECT, {})
    assert client.hears(1.0) == ["again", "a"]


def test_a_command_that_meets_the_end_of_its_call_is_no_difference():
    """In virtual time it takes none to do something; then the end had been heard of before. Others are noted."""
    ended = event(1.05, "calling.call.state", call_state="ended")
    client = Client(event(1.0, "a"), ended)
    assert client.hears(0.5) == ["log-in"]
    client.send("early", "m", CALL)
    assert client.hears(0.5) == ["early", "a"]
    client.send("crossing", "m", CALL)
    client.send("beside", "m", {"call_id": "call-2"})
    assert client.hears(CROSSING_S) == ["crossing", "beside", "calling.call.state"]
    crossing = [step.is_crossing for step in client.script.steps if step.said.kind == COMMAND]
    assert crossing == [False, True, False]
    client = Client(event(0.0, "a"), command(0.0, 1, "n"), ended)
    client.send("1", "m", CALL)  # in place of what it has sent then
    assert [step.is_crossing for step in client.script.steps] == [False, False]
