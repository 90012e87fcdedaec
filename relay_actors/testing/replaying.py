"""Runs an application again against what the server said in a recording, and compares its commands. Layer: door.

::

    def test_call_17() -> None:
        replays("calls/17.jsonl", app)

Source: SEMANTICS V7.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from relay_actors.app import RelayApp
from relay_actors.errors import ConfigError
from relay_actors.testing.chart import Row, chart, in_words
from relay_actors.testing.lab import Lab, check_can_start
from relay_actors.testing.matching import Change, lane_of
from relay_actors.testing.recording import Recording
from relay_actors.testing.said import COMMAND, Said
from relay_actors.testing.script import PATIENCE_S, Script
from relay_actors.transport.memory import MemoryConnector

__all__ = ["Difference", "Replayed", "replay", "replays"]

_AFTER_S: Final = 1.0
"""How long after the end of a recording a command is still heard, in virtual seconds."""

Outside: TypeAlias = Callable[[RelayApp, Said], object]
Kind: TypeAlias = Literal["missing", "surplus", "changed", "order"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One command that was not sent as it was recorded.

    Attributes:
        kind: ``missing``: it was recorded and not sent; ``surplus``: it was sent and not recorded; ``changed``: its
            params are others; ``order``: it was sent after one that it was before.
        command: as it was sent; as it was recorded, if it is missing.
        changes: which of its params are others.
    """

    kind: Kind
    command: Said
    changes: Sequence[Change] = ()

    @property
    def method(self) -> str:
        """The command's method."""
        return self.command.name

    @property
    def call_id(self) -> str:
        """The call that it is about, by its name in the recording; empty if it is about none."""
        return self.command.call_id

    def __str__(self) -> str:
        about = f" on {self.call_id}" if self.call_id else ""
        match self.kind:
            case "missing":
                return f"{self.method}{about} was not sent"
            case "surplus":
                return f"{self.method}{about} was sent, and is not in the recording"
            case "order":
                changes = "".join(f"; {change}" for change in self.changes)
                return f"{self.method}{about} was sent too late: others were before it{changes}"
            case "changed":
                return f"{self.method}{about}: " + "; ".join(map(str, self.changes))


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a replay.

    Attributes:
        recording: what was replayed.
        seed: from which the order of all that could happen at one moment followed.
        differences: what was not as it was recorded, the first one first.
        rows: all that was said, for `chart`.
        name: of the recording, for people.
    """

    recording: Recording
    seed: int
    differences: Sequence[Difference]
    rows: Sequence[Row]
    name: str = "the recording"

    def check(self) -> None:
        """See that there is no difference.

        Raises:
            AssertionError: there is one; the text is that of `told`.
        """
        __tracebackhide__ = True  # pytest's report then ends at the line of the test
        if self.differences:
            raise AssertionError(self.told())

    def told(self) -> str:
        """Return what the first difference is, and the sequence chart around it; that there is none, if so."""
        commands = sum(one.kind == COMMAND for one in self.recording.said)
        if not self.differences:
            return (
                f"{self.name}: no difference, {commands} command{'s' * (commands != 1)} as recorded (seed {self.seed})"
            )
        more = len(self.differences) - 1
        others = f" ({more} more)" if more else ""
        return f"{self.name}, seed {self.seed}: {self.differences[0]}{others}\n\n{self.chart()}"

    def chart(self, *, is_whole: bool = False) -> str:
        """Return the sequence chart: around the first difference, or the whole of it."""
        marked = next((place for place, row in enumerate(self.rows) if row.is_marked), None)
        return chart(self.rows, around=None if is_whole else marked)


def replay(
    recording: Recording | str | os.PathLike[str],
    app: RelayApp,
    *,
    seed: int = 0,
    outside: Outside | None = None,
    numbers: Iterable[str] = (),
    name: str = "",
) -> Replayed:
    """Run ``app`` on this thread, in virtual time, against what the server said in ``recording``.

    The application is started as by `Lab.start`, and its process dies at the end of the recording.

    Args:
        recording: a recording, or the path of one.
        app: must not run.
        seed: the order of all that can happen at one moment follows from it.
        outside: does what nobody in the application does by itself: it is given the application and the recorded
            command, ``calling.dial`` or ``messaging.send``, each time that one is due and has not come; for example
            ``lambda app, command: app.dial(Reminder, command.body["devices"])``.
        numbers: E.164; those that the application knows, and treats in a way of its own. It is told them in place of
            their stand-ins, which are all that it is told of other numbers.
        name: what the recording is called for people; its path by default.

    Raises:
        ConfigError: the recording cannot be read, or ``app`` cannot be started.
    """
    if not isinstance(recording, Recording):
        name, recording = name or os.fspath(recording), Recording.read(recording)
    name = name or "the recording"
    if not recording.is_named:
        raise ConfigError(f"{name} is of a running application: take a call out of it, by relay-actors record")
    check_can_start(app)
    lab = Lab(seed)
    script = Script(recording, lab.dispatcher, numbers)
    lab.connector = MemoryConnector(script.accept)
    try:
        lab.start(app)
        _play(lab, script, app, recording, outside)
        lab.advance(_AFTER_S)
    finally:
        lab.kill()
    rows, differences = _compared(recording, script)
    return Replayed(recording, seed, differences, rows, name)


def replays(
    recording: Recording | str | os.PathLike[str],
    app: RelayApp,
    *,
    seeds: int = 1,
    outside: Outside | None = None,
    numbers: Iterable[str] = (),
) -> None:
    """See that ``app`` sends the same commands as in ``recording``; with the arguments of `replay`.

    Args:
        recording: see `replay`.
        app: see `replay`.
        seeds: under how many seeds, that is, in how many orders of what can happen at one moment.
        outside: see `replay`.
        numbers: see `replay`.

    Raises:
        AssertionError: it does not; the text shows the first difference in a sequence chart.
        ConfigError: see `replay`.
    """
    __tracebackhide__ = True
    numbers = list(numbers)
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise ConfigError(f"seeds={seeds!r}: give the number of seeds, 1 or more; nothing would be replayed")
    for seed in range(seeds):
        replay(recording, app, seed=seed, outside=outside, numbers=numbers).check()


def _play(lab: Lab, script: Script, app: RelayApp, recording: Recording, outside: Outside | None) -> None:
    commands = sum(one.kind == COMMAND for one in recording.said)
    within = max((one.at for one in recording.said), default=0.0) + PATIENCE_S * (commands + 1)
    asked: set[int] = set()

    def is_asked_for() -> bool:
        return outside is not None and script.awaited is not None and script.awaited.number not in asked

    while lab.until(lambda: script.is_over or is_asked_for(), within) and not script.is_over:
        lab.settle()  # it may come by itself
        command = script.awaited
        if outside is not None and command is not None:
            asked.add(command.number)
            outside(app, command)


def _compared(recording: Recording, script: Script) -> tuple[list[Row], list[Difference]]:
    """Return all that was said, with what should have been said, and what of it differs."""
    recorded = {one.number: one for one in recording.said if one.kind == COMMAND}
    matching = script.matching
    entries: list[tuple[Row, Difference | None]] = []
    missing = {number: _place_of(number, script) for number in recorded if number not in matching.matched}
    before: dict[str, Said] = {}
    for place, step in enumerate(script.steps):
        entries += [_missing(recorded[number]) for number, where in missing.items() if where == place]
        said = step.said
        if said.kind != COMMAND:
            entries.append((Row(step.at, said), None))
            continue
        if step.is_crossing:
            entries.append((Row(step.at, said, remark="crosses with the end of the call"), None))
            continue
        lane = lane_of(said.name, said.body)
        difference = _difference(said, step.changes, before.get(lane), is_of_call=lane != said.name)
        if difference is not None and difference.kind == "surplus" and _may_go_on(lane, recording, script):
            difference = None
        if said.number and (lane not in before or before[lane].number < said.number):
            before[lane] = said
        entries.append((_row(step.at, said, difference, recorded.get(said.number)), difference))
    entries += [_missing(recorded[number]) for number, where in missing.items() if where >= len(script.steps)]
    return [row for row, _difference in entries], [found for _row, found in entries if found is not None]


def _place_of(number: int, script: Script) -> int:
    """Return before which step a missing command belongs: its call's next one, or when it was given up."""
    lane = script.matching.lane(number)
    given_up = script.given_up.get(number, len(script.steps))
    of_call = (
        place
        for place, step in enumerate(script.steps)
        if step.said.kind == COMMAND and step.said.number > number and lane_of(step.said.name, step.said.body) == lane
    )
    return min(next(of_call, given_up), given_up)


def _difference(said: Said, changes: Sequence[Change], before: Said | None, *, is_of_call: bool) -> Difference | None:
    if not said.number:
        return Difference("surplus", said)
    if is_of_call and before is not None and before.number > said.number:
        return Difference("order", said, changes)
    return Difference("changed", said, changes) if changes else None


def _may_go_on(lane: str, recording: Recording, script: Script) -> bool:
    """Return whether a call was recorded up to a moment before its end, and all that was recorded has come."""
    return lane in recording.calls and not recording.has_ended(lane) and script.matching.is_complete(lane)


def _missing(recorded: Said) -> tuple[Row, Difference]:
    return Row(recorded.at, recorded, is_marked=True, remark="was not sent"), Difference("missing", recorded)


def _row(at: float, said: Said, difference: Difference | None, recorded: Said | None) -> Row:
    match difference:
        case None:
            return Row(at, said)
        case Difference(kind="surplus"):
            return Row(at, said, is_marked=True, remark="is not in the recording")
        case Difference(kind="order"):
            return Row(at, said, is_marked=True, remark="was sent before, as recorded")
    assert recorded is not None
    remarks = [f"recorded: {in_words(recorded)}", *map(str, difference.changes)]
    return Row(at, said, is_marked=True, remark="\n".join(remarks))
