"""One leg of a call: its state, who owns it, what runs on it, and who listens at its end. Layer: simulator.

Source: PROTOCOL 8.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from relay_actors.protocol.readers import read_object, read_text
from relay_actors.protocol.states import CallState, may_move
from relay_actors.simulator.faxes import Fax
from relay_actors.simulator.personas import HUMAN, Persona
from relay_actors.simulator.post import Post
from relay_actors.simulator.sessions import Session
from relay_actors.simulator.sounds import Sound
from relay_actors.simulator.tapes import HEARD, SAID, Tape
from relay_actors.simulator.world import World

__all__ = ["Call", "CallSnapshot", "Circle", "Ear", "Joint", "Params", "Running"]

Params = Mapping[str, object]
"""The params of a command, as they came: nobody has looked at the values yet."""


class Ear(Protocol):
    """The person (or machine) at the end of a leg, as far as the leg has to know it."""

    @property
    def persona(self) -> Persona:
        """Who it is."""

    @property
    def ready_in_s(self) -> float:
        """Simulated seconds until what a machine says by itself, and its beep, are over; 0 for people."""

    def on_sound(self, sound: Sound) -> None:
        """Learn that a sound has begun."""

    def on_fax(self, fax: Fax) -> None:
        """Get a fax, perhaps the first pages only."""

    def on_change(self, what: str) -> None:
        """Learn of a change on the line, told in a few words for the timeline."""

    def on_handed_on(self, dest: str, call: Call | None) -> None:
        """Learn that somebody else has the call now: another leg, or (None) an application that is not simulated."""


class Running(ABC):
    """Something that runs on a leg, for example a play or a recording; most of it minds neither keys nor words."""

    @property
    def is_listening(self) -> bool:
        """Whether it wants keys or words now."""
        return False

    @abstractmethod
    def call_ends(self) -> None:
        """Come to an end because the call does; the terminal event goes out now."""

    def digit_pressed(self, digit: str) -> bool:
        """Take a key that the person pressed; return whether it meant anything."""
        return False

    def words_said(self, words: str, confidence: float) -> bool:
        """Take what the person said; return whether it meant anything."""
        return False


class Circle(Protocol):
    """Where a person can be heard beside a joint: a conference, a room, or an echo."""

    def hearers(self, leg: Call) -> Iterable[Call]:
        """Return the legs at whose ends it is heard what the person at ``leg`` says, and the keys."""


class Joint(Protocol):
    """What joins a leg to another one."""

    def is_joined(self) -> bool:
        """Whether both can hear each other now."""

    def other(self, leg: Call) -> Call | None:
        """Return the leg at the other end, once there is one."""

    def part(self) -> None:
        """Separate the legs; both live on."""

    def leg_is_ending(self, leg: Call) -> None:
        """Learn that one of the two is about to end."""

    def leg_ended(self, leg: Call) -> None:
        """Learn that one of the two has ended."""


@dataclass(frozen=True, slots=True)
class CallSnapshot:
    """A leg as it was at one moment.

    Attributes:
        is_on_hold: whether the person hears music, and nobody else, because of ``calling.hold``.
        is_denoised: whether background noise is taken out of what the person says.
        commands: how many commands of each method named this leg.
        running: what runs on it, by name, for example ``Play`` or ``Place`` (in a queue), the oldest first.
        peer_call_id: the leg that it is connected to; empty if there is none.
    """

    call_id: str
    node_id: str
    direction: str
    state: str
    end_reason: str
    context: str
    tag: str
    from_number: str
    to_number: str
    is_on_hold: bool
    is_denoised: bool
    commands: Mapping[str, int]
    running: tuple[str, ...]
    peer_call_id: str


class Call:
    """One leg. The simulator's lock guards it.

    Args:
        world: time, and the makers of ids.
        post: where its events go.
        session: the client that owns the leg.
        direction: ``inbound`` or ``outbound``, seen from the client.
        created_by: ``receive``, ``dial`` or ``connect``.
    """

    def __init__(
        self,
        world: World,
        post: Post,
        *,
        session: Session | None,
        call_id: str,
        node_id: str,
        segment_id: str,
        direction: str,
        device: dict[str, object],
        created_by: str,
        context: str = "",
        tag: str = "",
    ) -> None:
        self.world = world
        self.session = session
        self.call_id = call_id
        self.node_id = node_id
        self.segment_id = segment_id
        self.direction = direction
        self.device = device
        self.created_by = created_by
        self.context = context
        self.tag = tag
        self.state: str = CallState.CREATED
        self.end_reason = ""
        self.ear: Ear | None = None
        self.joint: Joint | None = None
        self.circles: list[Circle] = []
        self.is_on_hold = False
        self.is_denoised = False
        self.origin: Call | None = None
        self.running: dict[str | tuple[str, ...], Running] = {}
        """By control id; what a client has no name for, by a tuple, which no client can have chosen."""
        self.control_ids: set[str] = set()
        """Of the operations that a client has started here, also of those that are over: each is started once."""
        self.tape = Tape(world.simulated_now)
        self.commands: Counter[str] = Counter()
        self.on_picked_up: Callable[[Call], None] | None = None
        self.at_end: list[Callable[[Call], None]] = []
        self.on_heard: list[Callable[[Sound], None]] = []
        """Told of every sound that the person is to hear."""
        self._post = post
        self._times = {"start_time": world.wall_ms()}

    @property
    def is_over(self) -> bool:
        """Whether the leg has ended, or is about to."""
        return self.state in (CallState.ENDING, CallState.ENDED)

    @property
    def is_answered(self) -> bool:
        """Whether both sides can talk now."""
        return self.state == CallState.ANSWERED

    @property
    def has_listener(self) -> bool:
        """Whether anything that runs wants keys or words."""
        return any(running.is_listening for running in self.running.values())

    @property
    def persona(self) -> Persona:
        """Who is at the end of the leg; a person, as long as nobody said otherwise."""
        return self.ear.persona if self.ear is not None else HUMAN

    @property
    def ready_in_s(self) -> float:
        """Simulated seconds until a machine at the end of the leg has said its greeting; 0 for people."""
        return self.ear.ready_in_s if self.ear is not None else 0.0

    @property
    def peer(self) -> Call | None:
        """The leg that this one is connected to now."""
        return self.joint.other(self) if self.joint and self.joint.is_joined() else None

    @property
    def heard_by(self) -> list[Call]:
        """The legs at whose ends this one's person is heard now. Who is on hold neither is heard nor hears."""
        if self.is_on_hold:
            return []
        peer = self.peer
        hearers = [] if peer is None else [peer]
        hearers += [leg for circle in self.circles for leg in circle.hearers(self)]
        return [leg for leg in dict.fromkeys(hearers) if not leg.is_on_hold]

    @property
    def own_number(self) -> str:
        """The number of the person at the end of the leg."""
        return self.number("from_number" if self.direction == "inbound" else "to_number")

    def emit(self, event_type: str, params: Params, *, context: str | None = None, names_call: bool = True) -> None:
        """Send an event of this leg to its owner; one that is not about the leg does not name it."""
        ids = {"call_id": self.call_id} if names_call else {}
        self._post.send(self.session, event_type, {**params, **ids, "node_id": self.node_id}, context=context)

    def report_state(self) -> None:
        """Send ``calling.call.state``."""
        params: dict[str, object] = {"call_state": self.state}
        if self.end_reason:
            params["end_reason"] = self.end_reason
        self.emit("calling.call.state", {**params, **self._description(), **self._times})

    def offer(self) -> None:
        """Send ``calling.call.receive`` to the owner: here is a call for you. Source: PROTOCOL 8.3."""
        params = {"call_state": self.state, "context": self.context, **self._description(), "tag": self.tag}
        del params["created_by"]
        self.emit("calling.call.receive", params, context=self.context)

    def ring(self) -> None:
        """Begin to ring at the other end."""
        self._move(CallState.RINGING)

    def pick_up(self) -> None:
        """The person answers: whoever called the leg decides what that means."""
        if self.on_picked_up is not None:
            self.on_picked_up(self)

    def answer(self) -> None:
        """Become answered, if the leg is not over."""
        self._move(CallState.ANSWERED)

    def end(self, reason: str) -> None:
        """End: first what runs on the leg, then the leg. Idempotent. Source: PROTOCOL 19.2."""
        self._end(reason, CallState.ENDING, CallState.ENDED)

    def cancel(self, reason: str) -> None:
        """End a leg that was never answered: it goes to ``ended`` at once. Idempotent. Source: PROTOCOL 9.2."""
        self._end(reason, CallState.ENDED)

    def let_go(self) -> None:
        """Stop all that runs and belong to nobody: no event follows, and commands find nothing here."""
        self.session = None
        for running in list(self.running.values()):
            running.call_ends()
        joint = self.joint
        if joint is not None:
            joint.leg_is_ending(self)
            joint.leg_ended(self)

    def hear(self, sound: Sound) -> None:
        """Let the person hear something."""
        self.tape.note(HEARD, sound)
        if self.ear is not None:
            self.ear.on_sound(sound)
        for tell in list(self.on_heard):
            tell(sound)

    def press(self, digit: str) -> bool:
        """Take a key that the person pressed; return whether anybody listened."""
        tone = Sound("digits", digit, 0.1)
        self.tape.note(SAID, tone)
        took = [running.digit_pressed(digit) for running in self._still_running()]
        return self._is_heard(tone) or any(took)

    def say(self, words: str, confidence: float, sound: Sound) -> bool:
        """Take what the person said; return whether anybody listened."""
        self.tape.note(SAID, sound)
        took = [running.words_said(words, confidence) for running in self._still_running()]
        return self._is_heard(sound) or any(took)

    def sound(self, sound: Sound) -> None:
        """Let what is at the end of the leg make a sound that is neither a word nor a key."""
        self.tape.note(SAID, sound)
        self._is_heard(sound)

    def number(self, key: str) -> str:
        """Return ``from_number`` or ``to_number``, or for a SIP device its address."""
        params = read_object(self.device.get("params")) or {}
        return read_text(params.get(key)) or read_text(params.get(key.removesuffix("_number"))) or ""

    def snapshot(self) -> CallSnapshot:
        """Return the leg as it is now."""
        return CallSnapshot(
            call_id=self.call_id,
            node_id=self.node_id,
            direction=self.direction,
            state=str(self.state),
            end_reason=self.end_reason,
            context=self.context,
            tag=self.tag,
            from_number=self.number("from_number"),
            to_number=self.number("to_number"),
            is_on_hold=self.is_on_hold,
            is_denoised=self.is_denoised,
            commands=MappingProxyType(dict(self.commands)),
            running=tuple(type(running).__name__ for running in self.running.values()),
            peer_call_id=self.peer.call_id if self.peer is not None else "",
        )

    def _still_running(self) -> Iterator[Running]:
        """Go through what runs, without what has come to an end on the way: a key may end others by its binding."""
        for name, running in list(self.running.items()):
            if self.running.get(name) is running:
                yield running

    def _is_heard(self, sound: Sound) -> bool:
        hearers = self.heard_by
        for leg in hearers:
            leg.hear(sound)
        return bool(hearers)

    def _move(self, state: CallState) -> None:
        if not may_move(self.state, state):
            return
        self.state = state
        if state is CallState.ANSWERED:
            self._times["answer_time"] = self.world.wall_ms()
        if state is CallState.ENDED:
            self._times["end_time"] = self.world.wall_ms()
        self.report_state()
        if self.ear is not None and state is not CallState.ENDING:
            self.ear.on_change(f"ended ({self.end_reason})" if state is CallState.ENDED else str(state))

    def _end(self, reason: str, *states: CallState) -> None:
        if self.is_over:
            return
        for running in list(self.running.values()):
            running.call_ends()
        joint = self.joint
        if joint is not None:
            joint.leg_is_ending(self)
        self.end_reason = reason
        for state in states:
            self._move(state)
        if joint is not None:
            joint.leg_ended(self)
        for tell in list(self.at_end):
            tell(self)

    def _description(self) -> dict[str, object]:
        described: dict[str, object] = {"direction": self.direction, "device": self.device}
        if self.tag:
            described["tag"] = self.tag
        described |= {"segment_id": self.segment_id, "created_by": self.created_by}
        if self.origin is not None:
            there = {"call_id": self.origin.call_id, "node_id": self.origin.node_id}
            described |= {"peer": there, "parent": {"device_type": self.origin.device.get("type"), **there}}
        return described
