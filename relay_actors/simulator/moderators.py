"""Whoever presides over a conference, from outside RELAY: a dashboard, or a REST request. Layer: simulator.

No command of the wire mutes or holds a member of a conference, but its events tell of it. A test causes them here::

    chair = sim.conference("weekly")
    chair.mute("+15550001111").hold("+15550002222").kick("+15550003333")
    chair.end()

Source: PROTOCOL 13.7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from relay_actors.simulator.conference import Conference, Participation
from relay_actors.simulator.conferences import Conferences
from relay_actors.simulator.lines import Line, StoryError
from relay_actors.simulator.phones import Phone
from relay_actors.simulator.world import World

__all__ = ["Moderator"]

Who = Phone | Line | str
"""A member: its phone or line, or its number."""


class Moderator:
    """The power over the conference of one name. What is so already is done again without an event.

    Every method may be called from any thread; those without a result of their own return the moderator.

    Args:
        world: the lock.
        conferences: where the conference is looked up, each time.
        name: of the conference.

    Raises:
        StoryError: from every method, when nobody is in the conference, or the one who is meant is not.
    """

    def __init__(self, world: World, conferences: Conferences, name: str) -> None:
        self._world = world
        self._conferences = conferences
        self._name = name

    def mute(self, who: Who) -> Moderator:
        """Let nobody hear a member: ``participant-mute``."""
        return self._mute(who, is_muted=True)

    def unmute(self, who: Who) -> Moderator:
        """Let the others hear a member again: ``participant-unmute``."""
        return self._mute(who, is_muted=False)

    def hold(self, who: Who) -> Moderator:
        """Let a member hear music, and nobody else: ``participant-hold``."""
        return self._do(who, lambda part: part.hold(is_held=True))

    def unhold(self, who: Who) -> Moderator:
        """Take a member back: ``participant-unhold``."""
        return self._do(who, lambda part: part.hold(is_held=False))

    def modify(
        self,
        who: Who,
        *,
        beep: Literal["true", "false", "onEnter", "onExit"] | None = None,
        end_on_exit: bool | None = None,
        coach: Who | None = None,
        stop_coaching: bool = False,
    ) -> Moderator:
        """Change how a member takes part: ``participant-modify``.

        Args:
            who: the member.
            beep: what the others hear of its coming and going.
            end_on_exit: whether the conference ends when it leaves.
            coach: the member whom alone it talks to from now on.
            stop_coaching: let it talk to everybody again.
        """

        def change(part: Participation) -> None:
            if beep is not None:
                part.beep = beep
            if end_on_exit is not None:
                part.ends_on_exit = end_on_exit
            if coach is not None:
                part.coaches = self._member(coach).call.call_id
            if stop_coaching:
                part.coaches = ""
            part.conference.tell_of(part, "participant-modify")

        return self._do(who, change)

    def kick(self, who: Who) -> Moderator:
        """Put a member out; its call goes on: ``participant-leave``."""

        def put_out(part: Participation) -> None:
            part.is_kicked = True
            part.conference.leave(part)

        return self._do(who, put_out)

    def pause_recording(self) -> Moderator:
        """Record nothing for now: ``record-pause``.

        Raises:
            StoryError: nothing is being recorded.
        """
        return self._do_with_recording(Conference.pause_recording, "is not being recorded")

    def resume_recording(self) -> Moderator:
        """Go on recording: ``record-resume``.

        Raises:
            StoryError: its recording is not paused.
        """
        return self._do_with_recording(Conference.resume_recording, "has no paused recording")

    def end(self) -> None:
        """Put everybody out; their calls go on: ``conference-end``."""
        with self._world.turn():
            self._conference().end()

    def _mute(self, who: Who, *, is_muted: bool) -> Moderator:
        def change(part: Participation) -> None:
            if part.is_muted is not is_muted:
                part.is_muted = is_muted
                part.conference.tell_of(part, "participant-mute" if is_muted else "participant-unmute")

        return self._do(who, change)

    def _do(self, who: Who, act: Callable[[Participation], None]) -> Moderator:
        with self._world.turn():
            act(self._member(who))
        return self

    def _do_with_recording(self, act: Callable[[Conference], bool], complaint: str) -> Moderator:
        with self._world.turn():
            if not act(self._conference()):
                raise StoryError(f"conference {self._name} {complaint}")
        return self

    def _conference(self) -> Conference:
        conference = self._conferences.find(self._name)
        if conference is None:
            running = ", ".join(known.name for known in self._conferences.snapshots()) or "none"
            raise StoryError(f"nobody is in conference {self._name}; conferences that somebody is in: {running}")
        return conference

    def _member(self, who: Who) -> Participation:
        parts = self._conference().members.values()
        for part in parts:
            if part.call.call_id == who.call_id if isinstance(who, Line) else part.call.own_number == _number(who):
                return part
        members = ", ".join(part.call.own_number for part in parts)
        raise StoryError(f"{_number(who)} is not in conference {self._name}; its members: {members}")


def _number(who: Who) -> str:
    return who if isinstance(who, str) else who.number
