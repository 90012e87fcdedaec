"""Following one actor."""

import logging

import pytest

from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.tracing import TraceRecord
from tests.runtime.worlds import DEADLINE_S, Echo, Parent, Recorder, World, crash, spawn


def kinds(records: tuple[TraceRecord, ...]) -> list[tuple[str, str, str]]:
    return [(record.kind, record.message, record.peer) for record in records]


def test_a_trace_tells_what_one_actor_receives_handles_and_sends(world: World):
    """O4: of one actor only; who speaks from outside has no name."""
    other, traced = world.start(Echo), world.start(Recorder)
    trace = world.system.trace(traced)
    traced.tell("x")
    other.tell(1)
    traced.tell(lambda _actor: other.tell(2.0))
    other.tell(lambda: None)
    world.settle()

    assert sorted(kinds(trace.records)) == sorted(
        [
            ("received", "str", ""),
            ("received", "function", ""),
            ("handled", "str", ""),
            ("handled", "function", ""),
            ("sent", "float", "Echo#1"),
        ]
    )


def test_who_sent_it_is_told(world: World):
    """O4: another actor, or the actor itself."""
    traced = world.start(Recorder)
    trace = world.system.trace(traced)
    sender = world.start(Recorder)
    sender.tell(lambda _actor: traced.tell("x"))
    world.settle()
    traced.tell(lambda actor: actor.actor_ref.tell(1))
    world.settle()

    assert ("received", "str", "Recorder#2") in kinds(trace.records)
    assert ("sent", "int", "Recorder#1") in kinds(trace.records)
    assert ("received", "int", "Recorder#1") in kinds(trace.records)


def test_what_has_waited_for_the_owner_of_a_name_is_received_by_who_takes_it(world: World):
    """O4, R4: from whom it was sent, though that may have been long ago."""
    traced, sender = world.start(Recorder), world.start(Recorder)
    trace = world.system.trace(traced)
    sender.tell(lambda _actor: world.system.via("name", unrouted="buffer").tell("early"))
    world.settle()
    traced.tell(lambda actor: actor.register("name"))
    world.settle()

    assert kinds(trace.records) == [
        ("received", "function", ""), ("received", "str", "Recorder#2"),
        ("handled", "function", ""), ("handled", "str", ""),
    ]  # fmt: skip


def test_waiting_and_handling_are_measured_and_errors_named(world: World):
    """O4: where the time goes, and what came out of it."""
    parent = world.start(Parent)
    traced = spawn(parent, Recorder, spec=ChildSpec(restart=Restart.TRANSIENT))
    traced.tell("before the trace")
    trace = world.system.trace(traced)
    traced.tell(lambda _actor: world.dispatcher.clock.advance(0.5))
    traced.tell(crash("+15550001111"))
    traced.tell("x")
    world.settle()

    first, slow, crashed, last = [record for record in trace.records if record.kind == "handled"]
    assert (first.waited_s, first.took_s) == (None, 0.0)
    assert (slow.waited_s, slow.took_s) == (0.0, 0.5)
    assert (crashed.error, crashed.waited_s) == ("ValueError", 0.5)
    assert (last.incarnation, last.error) == (1, "")


def test_a_trace_is_logged_and_never_shows_what_a_message_says(world: World, caplog: pytest.LogCaptureFixture):
    """O4, O6: only of which type it is."""
    caplog.set_level(logging.INFO, "relay_actors.trace")
    traced = world.start(Recorder)
    world.system.trace(traced)
    traced.tell("my secret")
    world.settle()

    lines = [record.getMessage() for record in caplog.records if record.name == "relay_actors.trace"]
    assert lines == [
        "Recorder#1 received str",
        "Recorder#1 handled str waited_s=0.000000 took_s=0.000000",
    ]


def test_a_request_is_told_with_its_method(world: World):
    """O4: what a call sends to the server."""

    class Request:
        __module__ = "relay_actors.actors.outgoing"
        method = "calling.play"

    traced = world.start(Recorder)
    trace = world.system.trace(traced)
    traced.tell(Request())
    assert trace.records[0].message == "Request calling.play"
    assert str(trace.records[0]) == "Recorder#1 received Request calling.play"


def test_what_a_message_of_ones_own_calls_its_method_is_not_told(world: World):
    """O6: it may be anything, such as how somebody pays, and with which card."""

    class Payment:
        def __init__(self, method: str) -> None:
            self.method = method

    traced = world.start(Recorder)
    trace = world.system.trace(traced)
    traced.tell(Payment("card 4111 1111 1111 1111"))
    world.settle()
    assert [record.message for record in trace.records] == ["Payment", "Payment"]


def test_a_message_that_raises_when_it_is_looked_at_ends_no_trace(world: World):
    """O1, O4: one whose attributes are its keys, for example; nor does it hide anybody who handles it."""

    class Fields(dict[str, object]):
        def __getattr__(self, name: str) -> object:
            return self[name]

    class Looking(Echo):
        def on_receive(self, message: object) -> str:
            return self.actor_ref.stats().message

    traced = world.start(Looking)
    trace = world.system.trace(traced)
    assert traced.ask(Fields(), timeout=DEADLINE_S) == "Fields"
    assert not trace.is_over
    assert [record.message for record in trace.records] == ["Fields", "Fields"]


def test_a_trace_is_ended_by_hand_or_with_its_actor(world: World):
    """O4: nothing is observed any more, and what was recorded stays."""
    traced = world.start(Echo)
    trace = world.system.trace(traced)
    assert world.system.trace(traced) is trace
    assert world.system.trace("Echo#1", on=False) is trace
    traced.tell("x")
    world.settle()
    assert trace.records == ()

    trace = world.system.trace("Echo")
    traced.stop(block=False)
    world.settle()
    assert kinds(trace.records)[0] == ("received", "stop", "")
    assert ("ended", "normal", "") in kinds(trace.records)
    assert world.system.observation.observers == ()

    assert world.system.trace(traced).records == ()
    assert world.system.observation.observers == (), "an actor that has ended would be followed for ever"


def test_only_the_latest_records_are_kept(world: World):
    """O4: an actor may be traced for days."""
    traced = world.start(Echo)
    trace = world.system.trace(traced, keep=3)
    for number in range(5):
        traced.tell(number)
    world.settle()
    assert len(trace.records) == 3
    assert {record.kind for record in trace.records} == {"handled"}
