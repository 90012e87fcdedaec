"""Verbs on where calls meet."""

from __future__ import annotations

import pytest

from relay_actors.actors.verbs.rooms import RoomVerbs
from relay_actors.events import ConferenceEvent, QueueEvent
from tests.actors.verbs.on_the_wire import Case, case, defined_in, is_refused, sent_by, without_ids
from tests.actors.world import Witness, World

CASES = [
    case("join_conference", "calling.join_conference", {"name": "weekly"}, "weekly"),
    case(
        "join_conference",
        "calling.join_conference",
        {
            "name": "weekly",
            "muted": False,
            "beep": "onEnter",
            "start_on_enter": True,
            "end_on_exit": False,
            "max_participants": 10,
            "stream": {"url": "wss://example.com"},
            "x": 1,
        },
        "weekly",
        muted=False,
        beep="onEnter",
        start_on_enter=True,
        end_on_exit=False,
        max_participants=10,
        stream_obj={"url": "wss://example.com"},
        x=1,
    ),
    case("join_conference", "calling.join_conference", {"name": "weekly", "beep": "false"}, "weekly", beep=False),
    case("leave_conference", "calling.leave_conference", {"conference_id": "c-1"}, "c-1"),
    case("join_room", "calling.join_room", {"name": "lobby"}, "lobby"),
    case("join_room", "calling.join_room", {"name": "lobby", "status_url": "u", "x": 1}, "lobby", status_url="u", x=1),
    case("leave_room", "calling.leave_room", {}),
    case("leave_room", "calling.leave_room", {"x": 1}, x=1),
    case("queue_enter", "calling.queue.enter", {"queue_name": "sales"}, "sales"),
    case("queue_enter", "calling.queue.enter", {"queue_name": "sales", "status_url": "u"}, "sales", status_url="u"),
    case("queue_leave", "calling.queue.leave", {"queue_name": "sales"}, "sales"),
    case("queue_leave", "calling.queue.leave", {"queue_name": "sales", "queue_id": "q"}, "sales", queue_id="q"),
]


def test_these_are_all_of_them():
    """A verb that nobody calls below would not be proved."""
    assert {one.values[0].verb for one in CASES} == set(defined_in(RoomVerbs))


@pytest.mark.parametrize("one", CASES)
def test_a_verb_sends_what_was_given_and_nothing_else(world: World, one: Case):
    """What is given as False is given; ``beep`` is text on the wire (PROTOCOL 13.7)."""
    handle, params = sent_by(world, one)
    assert without_ids(handle, params, control_id=one.verb.startswith("queue")) == one.params
    assert world.sim.violations == ()


@pytest.mark.parametrize(
    ("verb", "args", "kwargs", "names"),
    [
        ("join_conference", ("",), {}, "name"),
        ("join_conference", ("weekly",), {"muted": "yes"}, "muted"),
        ("join_conference", ("weekly",), {"max_participants": "ten"}, "max_participants"),
        ("join_conference", ("weekly",), {"stream_obj": "wss://example.com"}, "stream_obj"),
        ("leave_conference", ("",), {}, "conference_id"),
        ("join_room", (None,), {}, "name"),
        ("queue_enter", ("",), {}, "queue_name"),
        ("queue_enter", ("sales",), {"control_id": 5}, "control_id"),
        ("queue_leave", ("sales",), {"queue_id": 5}, "queue_id"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_sent(
    world: World, verb: str, args: tuple[object, ...], kwargs: dict[str, object], names: str
):
    """What a script gets wrong must be said at its line, and not by the server seconds later."""
    is_refused(world, names, verb, args, kwargs)


def test_a_conference_is_left_by_the_id_that_its_events_tell(world: World):
    _line, handle = world.answered(Witness)
    handle.join_conference("weekly").get(timeout=5)
    world.until(lambda: world.seen(handle, ConferenceEvent))
    conference_id = world.seen(handle, ConferenceEvent)[0].conference_id
    handle.leave_conference(conference_id).get(timeout=5)
    assert "participant-leave" in [event.status for event in world.seen(handle, ConferenceEvent)]


def test_the_place_in_a_queue_is_told_under_the_id_of_its_entry(world: World):
    _line, handle = world.answered(Witness)
    handle.queue_enter("sales", control_id="waiting").get(timeout=5)
    world.until(lambda: world.seen(handle, QueueEvent))
    first = world.seen(handle, QueueEvent)[0]
    assert (first.control_id, first.queue_name, first.status, first.position) == ("waiting", "sales", "enqueue", 1)
    handle.queue_leave("sales").get(timeout=5)
    assert world.seen(handle, QueueEvent)[-1].status == "leave"
