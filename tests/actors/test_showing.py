"""What an application shows of itself, on the deterministic world."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from relay_actors import CallActor, RelayApp
from relay_actors.actors.measures import METRICS
from relay_actors.actors.message import MessageActor
from relay_actors.errors import ConfigError
from tests.actors.world import CALLER, CONTEXT, OURS, Witness, World


class Fragile(CallActor):
    """Answers, plays, and crashes when it is told to."""

    def on_receive(self, message: object) -> None:
        if message == "crash":
            raise ValueError("no such table")
        self.log.info("heard")


def test_the_tree_of_an_application_names_its_calls_and_operations(world: World):
    """O3: each call by its id, each operation by what it does."""
    line, handle = world.inbound(Witness)
    handle.answer()
    handle.play_silence(30)
    world.settle()

    tree = world.app.tree()

    assert [node.actor_class for node in tree.children] == [
        "ServicesSupervisor", "CallsSupervisor", "MessagesSupervisor", "DeskActor", "ConnectionActor",
    ]  # fmt: skip
    [call] = tree.children[1].children
    assert (call.actor_class, call.label, call.stats.state) == ("Witness", line.call_id, "running")
    [action] = call.children
    assert (action.actor_class, action.stats.state) == ("PlayAction", "running")
    assert action.label.startswith("play ")
    assert f"Witness#{call.name.partition('#')[2]} {line.call_id} running" in str(tree)
    assert world.app.tree(handle) == world.app.tree(line.call_id) == world.app.tree(f"CallsSupervisor/{line.call_id}")


def test_a_call_that_was_restarted_says_how_often_and_why(world: World):
    """O3, S18: the history of a crash is what one looks for first."""
    _line, handle = world.inbound(Fragile)
    world.settle()
    for _ in range(2):
        handle.ref.tell("crash")
        world.settle()

    node = world.app.tree(handle)

    assert node.stats.restarts == 2
    assert [(note.reason, note.attempt) for note in node.restarts] == [
        ("error ValueError: no such table", 1), ("error ValueError: no such table", 2),
    ]  # fmt: skip
    assert "[restarted 2x, last: error ValueError: no such table]" in str(node)


def test_a_call_is_traced_from_its_event_to_its_command(world: World):
    """O4: an event of the wire comes in, a request goes out to the connection."""
    _line, handle = world.inbound(Witness)
    world.settle()
    trace = world.app.trace(handle)
    handle.answer()
    world.settle()
    world.app.trace(handle, on=False)

    told = [(record.kind, record.message) for record in trace.records]
    assert ("sent", "Outgoing calling.answer") in told
    assert ("received", "CallStateEvent") in told
    assert ("handled", "CallStateEvent") in told


def test_a_trace_context_goes_on_into_the_command_that_a_call_sends(world: World):
    """O2: from the event to the call's turn, and from there to the connection with the command."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    class Answering(CallActor):
        def on_receive(self, message: object) -> None:
            if type(message).__name__ == "CallReceiveEvent":
                self.answer()

    world.system.spans(provider=provider)
    world.inbound(Answering)
    world.settle()
    world.system.spans(False)

    spans = {span.context.span_id: span for span in exporter.get_finished_spans()}
    [command] = [span for span in spans.values() if span.name == "ConnectionActor Outgoing calling.answer"]
    offered = spans[command.parent.span_id]
    assert offered.name == "Answering CallReceiveEvent"
    assert offered.attributes["relay_actors.actor_class"] == "Answering"
    provider.shutdown()


def test_the_command_of_a_flow_belongs_to_the_event_by_which_the_flow_went_on(world: World):
    """O2: a flow goes on right after the message that it awaits, and not inside it."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    class Flowing(CallActor):
        async def run(self) -> None:
            await self.answer()
            await self.play_tts("Hello")
            await self.next(str)
            raise ValueError("no such word")

    world.system.spans(provider=provider)
    _line, handle = world.inbound(Flowing)
    world.run(1.0)
    handle.ref.tell("go on")
    world.settle()
    world.system.spans(False)

    spans = {span.context.span_id: span for span in exporter.get_finished_spans()}
    span = next(span for span in spans.values() if span.name == "ConnectionActor Outgoing calling.play")
    above = []
    while span.parent is not None:
        span = spans[span.parent.span_id]
        above.append(span.name)
    assert above[:3] == ["Flowing OwnedFlow", "Flowing Answer", "ConnectionActor Readable"]
    first = next(span for span in spans.values() if span.name == "ConnectionActor Outgoing calling.answer")
    begun = spans[first.parent.span_id]
    assert (begun.name, spans[begun.parent.span_id].name) == ("Flowing InTurn", "ConnectionActor Readable")
    [failed] = [span for span in spans.values() if span.attributes.get("error.type") == "ValueError"]
    assert spans[failed.parent.span_id].name == "Flowing str"
    provider.shutdown()


def test_the_commands_of_a_flow_on_a_thread_belong_to_what_has_begun_it(world: World):
    """O2: and to a span of its own while it is in one, also after it has waited."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    class Blocking(CallActor):
        def run(self) -> None:
            self.answer().get(timeout=5)
            with provider.get_tracer("shop").start_as_current_span("greeting"):
                self.play_tts("Hello").get(timeout=5)
                self.play_silence(1).get(timeout=5)
            self.hangup().get(timeout=5)

    world.system.spans(provider=provider)
    world.inbound(Blocking)
    world.run(1.0)
    world.system.spans(False)

    spans = {span.context.span_id: span for span in exporter.get_finished_spans()}
    commands = [
        (span.name.rpartition(".")[2], span.parent and spans[span.parent.span_id].name)
        for span in spans.values()
        if span.name.startswith("ConnectionActor Outgoing")
    ]
    assert commands == [
        ("answer", "Blocking InTurn"), ("play", "greeting"), ("play", "greeting"), ("end", "Blocking InTurn"),
    ]  # fmt: skip
    [greeting] = [span for span in spans.values() if span.name == "greeting"]
    assert spans[greeting.parent.span_id].name == "Blocking InTurn"
    provider.shutdown()


def test_what_blocking_code_and_asyncio_code_do_belongs_to_the_flow_that_has_begun_it(world: World):
    """O2: a request to a database, say, which has a span of its own."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("shop")

    def look_up() -> None:
        tracer.start_span("blocking").end()

    async def look_up_too() -> None:
        tracer.start_span("asyncio").end()

    class Flowing(CallActor):
        async def run(self) -> None:
            await self.blocking(look_up)
            await self.aio(look_up_too())

    world.system.spans(provider=provider)
    world.inbound(Flowing)
    world.run(1.0)
    world.system.spans(False)

    spans = {span.context.span_id: span for span in exporter.get_finished_spans()}
    above = {span.name: span.parent and spans[span.parent.span_id].name for span in spans.values()}
    assert (above["blocking"], above["asyncio"]) == ("Flowing InTurn", "Flowing OwnedFlow")
    assert len({span.context.trace_id for span in spans.values() if span.name in ("blocking", "asyncio")}) == 1
    provider.shutdown()


def test_a_web_request_that_acts_on_a_call_is_the_beginning_of_its_trace(world: World):
    """O2: a verb from outside goes by the call's actor to the connection; the span of who asked is above both."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    _line, handle = world.inbound(Witness)
    world.settle()

    world.system.spans(provider=provider)
    with provider.get_tracer("web").start_as_current_span("request") as request:
        handle.answer()
    world.settle()
    world.system.spans(False)

    spans = {span.context.span_id: span for span in exporter.get_finished_spans()}
    [command] = [span for span in spans.values() if span.name == "ConnectionActor Outgoing calling.answer"]
    order = spans[command.parent.span_id]
    assert order.name == "Witness InTurn"
    assert order.parent.span_id == request.get_span_context().span_id
    provider.shutdown()


def test_the_numbers_of_an_application_are_all_in_the_table(world: World):
    """O1: and in Prometheus' words."""
    world.inbound(Witness)
    world.settle()

    numbers = world.app.metrics()

    assert (numbers["calls.up"], numbers["calls.received"], numbers["connection.up"]) == (1, 1, 1)
    assert numbers.keys() <= METRICS.keys()
    text = world.app.prometheus()
    assert "# TYPE relay_actors_calls_up gauge\nrelay_actors_calls_up 1\n" in text
    assert "relay_actors_calls_received_total 1\n" in text


def test_the_words_of_a_call_can_be_filtered_by_its_id(world: World, caplog: pytest.LogCaptureFixture):
    """O6: as attributes of the record: call, incarnation, and for a dial the tag that correlates it."""
    caplog.set_level(logging.INFO)
    line, handle = world.inbound(Fragile)
    world.settle()
    handle.ref.tell("crash")
    world.settle()
    assert f"failed actor={handle.ref._cell} label={line.call_id} incarnation=0" in caplog.text
    caplog.clear()
    handle.ref.tell("x")
    world.settle()

    [record] = [record for record in caplog.records if record.name == "relay_actors.Fragile"]
    assert (record.call_id, record.incarnation) == (line.call_id, 1)  # type: ignore[attr-defined]
    assert record.getMessage() == f"[{line.call_id}] heard"
    assert not hasattr(record, "correlation_id")


def test_the_words_of_a_dial_carry_its_tag(world: World):
    """O6: before a dialled call has an id, the tag is all there is."""
    world.takes_calls(Witness)
    handle = world.app.dial(Witness, {"type": "phone", "params": {"to_number": CALLER, "from_number": OURS}}, tag="t-1")
    world.until(lambda: world.actor(handle))
    assert world.actor(handle).log_fields()["correlation_id"] == "t-1"


def test_a_text_is_called_by_its_id(world: World):
    """O6, O3."""
    seen: list[tuple[str, object]] = []

    @world.app.messages("texts")
    class Inbox(MessageActor):
        def on_receive(self, message: object) -> None:
            seen.append((self.label(), self.log_fields()["message_id"]))

    world.start()
    world.sim.phone(CALLER).texts("hello", context="texts")
    world.settle()
    [(label, message_id)] = seen
    assert label == message_id != ""


def test_turns_are_measured_and_traced_as_the_application_was_told(world: World):
    """O1, O2: off unless asked for."""
    world.start()
    assert world.system.observation.observers == ()
    world.app.stop()

    other = World(2)
    other.app.measures_turns = other.app.makes_spans = True
    other.start()
    assert len(other.system.observation.observers) == 2
    assert other.app.metrics()["turn.seconds"]["ConnectionActor"]["count"] > 0
    other.close()


def test_what_does_not_run_shows_nothing():
    """It says what to do."""
    app = RelayApp("project", "token", host="example.signalwire.com", contexts=[CONTEXT])
    for look in (app.tree, app.metrics, app.prometheus, app.residue, lambda: app.trace("x")):
        with pytest.raises(ConfigError, match="is not running"):
            look()
