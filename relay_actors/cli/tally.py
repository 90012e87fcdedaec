"""What a run of the demo came to: counted from what simulator, runtime and callers report. Layer: door.

Nothing is taken for granted here: each figure is counted on its own, and then compared with what the cast adds up to.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from relay_actors.cli.callers import Part
from relay_actors.cli.cast import AT_THE_CUT, CAST, DESK, Role
from relay_actors.cli.story import call_of
from relay_actors.errors import ConnectionLostError
from relay_actors.runtime.reasons import ExitReason
from relay_actors.simulator.lines import Line
from relay_actors.simulator.simulator import Simulator

__all__ = ["CrashReports", "Figure", "Remains", "count"]

_HUNG_UP, _GIVEN_UP = "hangup", "error"
"""The reasons with which calls end on the wire: of every ordinary call, and of one whose actor was given up."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a run.

    Attributes:
        name: what was counted.
        counted: how many there were.
        expected: how many there should have been.
        source: where it was counted.
        is_minimum: more than expected is right, too.
        in_doubt: so many fewer are right, too: nobody knows of them.
    """

    name: str
    counted: int
    expected: int
    source: str
    is_minimum: bool = False
    in_doubt: int = 0

    @property
    def is_right(self) -> bool:
        """Whether it is as expected."""
        least = self.expected - self.in_doubt
        return least <= self.counted and (self.is_minimum or self.counted <= self.expected)

    @property
    def expectation(self) -> str:
        """What was expected, in words."""
        if self.in_doubt:
            return f"{self.expected}, or {self.in_doubt} fewer"
        return f"at least {self.expected}" if self.is_minimum else str(self.expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """What was still there when everything was over.

    Attributes:
        calls_up: legs that the simulator still knows as up, before the application was stopped.
        actors: that live after the application was stopped, or had to be killed for it.
        threads: that the demo's process has more than before.
    """

    calls_up: int
    actors: int
    threads: int


class CrashReports(logging.Handler):
    """Hears what the supervisors report.

    Attributes:
        calls: the ids of the calls whose handlers have crashed by themselves.
        cut_short: how many crashes there were beside, of flows whose command was on its way when the socket was cut.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: set[str] = set()
        self.cut_short = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Remember what it is about. Any thread."""
        call_id = call_of(record)
        args = record.args if isinstance(record.args, tuple) else ()
        reason = next((arg for arg in args if isinstance(arg, ExitReason)), None)
        if not call_id or reason is None:
            return
        if isinstance(reason.cause, ConnectionLostError):
            self.cut_short += record.getMessage().startswith("restarting")
        else:
            self.calls.add(call_id)


def count(
    parts: Sequence[Part],
    simulator: Simulator,
    *,
    counters: Mapping[str, int],
    crashes: CrashReports,
    up_at_the_cut: Collection[str],
    remains: Remains,
) -> list[Figure]:
    """Return the figures of a run.

    Args:
        parts: the callers.
        simulator: where they called.
        counters: what the runtime has counted.
        crashes: what the supervisors have reported.
        up_at_the_cut: the ids of the legs that were up when the socket was cut.
        remains: what was left.
    """
    calls = [(part, line) for part in parts for line in part.phone.lines]
    completed = [line for part, line in calls if part.is_told and _ended(line, _HUNG_UP)]
    given_up = [line for _part, line in calls if _ended(line, _GIVEN_UP)]
    lost = [line for _part, line in calls if line not in completed and line not in given_up]
    at_the_cut = _among(calls, up_at_the_cut)
    restarts = counters.get("actors.restarted", 0)
    talks = [line for line in simulator.phone(DESK).lines if _was_answered(line)]
    messages = [text for text in simulator.phone(DESK).inbox if "new message" in text.body]
    texts = [text for part in parts for text in part.phone.inbox]
    in_doubt = counters.get("messages.unknown", 0)  # on their way when the socket was cut, and not sent again (K6)
    hang_ups = sum(simulator.count(line.call_id, "calling.end") for line in given_up)
    roles = [CAST[part.caller.part] for part in parts]
    recordings = _sum(roles, "recordings")
    all_calls, all_given_up = _sum(roles, "calls"), _sum(roles, "is_given_up")
    return [
        Figure("calls", len(calls), all_calls, "lines of the callers' phones"),
        Figure("completed", len(completed), all_calls - all_given_up, "stories told, then hung up"),
        Figure(
            "crashed",
            len(_among(calls, crashes.calls)),
            sum(role.restarts > 0 for role in roles),
            "supervisors' reports",
        ),
        Figure(
            "  restarts in place",
            restarts - crashes.cut_short,
            _sum(roles, "restarts"),
            "runtime's counter, less the cut's",
        ),
        Figure("  restarts by the cut", crashes.cut_short, 0, "supervisors' reports", is_minimum=True),
        Figure("  given up", len(given_up), all_given_up, "calls ended with error"),
        Figure("  hang-ups of those", hang_ups, all_given_up, "calling.end on the wire"),
        Figure("lost", len(lost), 0, "all calls that are neither"),
        Figure("up at the cut", len(at_the_cut), len(AT_THE_CUT), "simulator, at that moment", is_minimum=True),
        Figure("  lost of those", len([line for line in at_the_cut if line in lost]), 0, "their ends"),
        Figure("  came back", counters.get("connection.restored", 0), 1, "runtime's counter"),
        Figure("talks with the desk", len(talks), _sum(roles, "talks"), "lines of the desk's phone"),
        Figure("recordings", len(messages), recordings, "texts in the desk's inbox", in_doubt=in_doubt),
        Figure(
            "texts answered",
            len(texts),
            _sum(roles, "texts"),
            "callers' inboxes",
            in_doubt=max(0, in_doubt - max(0, recordings - len(messages))),
        ),
        Figure("  in doubt by the cut", in_doubt, 0, "runtime's counter", is_minimum=True),
        Figure("events not acknowledged", len(simulator.unacknowledged), 0, "simulator's sessions"),
        Figure("schema breaches", len(simulator.violations), 0, "simulator's check"),
        Figure("left up", remains.calls_up, 0, "legs up in the simulator"),
        Figure("actors left", remains.actors, 0, "alive, or killed, at the stop"),
        Figure("threads left", remains.threads, 0, "threads more than before"),
    ]


def _among(calls: Sequence[tuple[Part, Line]], call_ids: Collection[str]) -> list[Line]:
    """Return the lines that were on one of these legs."""
    return [line for _part, line in calls if any(call_id in call_ids for call_id in line.call_ids)]


def _was_answered(line: Line) -> bool:
    return any(moment.what == "answered" for moment in line.timeline)


def _ended(line: Line, reason: str) -> bool:
    return line.is_over and line.end_reason == reason


def _sum(roles: Sequence[Role], what: str) -> int:
    return sum(int(getattr(role, what)) for role in roles)
