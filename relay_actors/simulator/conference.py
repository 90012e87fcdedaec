"""One conference: who hears whom in it, and what its members are told. Layer: simulator. Source: PROTOCOL 12, 13.7."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from relay_actors.protocol.readers import read_flag, read_text
from relay_actors.simulator.calls import Call, Params, Running
from relay_actors.simulator.conference_reports import RECORDING_WORDS, STATUS_WORDS, Callbacks, Recording
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.operations.play import Player
from relay_actors.simulator.sounds import BEEP, Sound, music, voice
from relay_actors.simulator.timers import Timer
from relay_actors.simulator.world import World

__all__ = ["Conference", "ConferenceSnapshot", "MemberSnapshot", "Participation"]

EVENT = "calling.conference"


@dataclass(frozen=True, slots=True)
class MemberSnapshot:
    """A member as it was at one moment.

    Attributes:
        coaches: the call id of the member whom alone this one talks to; empty: to everybody.
    """

    call_id: str
    number: str
    is_muted: bool
    is_on_hold: bool
    coaches: str


@dataclass(frozen=True, slots=True)
class ConferenceSnapshot:
    """A conference as it was at one moment.

    Attributes:
        is_started: whether its members hear each other, or still wait for one who starts it.
        is_recording: whether it is recorded now; a paused recording is not.
        members: in the order in which they joined.
    """

    name: str
    conference_id: str
    is_started: bool
    is_recording: bool
    members: tuple[MemberSnapshot, ...]


class Participation(Running):
    """One leg's part in one conference; it ends with the call."""

    def __init__(self, conference: Conference, call: Call, params: Params) -> None:
        self.conference = conference
        self.call = call
        self.beep = read_text(params.get("beep")) or "true"
        self.is_muted = read_flag(params.get("muted")) or False
        self.starts_on_enter = read_flag(params.get("start_on_enter")) is not False
        self.ends_on_exit = read_flag(params.get("end_on_exit")) or False
        self.is_to_be_recorded = params.get("record") == "record-from-start"
        self.coaches = read_text(params.get("coach")) or ""
        self.is_held = False
        self.is_kicked = False
        self._was_on_hold = call.is_on_hold
        self._wait_music = Player(call, [music("conference", params.get("wait_url"))], loops=0, at_end=_nothing)
        self._hold_music = Player(call, [music("hold")], loops=0, at_end=_nothing)
        self._speech: Timer | None = None

    @property
    def is_on_hold(self) -> bool:
        """Whether it neither hears nor is heard: a moderator held it, or ``calling.hold`` did."""
        return self.is_held or self.call.is_on_hold

    @property
    def is_heard(self) -> bool:
        """Whether anybody could hear it now."""
        return self.conference.is_started and not self.is_muted and not self.is_on_hold

    def wait(self) -> None:
        """Hear music until the conference starts."""
        self._wait_music.start()

    def stop_waiting(self) -> None:
        """Hear the others from now on."""
        self._wait_music.stop()

    def hold(self, *, is_held: bool) -> None:
        """Be put aside by a moderator, or be taken back. Idempotent."""
        if is_held == self.is_held:
            return
        self.is_held = is_held
        if is_held:
            self._hold_music.start()
        else:
            self._hold_music.stop()
        self.hold_changed()

    def hold_changed(self) -> None:
        """Report it, if the member has come to be on hold, or is so no more."""
        if self._was_on_hold is not self.is_on_hold:
            self._was_on_hold = self.is_on_hold
            self.conference.tell_of(self, "participant-hold" if self.is_on_hold else "participant-unhold")

    def fall_silent(self) -> None:
        """Hear and say no more: the member goes out."""
        self._wait_music.stop()
        self._hold_music.stop()
        if self._speech is not None:
            self._speech.cancel()
            self._speech_is_over()

    def call_ends(self) -> None:
        """Leave."""
        self.conference.leave(self)

    def digit_pressed(self, digit: str) -> bool:
        """Let keys pass: the others hear them."""
        self._let_record(Sound("digits", digit, 0.1))
        return False

    def words_said(self, words: str, confidence: float) -> bool:
        """Report who speaks, unless nobody can hear it; words that follow at once are one speech."""
        if not self.is_heard:
            return False
        self._let_record(voice(words))
        if self._speech is None:
            self.conference.tell_of(self, "participant-speech-start")
        else:
            self._speech.cancel()
        self._speech = self.call.world.after(voice(words).length_s, self._speech_is_over)
        return False

    def _let_record(self, sound: Sound) -> None:
        if self.is_heard and not self.coaches:
            self.conference.record(sound)

    def _speech_is_over(self) -> None:
        self._speech = None
        self.conference.tell_of(self, "participant-speech-stop")


class Conference:
    """One conference: it starts with the first member who may start it, and ends with its last.

    Who comes, goes and so on is told to every member, each on its own leg, since applications route events by
    ``call_id``; ``participant_call_id`` says whom it is about. (`Manners.conference_events` has the other way.)

    Args:
        world: time, and where webhooks go.
        manners: who is told.
        on_over: called when it has ended.
    """

    def __init__(
        self,
        world: World,
        manners: Manners,
        *,
        name: str,
        conference_id: str,
        max_participants: int,
        on_over: Callable[[Conference], None],
    ) -> None:
        self.name = name
        self.conference_id = conference_id
        self.max_participants = max_participants
        self.is_started = False
        self.members: dict[Call, Participation] = {}
        self._world = world
        self._manners = manners
        self._on_over = on_over
        self._recording: Recording | None = None
        self._statuses = Callbacks(world.webhooks, STATUS_WORDS)
        self._recordings = Callbacks(world.webhooks, RECORDING_WORDS)

    def join(self, call: Call, params: Params) -> None:
        """Let a leg in."""
        part = Participation(self, call, params)
        self._take_callbacks(params)
        self.members[call] = part
        call.running["conference", self.conference_id] = part
        call.circles.append(self)
        if not self.is_started and part.starts_on_enter:
            self._start(part)
        self.tell_of(part, "participant-join")
        _note(call, f"joined conference {self.name}")
        if not self.is_started:
            part.wait()
        elif part.beep in ("true", "onEnter"):
            self._beep(part)
        self._record_if_asked(part)

    def leave(self, part: Participation) -> None:
        """Let a member out; the conference ends with its last one, or with one that asked for that."""
        if self.members.get(part.call) is not part:
            return
        self._let_out(part)
        how = "kicked" if part.is_kicked else "left"
        others = list(self.members.values())
        if part.ends_on_exit and others:
            for other in others:
                self._let_out(other)
            self._end(f"participant-with-end-conference-on-exit-{how}", part, [part, *others])
        elif not others:
            self._end(f"last-participant-{how}", part, [part])

    def end(self) -> None:
        """Let everybody out."""
        parts = list(self.members.values())
        for part in parts:
            self._let_out(part)
        self._end("conference-ended-via-api", parts[-1], parts, is_ended_by_member=False)

    def hearers(self, leg: Call) -> Iterable[Call]:
        """Return all the others; a coach is heard by the one who is coached, and who is muted or on hold by nobody."""
        part = self.members[leg]
        if not part.is_heard:
            return []
        others = [other for other in self.members.values() if other is not part and not other.is_on_hold]
        return [other.call for other in others if part.coaches in ("", other.call.call_id)]

    def tell_of(self, part: Participation, status: str, *, size: int | None = None) -> None:
        """Tell everybody what one member did, or what was done to it."""
        described: dict[str, object] = {
            "size": len(self.members) if size is None else size,
            "muted": part.is_muted,
            "hold": part.is_on_hold,
            "start_on_join": part.starts_on_enter,
            "end_on_leave": part.ends_on_exit,
            "coaching": bool(part.coaches),
        }
        if self._manners.conference_events == "every_member":
            described["participant_call_id"] = part.call.call_id
        self._tell(status, part, self.members.values(), described)

    def record(self, sound: Sound) -> None:
        """Record what a member makes, if the conference is recorded."""
        if self._recording is not None:
            self._recording.hear(sound)

    def pause_recording(self) -> bool:
        """Record nothing for now; return whether it was recorded."""
        if self._recording is None or self._recording.is_paused:
            return False
        self._recording.pause()
        self._tell_of_all("record-pause")
        return True

    def resume_recording(self) -> bool:
        """Go on recording; return whether there was a pause."""
        if self._recording is None or not self._recording.is_paused:
            return False
        self._recording.resume()
        self._tell_of_all("record-resume")
        return True

    def snapshot(self) -> ConferenceSnapshot:
        """Return the conference as it is now."""
        return ConferenceSnapshot(
            name=self.name,
            conference_id=self.conference_id,
            is_started=self.is_started,
            is_recording=self._recording is not None and not self._recording.is_paused,
            members=tuple(
                MemberSnapshot(
                    call_id=part.call.call_id,
                    number=part.call.own_number,
                    is_muted=part.is_muted,
                    is_on_hold=part.is_on_hold,
                    coaches=part.coaches,
                )
                for part in self.members.values()
            ),
        )

    def _take_callbacks(self, params: Params) -> None:
        for kind, callbacks in (("status", self._statuses), ("recording_status", self._recordings)):
            key = f"{kind}_callback"
            callbacks.add(params.get(key), params.get(f"{key}_event"), params.get(f"{key}_method"))

    def _start(self, starter: Participation) -> None:
        self.is_started = True
        for part in self.members.values():
            part.stop_waiting()
        self._tell("conference-start", starter, self.members.values(), {})

    def _let_out(self, part: Participation) -> None:
        part.fall_silent()
        self.tell_of(part, "participant-leave", size=len(self.members) - 1)
        del self.members[part.call]
        part.call.running.pop(("conference", self.conference_id), None)
        part.call.circles.remove(self)
        _note(part.call, f"left conference {self.name}")
        if self.is_started and part.beep in ("true", "onExit"):
            self._beep(part)

    def _end(
        self, reason: str, last: Participation, parts: list[Participation], *, is_ended_by_member: bool = True
    ) -> None:
        if self._recording is not None:
            self._tell("record-stop", last, parts, self._recording.finish())
            self._recording = None
        ended_by = {"call_id_ending_conf": last.call.call_id} if is_ended_by_member else {}
        self._tell("conference-end", last, parts, {"reason_ended": reason, **ended_by})
        self._on_over(self)

    def _beep(self, part: Participation) -> None:
        for other in self.members.values():
            if other is not part and not other.is_on_hold:
                other.call.hear(BEEP)

    def _record_if_asked(self, part: Participation) -> None:
        is_asked = any(member.is_to_be_recorded for member in self.members.values())
        if self.is_started and is_asked and self._recording is None:
            self._recording = Recording(self._world, self.conference_id)
            self._tell("record-start", part, self.members.values(), {})

    def _tell_of_all(self, status: str) -> None:
        parts = list(self.members.values())
        self._tell(status, parts[0], parts, {})

    def _tell(
        self, status: str, about: Participation, parts: Iterable[Participation], described: dict[str, object]
    ) -> None:
        event = {"conference_id": self.conference_id, "name": self.name, "status": status, **described}
        callbacks = self._recordings if status.startswith("record-") else self._statuses
        callbacks.report({**event, "call_id": about.call.call_id, "node_id": about.call.node_id})
        if self._manners.conference_events == "participant":
            about.call.emit(EVENT, event, names_call=status != "conference-end")
            return
        for part in parts:
            part.call.emit(EVENT, event)


def _note(call: Call, what: str) -> None:
    if call.ear is not None:
        call.ear.on_change(what)


def _nothing() -> None:
    """Do nothing."""
