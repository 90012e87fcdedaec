"""The simulator's journal: one JSON object a line for everything that it has seen, people and wire.

Each has ``at`` (seconds since the beginning) and ``what``:

=========== ===========================================================================================================
planned     somebody of the cast: the fields of `Person`
heard       ``number``, ``line`` (which call of this telephone, from 0), ``call``, ``kind`` of sound, ``text``
pressed     ``number``, ``line``, ``call``, ``digit``, ``taken``: whether anybody listened
said        ``number``, ``line``, ``call``, ``words``, ``taken``
changed     ``number``, ``line``, ``call``, ``text``: ringing, answered, connected to somebody, and so on
ended       ``number``, ``line``, ``call``, ``reason``, ``by``: ``person`` or ``other side``; ``heard``: of each prompt
            its text, for how long it was heard and how long it is
received    a request: ``id``, ``method``, ``params`` (none of a log-in)
answered    the response to one: ``id``, ``code``
sent        an event: ``id``, ``event``, ``params``
acked       the response to one: ``id``
killed      the application was killed, for the ``number``-th time; ``states``: how many legs are in which state
over        ``up``: those whose call is up when everything was let finish; ``legs``: how many legs there are;
            ``failures`` of the simulator; ``violations``: how many commands broke the schema
=========== ===========================================================================================================
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from relay_actors.simulator.calls import CallSnapshot
from relay_actors.simulator.lines import Line
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.wire_log import LoggedFrame
from tests.kill9.cast import Person

__all__ = ["Recorder", "state_of"]

_NOBODY: Final = " (nobody listened)"
_ENDED: Final = re.compile(r"ended \((.*)\)")
_DOING: Final = (
    ("Place", "in a queue"),
    ("Record", "being recorded"),
    ("PlayAndCollect", "asked for input"),
    ("Play", "hearing a prompt"),
    ("Collect", "asked for input"),
)


class Recorder:
    """Writes what a simulator sees, until it is closed.

    Args:
        path: of the file, which is made anew.
        simulator: nobody has called in it yet.
        cast: who is going to.
    """

    def __init__(self, path: Path, simulator: Simulator, cast: Iterable[Person]) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._simulator = simulator
        self._began = simulator.clock.now()
        self._pending: list[tuple[Line, int, str]] = []
        self._lines: dict[Line, int] = {}
        self._count: Counter[str] = Counter()
        self._heard: Counter[Line] = Counter()
        self._requests: set[str] = set()
        self._hung_up: set[Line] = set()
        for person in cast:
            self._write("planned", person=person.to_record())
        simulator.observe_lines(self._note_moment)
        simulator.frames.observe(self._note_frame)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._simulator.turn():
            self._catch_up()
            self._file.close()

    def note_kill(self, number: int) -> None:
        """Note that the application was killed, and what the calls are doing."""
        with self._simulator.turn():
            self._catch_up()
            legs = self._simulator.calls_up()
            self._write("killed", number=number, states=dict(Counter(map(state_of, legs))))

    def note_over(self) -> None:
        """Note that everything was let finish, and whose call is up all the same."""
        with self._simulator.turn():
            self._catch_up()
            up = [line.number for phone in self._simulator.phones for line in phone.lines if not line.is_over]
            self._write(
                "over",
                up=up,
                legs=len(self._simulator.calls_up()),
                failures=[repr(failure) for failure in self._simulator.failures],
                violations=len(self._simulator.violations),
            )
            self._file.flush()

    # With the simulator's lock held.

    def _note_moment(self, line: Line, place: int) -> None:
        # Written later: in the same turn the simulator adds whether anybody has listened.
        self._pending.append((line, place, line.call_id))

    def _note_frame(self, frame: LoggedFrame) -> None:
        self._catch_up()
        if self._file.closed:
            return
        body = frame.frame
        method, params = body.get("method"), body.get("params")
        id = str(body.get("id", ""))
        if isinstance(method, str) and isinstance(params, dict):
            if frame.direction == "received":
                self._requests.add(id)
                is_log_in = method == "signalwire.connect"
                self._write("received", id=id, method=method, params={} if is_log_in else params)
            elif method == "signalwire.event":
                self._write("sent", id=id, event=params.get("event_type", ""), params=params.get("params", {}))
        elif frame.direction == "received":
            self._write("acked", id=id)
        elif id in self._requests:
            result = body.get("result")
            code = result.get("code", "") if isinstance(result, dict) else "error"
            self._write("answered", id=id, code=code)

    def _catch_up(self) -> None:
        pending, self._pending = self._pending, []
        for line, place, call_id in pending:
            self._write_moment(line, place, call_id)

    def _write_moment(self, line: Line, place: int, call_id: str) -> None:
        if line not in self._lines:
            self._lines[line] = self._count[line.number]
            self._count[line.number] += 1
        moment = line.timeline[place]
        text, taken = moment.what.removesuffix(_NOBODY), not moment.what.endswith(_NOBODY)
        whose: dict[str, Any] = {"number": line.number, "line": self._lines[line], "call": call_id}
        word, _, rest = text.partition(" ")
        if word == "heard":
            sound = line.heard[self._heard[line]]
            self._heard[line] += 1
            self._write("heard", **whose, kind=sound.kind, text=sound.text)
        elif word == "pressed":
            self._write("pressed", **whose, digit=rest, taken=taken)
        elif word == "said":
            self._write("said", **whose, words=ast.literal_eval(rest), taken=taken)
        elif found := _ENDED.fullmatch(text):
            heard = [
                (sound.text, round(length_s, 2), round(sound.length_s, 2))
                for sound, length_s in line.heard_for
                if sound.kind == "tts"
            ]
            by = "person" if line in self._hung_up else "other side"
            self._write("ended", **whose, reason=found[1], by=by, heard=heard)
        else:
            if text == "hung up":
                self._hung_up.add(line)
            self._write("changed", **whose, text=text)

    def _write(self, what: str, **fields: Any) -> None:
        if not self._file.closed:
            at = round(self._simulator.clock.now() - self._began, 3)
            self._file.write(json.dumps({"at": at, "what": what, **fields}) + "\n")


def state_of(leg: CallSnapshot) -> str:
    """Return in a few words what a leg is doing."""
    if leg.state in ("created", "ringing"):
        return "dialling" if leg.direction == "outbound" else "ringing"
    if leg.peer_call_id:
        return "bridged"
    return next((words for name, words in _DOING if name in leg.running), "between two steps")
