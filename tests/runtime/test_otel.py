"""Turns as spans; OpenTelemetry's own SDK collects them."""

import builtins
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from relay_actors.errors import ConfigError
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Echo, Parent, Recorder, World, crash, spawn


class Spans:
    """The spans of a test, by name."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def all(self) -> list[Any]:
        return list(self.exporter.get_finished_spans())

    def named(self, name: str) -> Any:
        [found] = [span for span in self.all() if span.name == name]
        return found


@pytest.fixture
def spans() -> Iterator[Spans]:
    spans = Spans()
    yield spans
    spans.provider.shutdown()


def parent_of(span: Any) -> Any:
    return span.parent and span.parent.span_id


def test_the_turn_of_a_receiver_belongs_to_the_turn_of_the_sender(world: World, spans: Spans):
    """O2: through as many actors as it takes; a message from outside begins a trace of its own."""
    world.system.spans(provider=spans.provider)
    last = world.start(Echo)
    middle = world.start(Recorder)
    first = world.start(Recorder)
    first.tell(lambda _actor: middle.tell_ahead(lambda _actor: last.tell(1.0)))
    world.settle()
    first.tell("another")
    world.settle()

    told, passed_on, reached = (span for span in spans.all() if span.name != "Recorder str")
    told, passed_on, reached = sorted((told, passed_on, reached), key=lambda span: span.start_time)
    assert [span.name for span in (told, passed_on, reached)] == [
        "Recorder function",
        "Recorder function",
        "Echo float",
    ]
    assert parent_of(told) is None
    assert parent_of(passed_on) == told.context.span_id
    assert parent_of(reached) == passed_on.context.span_id
    assert len({span.context.trace_id for span in (told, passed_on, reached)}) == 1
    assert spans.named("Recorder str").context.trace_id != told.context.trace_id


def test_a_span_of_ones_own_is_the_parent_of_what_one_sends(world: World, spans: Spans):
    """O2: such as a web request that has a call made."""
    world.system.spans(provider=spans.provider)
    ref = world.start(Echo)
    with spans.provider.get_tracer("web").start_as_current_span("request"):
        ref.tell("x")
    world.settle()
    assert parent_of(spans.named("Echo str")) == spans.named("request").context.span_id
    assert not trace.get_current_span().get_span_context().is_valid, "the turn's span must not outlast it"


def test_what_an_actor_sends_while_it_starts_belongs_to_the_turn_of_who_has_made_it(world: World, spans: Spans):
    """O2: the start is no message, but it has a cause; a restart has another one, which is not known."""

    class Telling(Recorder):
        def on_start(self) -> None:
            told.tell("started")

    world.system.spans(provider=spans.provider)
    told = world.start(Echo)
    parent = world.start(Parent)
    parent.tell(lambda actor: actor.spawn(Telling, spec=ChildSpec(restart=Restart.TRANSIENT)).tell(crash()))
    world.settle()

    started, started_again = (span for span in spans.all() if span.name == "Echo str")
    assert parent_of(started) == spans.named("Parent function").context.span_id
    assert parent_of(started_again) is None
    assert not trace.get_current_span().get_span_context().is_valid


def test_nothing_is_kept_of_the_cause_of_a_start(world: World, spans: Spans):
    """O4: whether the actor starts, ends before it does, or nobody observes any more."""
    world.system.spans(provider=spans.provider)
    parent = world.start(Parent)
    spawn(parent, Recorder)
    world.settle()
    late = world.system.start_child(parent, Recorder, spec=ChildSpec())
    late._cell.kill("before it has begun")
    assert not world.system.observation.begun_in
    world.system.start_child(parent, Recorder, spec=ChildSpec())
    world.system.spans(False)
    assert not world.system.observation.begun_in
    world.settle()


def test_a_span_says_who_and_what_and_never_what_was_said(world: World, spans: Spans):
    """O2, O6: types, names and the label; of an error its type."""

    class Labelled(Recorder):
        def label(self) -> str:
            return "c-1"

    world.system.spans(provider=spans.provider)
    parent = world.start(Parent)
    child = spawn(parent, Labelled, spec=ChildSpec(restart=Restart.TRANSIENT))
    child.tell("+15550001111")
    child.tell(crash("my secret"))
    world.settle()
    child.tell(1.0)
    world.settle()

    assert dict(spans.named("Labelled str").attributes) == {
        "relay_actors.actor": "Labelled#2",
        "relay_actors.actor_class": "Labelled",
        "relay_actors.incarnation": 0,
        "relay_actors.label": "c-1",
        "relay_actors.message": "str",
    }
    crashed = spans.named("Labelled function")
    assert (crashed.attributes["error.type"], crashed.status.description) == ("ValueError", "ValueError")
    assert spans.named("Labelled float").attributes["relay_actors.incarnation"] == 1
    assert not any(word in span.to_json() for span in spans.all() for word in ("secret", "5550001111"))


def test_spans_are_ended_by_hand(world: World, spans: Spans):
    """O2: and off is off."""
    world.system.spans(provider=spans.provider)
    ref = world.start(Echo)
    world.system.spans(provider=spans.provider)
    ref.tell("x")
    world.settle()
    world.system.spans(False)
    ref.tell(1)
    world.settle()
    assert [span.name for span in spans.all()] == ["Echo str"]
    assert world.system.observation.observers == ()


def test_contexts_of_threads_do_not_mix(system: System, spans: Spans):
    """O2: on threads, each chain is a trace of its own."""
    system.spans(provider=spans.provider)
    last = system.start(Echo)
    firsts = [system.start(Recorder) for _ in range(20)]
    for first in firsts:
        first.ask(lambda _actor: last.tell(1.0), timeout=DEADLINE_S)
    last.ask("done", timeout=DEADLINE_S)

    reached = [span for span in spans.all() if span.name == "Echo float"]
    told = {span.context.span_id for span in spans.all() if span.name == "Recorder function"}
    assert len(reached) == 20
    assert {parent_of(span) for span in reached} == told


def test_without_the_library_the_error_says_what_to_install(world: World, monkeypatch: pytest.MonkeyPatch):
    """O2: it is optional."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.endswith("runtime.otel"):
            raise ModuleNotFoundError("No module named 'opentelemetry'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"pip install 'relay_actors\[otel\]'"):
        world.system.spans()
    assert world.system.observation.observers == ()
