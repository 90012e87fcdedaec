"""Each invariant is noticed when it does not hold: frames, entries and actors as a broken client would have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relay_actors.actors.connection import ConnectionActor
from relay_actors.journal.entries import EventReceived, Session
from relay_actors.journal.memory import MemoryMedium
from relay_actors.protocol import json_codec
from relay_actors.testing.chaos.people import Stage
from relay_actors.testing.chaos.plan import KILL, Mishap, Plan
from relay_actors.testing.chaos.watch import INVARIANTS, Broken, Watch, WatchedStore
from relay_actors.testing.lab import Lab
from tests.testing.chaos.application import app


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.fixture
def watch(lab: Lab) -> Watch:
    return Watch(lab)


def comes(watch: Watch, frame: dict[str, Any]) -> None:
    """Let a frame come to the application, as if the server had sent it."""
    watch.has_received([json_codec.dumps({"jsonrpc": "2.0", **frame})])


def goes(watch: Watch, frame: dict[str, Any]) -> None:
    """Let a frame go out, as if the application had written it."""
    watch.has_sent([json_codec.dumps({"jsonrpc": "2.0", **frame})])


def state(frame_id: str, call_state: str = "answered") -> dict[str, Any]:
    inner = {"call_id": "c", "node_id": "n", "call_state": call_state}
    return {
        "id": frame_id,
        "method": "signalwire.event",
        "params": {"event_type": "calling.call.state", "params": inner},
    }


def command(request_id: str, method: str, **params: Any) -> dict[str, Any]:
    return {"id": request_id, "method": method, "params": {"call_id": "c", "node_id": "n", **params}}


def answer(frame_id: str, code: str = "200") -> dict[str, Any]:
    return {"id": frame_id, "result": {"code": code}}


def invariants(watch: Watch) -> list[str]:
    return [broken.invariant for broken in watch.broken]


def test_an_event_that_is_acknowledged_more_often_than_it_was_sent(lab: Lab, watch: Watch):
    """Once for each time that it came is right: an acknowledgement may have been lost."""
    comes(watch, state("e"))
    goes(watch, answer("e"))
    comes(watch, state("e"))
    goes(watch, answer("e"))
    assert watch.broken == []
    goes(watch, answer("e"))
    assert invariants(watch) == ["acknowledged"]


def test_an_event_that_is_acknowledged_before_it_is_durable(lab: Lab, watch: Watch):
    """J1: whether the journal has yet to commit it, or has yet to hear of it."""
    comes(watch, state("e"))
    watch.has_appended([EventReceived(subject="c", at=0.0, frame_id="e", payload={})])
    goes(watch, answer("e"))
    assert invariants(watch) == ["durable"]

    comes(watch, state("f"))
    goes(watch, answer("f"))
    watch.has_appended([EventReceived(subject="c", at=0.0, frame_id="f", payload={})])
    assert invariants(watch) == ["durable", "durable"]

    comes(watch, state("g"))
    watch.has_appended([EventReceived(subject="c", at=0.0, frame_id="g", payload={})])
    watch.has_committed()
    goes(watch, answer("g"))
    assert len(watch.broken) == 2


def test_a_command_after_the_confirmed_end(lab: Lab, watch: Watch):
    """X4: not at the same moment, when they may have crossed."""
    comes(watch, state("e", "ended"))
    goes(watch, answer("e"))
    goes(watch, command("r", "calling.play", control_id="p"))
    assert watch.broken == []
    lab.clock.advance(0.5)
    goes(watch, command("s", "calling.play", control_id="q"))
    assert invariants(watch) == ["after the end"]


def test_a_command_after_the_own_hang_up(lab: Lab, watch: Watch):
    """X7: exactly one; but as long as nobody has answered, it may have been lost."""
    goes(watch, command("r", "calling.end"))
    lab.clock.advance(1.0)
    goes(watch, command("s", "calling.end"))
    assert watch.broken == []
    comes(watch, answer("s"))
    lab.clock.advance(1.0)
    goes(watch, command("t", "calling.end"))
    assert invariants(watch) == ["after the end"]


def test_a_command_that_is_carried_out_twice(lab: Lab, watch: Watch):
    """K6: under the same ids; one that was refused the first time may be tried again."""
    for request_id, code in (("r", "404"), ("s", "200"), ("t", "409")):
        goes(watch, command(request_id, "calling.play", control_id="p"))
        comes(watch, answer(request_id, code))
    goes(watch, command("u", "calling.play.stop", control_id="p"))
    comes(watch, answer("u"))
    assert watch.broken == []
    goes(watch, command("v", "calling.play", control_id="p"))
    comes(watch, answer("v"))
    assert invariants(watch) == ["once"]


def test_what_never_comes_to_rest(lab: Lab, watch: Watch):
    """Virtual time would stand still for ever."""
    for _ in range(25_000):
        watch.after_step()
    assert invariants(watch) == ["rest"]


def test_what_is_left_at_the_end(lab: Lab, watch: Watch):
    """X18, H9: a call at the server, and actors of an application that was not stopped."""
    lab.start(app)
    watch.follow(app)
    lab.phone("+15550001111").dials(context="menu").hears("press")
    watch.before_the_stop()
    assert {"calls up", "left over"} <= set(invariants(watch))
    watch.broken.clear()
    watch.after_the_stop([False])
    told = [str(broken) for broken in watch.broken]
    assert any("had to wait in vain" in text for text in told)
    assert any("actors: " in text and "ConnectionActor" in text for text in told)


def test_a_timer_that_is_left_at_the_end(lab: Lab, watch: Watch):
    """X18: one of an application; what a run itself has yet in mind is none."""
    lab.at(1000.0, lambda: None)
    lab.start(app)
    assert app.stop()
    lab.settle()
    watch.after_the_stop([True])
    assert watch.broken == []
    lab.dispatcher.call_at(1000.0, lambda: None)
    watch.after_the_stop([True])
    assert [broken.how for broken in watch.broken] == ["1 timers are still pending"]


def test_a_message_that_nobody_accounts_for(lab: Lab, watch: Watch):
    """M5: neither handled, nor refused, nor a dead letter."""
    lab.start(app)
    watch.follow(app)
    [cell] = [cell for cell in app.system.living if "ConnectionActor" in str(cell)]
    watch.on_sent(cell, message := ["lost"])
    app.stop()
    watch.after_the_stop([True])
    assert invariants(watch) == ["envelopes"]
    assert "list for ConnectionActor" in str(watch.broken[0])
    del message


def test_every_name_of_an_invariant_says_what_must_hold():
    """A report is read by people."""
    for name in INVARIANTS:
        assert INVARIANTS[name] in str(Broken(name, "so", 1.0))


def test_a_store_passes_places_and_tells_what_it_keeps(lab: Lab, watch: Watch):
    """V4: before and after each commit the process may die; what was committed then is all there is."""
    died: list[str] = []
    plan = Plan(seed=1, journal=True, mishaps=(Mishap(what=KILL, at_frame=1),))
    stage = Stage(lab, plan, died.append, lambda: None)
    medium = MemoryMedium()
    store = WatchedStore(medium, watch, stage)
    store.append([EventReceived(subject="c", at=0.0, frame_id="e", payload={})])
    store.put_session(Session(protocol="p"))
    store.commit()
    assert stage.places == 2
    assert died == ["the process dies"]
    assert list(medium.entries) == ["c"]
    comes(watch, state("e"))
    goes(watch, answer("e"))
    assert watch.broken == []


def test_an_event_that_died_with_its_process_is_to_be_kept_anew(lab: Lab, watch: Watch):
    """J1: nothing of it is on the disk, so the next process may not acknowledge it before it has kept it itself."""
    stage = Stage(lab, Plan(seed=1, mishaps=(Mishap(what=KILL, at_frame=0),)), lambda _note: None, lambda: None)
    store = WatchedStore(MemoryMedium(), watch, stage)
    comes(watch, state("e"))
    store.append([EventReceived(subject="c", at=0.0, frame_id="e", payload={})])
    store.commit()  # has died in it
    lab.start(app)
    watch.follow(app)
    comes(watch, state("e"))
    goes(watch, answer("e"))
    assert watch.broken == []
    watch.has_appended([EventReceived(subject="c", at=1.0, frame_id="e", payload={})])
    assert invariants(watch) == ["durable"]


def test_the_how_to_lists_every_invariant():
    """Word for word."""
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "run-thousands-of-seeds.md").read_text()
    assert [f"| {name} | {what} |" for name, what in INVARIANTS.items() if f"| {name} | {what} |" not in page] == []


def test_a_process_may_die_when_the_journal_has_just_kept_something(lab: Lab, watch: Watch):
    """Proves SEMANTICS V4: before that it does not die, and of what else is kept neither."""
    notes: list[str] = []
    dies = Mishap(what=KILL, on="kept calling.call.state answered")
    stage = Stage(lab, Plan(seed=1, mishaps=(dies,)), notes.append, lambda: None)
    store = WatchedStore(MemoryMedium(), watch, stage)
    params = {"call_id": "c", "call_state": "answered"}
    other = {"event_type": "calling.call.state", "params": {**params, "call_state": "ringing"}}
    store.append([EventReceived(subject="c", at=1.0, frame_id="f", payload=other)])
    store.commit()
    assert notes == []
    store.append([EventReceived(subject="c", at=1.0, frame_id="g", payload={**other, "params": params})])
    assert notes == []
    store.commit()
    assert notes == ["the process dies on kept calling.call.state answered"]


def test_an_actor_of_the_framework_that_fails(lab: Lab, watch: Watch, monkeypatch: pytest.MonkeyPatch):
    """S18: whatever comes over the wire, and whatever an application does, must not bring the connection down."""

    def fails(_self: ConnectionActor, _outgoing: object) -> None:
        monkeypatch.undo()
        raise ValueError("a bug of ours")

    lab.start(app)
    watch.follow(app)
    monkeypatch.setattr(ConnectionActor, "_send", fails)
    lab.phone("+15550001111").dials(context="menu")
    lab.advance(5.0)
    assert invariants(watch) == ["connection"]
    assert "ConnectionActor#" in watch.broken[0].how
    assert "a bug of ours" in watch.broken[0].how
