"""Where calls meet: what the actors of the calls hear of each other in a conference, and at a queue."""

from __future__ import annotations

from typing import Any

from relay_actors.actors.call_handle import CallHandle
from relay_actors.events import ConferenceEvent, ConnectEvent, QueueEvent
from relay_actors.protocol.commands import Connect, JoinConference, QueueEnter
from tests.actors.world import Witness, World, over_seeds

HERE, THERE = "+15550001111", "+15550002222"


class Attendee(Witness):
    """Goes into the conference as soon as the call comes."""

    def on_start(self) -> None:
        self.answer()
        self.perform(JoinConference(name="weekly"))


def comings_and_goings(world: World, handle: CallHandle) -> list[tuple[str, Any]]:
    heard = world.seen(handle, ConferenceEvent)
    return [(event.status, event.params.get("participant_call_id")) for event in heard]


@over_seeds(20)
def test_the_actors_of_two_calls_hear_each_other_come_and_go(world: World):
    """Events are routed by call id, so each actor is told on its own leg (PROTOCOL 7.3, 13.7)."""
    line, host = world.inbound(Attendee, number=HERE)
    line.is_in_conference("weekly")
    other, guest = world.inbound(number=THERE)
    line.hears("beep").talks_to(other).says("welcome")
    other.hears("voice welcome").hangs_up()
    world.settle()

    assert comings_and_goings(world, host) == [
        ("conference-start", None),
        ("participant-join", line.call_id),
        ("participant-join", other.call_id),
        ("participant-speech-start", line.call_id),
        ("participant-leave", other.call_id),
    ]
    assert comings_and_goings(world, guest) == [
        ("participant-join", other.call_id),
        ("participant-speech-start", line.call_id),
        ("participant-leave", other.call_id),
    ]
    (conference,) = world.sim.conferences
    assert [member.call_id for member in conference.members] == [line.call_id]


@over_seeds(20)
def test_an_actor_takes_the_next_caller_and_both_hear_of_it(world: World):
    line, caller = world.answered(Witness)
    caller.perform(QueueEnter(queue_name="support", control_id="c1"))
    line.is_in_queue("support", 1)
    other, agent = world.inbound(number=THERE)
    agent.answer().get(timeout=5.0)
    agent.perform(Connect(devices=[[{"type": "queue", "params": {"queue_name": "support"}}]])).get(timeout=5.0)
    other.talks_to(line).hangs_up()
    world.settle()

    assert [event.status for event in world.seen(caller, QueueEvent)] == ["enqueue", "dequeue"]
    for handle, states in (
        (agent, ["connecting", "connected", "disconnected"]),
        (caller, ["connected", "disconnected"]),
    ):
        assert [event.connect_state for event in world.seen(handle, ConnectEvent)] == states
    assert line.state == "answered"
