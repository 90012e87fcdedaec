"""What is said of handlers that hold their thread, and how often: words and a limit, no clock. Layer: pillar.

Source: SEMANTICS A16, O5.
"""

from __future__ import annotations

import traceback
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Final

from relay_actors.late_dataclasses import dataclass

__all__ = ["ReportLimit", "TurnFacts", "text_of_blocking", "text_of_hang", "text_of_return"]

_QUIET_S: Final = 60.0
_MAX_KEYS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFacts:
    """One turn that takes long, as it was seen from outside. Never the content of a message.

    Attributes:
        actor: class and number.
        actor_class: name of the class.
        label: what people call it, such as a call id; "" if nothing.
        message: type of what it handles; "" while it starts, stops, or runs a hook or its flow.
        frames: the stack of its thread, from the handler on, outermost first.
        waits: for whom it waits, as a chain; "" if that is not known.
        was_killed: whether it has been killed meanwhile, so that nobody waits for its end.
        is_own: whether the class is one of the framework's.
    """

    actor: str
    actor_class: str
    label: str
    message: str
    frames: Sequence[traceback.FrameSummary]
    waits: str = ""
    was_killed: bool = False
    is_own: bool = False

    @property
    def line(self) -> tuple[str, str, int]:
        """The class and the line of its handler: what one report stands for."""
        if not self.frames:
            return self.actor_class, "", 0
        return self.actor_class, self.frames[0].filename, self.frames[0].lineno or 0


class ReportLimit:
    """Lets one report of a kind through, and then none for a while. Not thread-safe.

    Args:
        quiet_s: for how many seconds.
    """

    def __init__(self, quiet_s: float = _QUIET_S) -> None:
        self._quiet_s = quiet_s
        self._since: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()  # oldest report first

    def admit(self, key: Hashable, *, now: float) -> int | None:
        """Return how many of its kind were left out since the last one that came through; None: leave this out."""
        known = self._since.get(key)
        if known is not None and now - known[0] < self._quiet_s:
            self._since[key] = known[0], known[1] + 1
            return None
        self._since[key] = now, 0
        self._since.move_to_end(key)
        if len(self._since) > _MAX_KEYS:
            self._since.popitem(last=False)
        return known[1] if known is not None else 0


def text_of_blocking(facts: TurnFacts, *, seconds: float, left_out: int, is_loop: bool = False) -> str:
    """Say that a handler blocks, where, and what to do."""
    what, costs = ("the asyncio loop", "nobody else runs there") if is_loop else ("its thread", "it costs a thread")
    what_to_do = "Run what blocks by self.blocking(function, ...), or give the class dispatcher = 'pinned'"
    if facts.is_own:
        what_to_do = "It is a part of the framework, so the machine has no time for it, or a disk or a resolver is slow"
    return (
        f"a handler blocks {what} {_who(facts)} blocked_s={seconds:.3f}: all that is sent to this actor waits, and "
        f"{costs}. {what_to_do}{_left_out(left_out)}\n{_stack(facts)}"
    )


def text_of_hang(facts: TurnFacts, *, seconds: float, left_out: int) -> str:
    """Say that a turn does not come to an end, where it stands, and for whom it waits."""
    chain = f" waits={facts.waits}" if facts.waits else ""
    killed = " It has been killed: its thread is a zombie until it comes back." if facts.was_killed else ""
    return (
        f"a turn does not end {_who(facts)} turn_s={seconds:.1f}{chain}: all that is sent to this actor waits."
        f"{killed} Give what it waits for a time-out{_left_out(left_out)}\n{_stack(facts)}"
    )


def text_of_return(facts: TurnFacts, *, seconds: float) -> str:
    """Say that a turn which was reported has come back."""
    return f"a turn that was reported has ended {_who(facts)} turn_s={seconds:.3f}"


def _who(facts: TurnFacts) -> str:
    label = f" label={facts.label}" if facts.label else ""
    return (
        f"actor={facts.actor}{label} message={facts.message or '(none: it starts, ends, or runs a hook or its flow)'}"
    )


def _left_out(number: int) -> str:
    return f" ({number} more reports of this line were left out)" if number else ""


def _stack(facts: TurnFacts) -> str:
    return "".join(traceback.format_list(list(facts.frames))).rstrip()
