"""A server that says what was recorded, when the application has said what came before it. Layer: door.

It goes through the recording in its order. What the server said is said at the recorded time, but not before every
command that was recorded before it has come; what is late makes all that follows late. A command that does not come is
given up when its call goes on without it, or after `PATIENCE_S`. What was said about it then waits until it comes.

Source: SEMANTICS V7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from relay_actors.errors import TransportError
from relay_actors.protocol.server import CommandArrived, LogInAsked, PingArrived, ServerProtocol
from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.testing.matching import Change, Matching, lane_of
from relay_actors.testing.naming import with_texts
from relay_actors.testing.recording import Recording
from relay_actors.testing.redaction import SESSION, Redaction
from relay_actors.testing.said import COMMAND, EVENT, REFUSAL, Said
from relay_actors.transport.memory import MemoryTransport

__all__ = ["CROSSING_S", "PATIENCE_S", "Script", "Step"]

CROSSING_S: Final = 0.1
"""How long before the end of its call a command that was not recorded may come, and only cross with it."""

PATIENCE_S: Final = 10.0
"""How long after its time a command may still come, in virtual seconds."""

_WELCOME: Final[Mapping[str, object]] = {
    "identity": "replay@replay",
    "protocol": SESSION,
    "session_restored": False,
    "sessionid": "replay",
    "nodeid": "replay@replay",
    "master_nodeid": "replay@replay",
    "authorization": {"project": "test-project", "expires_at": None, "scopes": ["calling", "messaging", "tasking"]},
    "ice_servers": [],
}
"""Source: PROTOCOL 3.2."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was said in the replay.

    Attributes:
        at: virtual seconds since the log-in.
        said: by the server as recorded; by the application as it came, words and all, with the number of the recorded
            command that it is, or 0.
        changes: what of a command is not as it was recorded.
        is_crossing: whether it is a command that has met the end of its call under way.
    """

    at: float
    said: Said
    changes: Sequence[Change] = ()
    is_crossing: bool = False


class Script:
    """The server's side of a replay.

    Args:
        recording: what is said.
        dispatcher: gives turns, and has the time.
        numbers: for which no stand-ins are told.

    Attributes:
        matching: which recorded commands have come.
        steps: all that was said.
        given_up: from the number of each recorded command that was waited for in vain to how many steps there were.
        is_over: whether everything in the recording was said, or given up.
    """

    def __init__(self, recording: Recording, dispatcher: DeterministicDispatcher, numbers: Iterable[str] = ()) -> None:
        self.matching = Matching(recording.said)
        self.steps: list[Step] = []
        self.given_up: dict[int, int] = {}
        self.is_over = False
        self._said = recording.said
        self._ended = {
            one.call_id: one.at
            for one in recording.said
            if one.name == "calling.call.state" and one.body.get("call_state") == "ended"
        }
        self._at = {one.number: one.at for one in recording.said if one.kind == COMMAND}
        self._redaction = Redaction(salt=recording.salt, keeps_words=recording.keeps_words)
        plain = [number.lstrip("+") for number in numbers]
        self._numbers = {self._redaction.stand_in(digits): digits for digits in plain}
        self._shown = Redaction(salt=recording.salt, keeps_words=True)
        self._dispatcher = dispatcher
        self._place = 0
        self._began: float | None = None
        self._lateness = 0.0
        self._timer: TimerHandle | None = None
        self._requests: dict[int, object] = {}
        self._unanswered: dict[int, tuple[str, Mapping[str, Any]]] = {}
        self._waiting: list[Said] = []
        self._ids = count(1)
        self._protocol = ServerProtocol(new_id=self._new_id)
        self._end: MemoryTransport | None = None

    def accept(self, end: MemoryTransport) -> None:
        """Take a connection of the application; one that there was before is over."""
        self._protocol = ServerProtocol(new_id=self._new_id)
        self._end = end
        end.set_waker(lambda: self._dispatcher.run_blocking(lambda: self._pump(end), "pump"))

    @property
    def awaited(self) -> Said | None:
        """The dial or the text that should come now, by its recorded time; None if there is none."""
        one = self._said[self._place] if self._place < len(self._said) else None
        if one is None or one.kind != COMMAND or one.number in self._requests or self._began is None:
            return None
        is_of_call = lane_of(one.name, one.body) != one.name
        return None if is_of_call or self._now < one.at + self._lateness else one

    def _pump(self, end: MemoryTransport) -> None:
        if end is not self._end:
            return
        try:
            texts = end.receive()
        except TransportError:
            self._end = None
            end.close()
            return
        for text in texts:
            for happening in self._protocol.receive_text(text):
                match happening:
                    case LogInAsked():
                        self._protocol.accept_log_in(_WELCOME)
                        self._began = self._dispatcher.clock.now() if self._began is None else self._began
                    case PingArrived(id=id):
                        self._protocol.respond(id, {"timestamp": self._dispatcher.clock.wall()})
                    case CommandArrived(id=id, method=method, params=params):
                        self._command(id, method, params)
        self._go_on()

    def _command(self, id: object, method: str, params: Mapping[str, Any]) -> None:
        if method.startswith("signalwire."):
            self._protocol.respond(id, {"code": "200", "message": "OK"})
            return
        for number, asked in self._unanswered.items():
            if asked == (method, params):
                self._requests[number] = id  # sent once more, because no answer came: nothing new
                return
        clean = self._redaction.command(method, params)
        shown = self._shown.command(method, params)
        match self.matching.take(method, clean, shown):
            case None if self._is_ending(lane_of(method, clean)):
                self._note(Said(0.0, COMMAND, method, self.matching.to_recorded(shown)), is_crossing=True)
                self._protocol.respond(id, {"code": "404", "message": "Call not found"})
            case None:
                self._note(Said(0.0, COMMAND, method, self.matching.to_recorded(shown)))
                self._protocol.respond(id, {"code": "200", "message": "OK", "message_id": self._new_id()})
            case number, changes:
                self._requests[number] = id
                self._unanswered[number] = (method, params)
                self.given_up.pop(number, None)
                self._lateness = max(self._lateness, self._now - self._at[number])
                self._note(Said(self._at[number], COMMAND, method, self.matching.to_recorded(shown), number), changes)
                waiting, self._waiting = self._waiting, []
                for one in waiting:
                    self._say(one)

    def _go_on(self) -> None:
        """Say what is due, and see to it that this is called when the next thing is."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._began is not None and self._place < len(self._said):
            one = self._said[self._place]
            is_command = one.kind == COMMAND
            if is_command and one.number not in self._requests and not self.matching.is_passed(one.number):
                due = one.at + self._lateness
                due += PATIENCE_S if self._now >= due else 0.0
            else:
                due = 0.0 if is_command else one.at + self._lateness
            if due > self._now:
                self._timer = self._dispatcher.call_at(self._began + due, self._go_on)
                break
            if not is_command:
                self._say(one)
            elif one.number not in self._requests:
                self.given_up[one.number] = len(self.steps)
            self._place += 1
        self.is_over = self._place == len(self._said)
        self._flush()

    def _say(self, one: Said) -> None:
        """Say it, or put it aside until the application has said what it is about."""
        is_about = self.matching.not_chosen_yet({"body": one.body, "outer": one.outer})
        if is_about is not None or (one.kind != EVENT and one.number not in self._requests):
            self._waiting.append(one)
            return
        body = with_texts(self.matching.to_live(one.body), self._with_numbers)
        if one.kind == EVENT:
            outer = {"event_channel": "replay", "timestamp": self._dispatcher.clock.wall(), **one.outer}
            self._protocol.send_event(one.name, body, outer)
        elif self._unanswered.pop(one.number, None) is None:
            return
        elif one.kind == REFUSAL:
            self._protocol.respond_error(self._requests[one.number], body.get("code", -1), str(body.get("message", "")))
        else:
            self._protocol.respond(self._requests[one.number], body)
        self._note(one)

    def _with_numbers(self, _key: str, text: str) -> str:
        for stand_in, number in self._numbers.items():
            text = text.replace(stand_in, number)
        return text

    def _is_ending(self, lane: str) -> bool:
        """Return whether a call has just ended, or is about to, and has sent all that it has sent then.

        In virtual time an application needs none to do something. Then it needed some, and had heard of the end
        before it did.
        """
        ended = self._ended.get(lane)
        is_near = ended is not None and ended + self._lateness - self._now <= CROSSING_S
        return is_near and self.matching.is_complete(lane)

    def _note(self, one: Said, changes: Sequence[Change] = (), *, is_crossing: bool = False) -> None:
        self.steps.append(Step(self._now, one, changes, is_crossing))

    def _flush(self) -> None:
        texts = self._protocol.texts_to_send()
        if self._end is not None and texts:
            try:
                self._end.send(texts)
            except TransportError:
                self._end = None  # the application has gone; its next connection is a new one

    @property
    def _now(self) -> float:
        """Virtual seconds since the log-in."""
        return self._dispatcher.clock.now() - (self._began or 0.0)

    def _new_id(self) -> str:
        return f"replay-{next(self._ids)}"
