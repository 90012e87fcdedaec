"""Dialling out: which leg of several has won, and which are to be ended. Layer: hall; pure. Source: PROTOCOL 9.3."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from relay_actors.actors.routing import DialOver
from relay_actors.errors import CommandRejectedError, NotSentError, RelayActorsError
from relay_actors.protocol import constants
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import Dial
from relay_actors.protocol.events import CallStateEvent, DialEvent, RelayEvent
from relay_actors.protocol.states import CallState, advance, is_at_or_past

if TYPE_CHECKING:
    from relay_actors.actors.commands_again import DialAgain

__all__ = ["Dialling", "counted_as"]

_HELD_PER_LEG = 64

_KNOWN_REASONS: Final = frozenset(
    value for name, value in vars(constants).items() if name.startswith("END_REASON_")
) | {"abandoned", "failed", "lost", "not_sent", "rejected", "timeout"}
"""By which failed dials are counted. A server may say anything else, and each word would be one more number."""


class Dialling:
    """One dial, from its request until each leg is accounted for.

    Attributes:
        command: what was asked, with its tag.
        timeout_s: how long it may take to be answered, from its acceptance.
        winner: the call id of the leg that has won, or "".
        is_over: won, failed, timed out or cancelled.
        is_given_up: whether this side wants it no more, which the server does not know.
        is_over_there: whether the server says the same, so that it tells nothing more of a dial of this tag.
        error: why nobody has answered, once that is certain.
        is_known: whether the connection, and with it the journal, knows who dials; not before it is anybody called.
    """

    def __init__(self, command: Dial | DialAgain, timeout_s: float) -> None:
        self.command = command
        self.tag: str = command.tag or ""
        self.timeout_s = timeout_s
        self.winner = ""
        self.is_over = False
        self.is_over_there = False
        self.is_known = False
        self.error: RelayActorsError | None = None
        self.is_given_up = False
        self._legs: dict[str, str] = {}
        self._nodes: dict[str, str] = {}
        self._events: dict[str, list[RelayEvent]] = {}
        self._ended_by_us: set[str] = set()

    def on_leg(self, event: CallStateEvent) -> list[JsonObject]:
        """Note the state of one leg that has not won; return the ids of legs that must be hung up now.

        When another has won, or none, the server ends it; but one that was answered all the same would run on, unowned
        (PROTOCOL 9.3.6). And when this side has given the dial up, the server knows nothing of that.
        """
        call_id = event.call_id
        before = self._legs.get(call_id, "")
        self._legs[call_id] = advance(before, event.call_state)
        if event.node_id:
            self._nodes[call_id] = event.node_id
        if not self.is_over and self._legs[call_id] != before:
            self._events.setdefault(call_id, []).append(event)
        if self.is_given_up or (self.is_over and self._legs[call_id] == CallState.ANSWERED):
            return self._to_end([call_id])
        return []

    def hold(self, event: RelayEvent) -> None:
        """Keep what one leg tells beside its states, until it is certain whether that leg has won."""
        held = self._events.setdefault(event.call_id, [])
        if not self.is_over and len(held) < _HELD_PER_LEG:
            held.append(event)

    def on_dial(self, event: DialEvent) -> list[JsonObject]:
        """Note a final dial event; return the ids of legs that must be hung up now."""
        winner = event.winner_call_id
        self.is_over_there = event.dial_state in ("answered", "failed")
        if event.dial_state == "answered" and winner:
            self._nodes[winner] = event.winner_node_id or event.node_id or self._nodes.get(winner, "")
            if self.is_over:
                return self._to_end([winner])
            self.winner = winner
        elif event.dial_state != "failed":
            return []
        self.is_over = True
        return self._to_end(leg for leg, state in self._legs.items() if state == CallState.ANSWERED)

    def take_events(self) -> list[RelayEvent]:
        """Return what the winning leg has told of itself, of its states those from its answer on, in order; once."""
        events, self._events = self._events, {}
        return [event for event in events.get(self.winner, ()) if _is_from_its_answer_on(event)]

    def to_over(self) -> DialOver:
        """Return what the connection has to know of it when it is over."""
        return DialOver(self.tag, self.is_given_up, frozenset(self._ended_by_us))

    def give_up(self) -> list[JsonObject]:
        """Nobody wants it any more; return the ids of the legs that are to be hung up."""
        self.is_over = True
        self.is_given_up = True
        return self._to_end(list(self._legs))

    def _to_end(self, call_ids: Iterable[str]) -> list[JsonObject]:
        """Return the ids of those that live and have not been hung up, each leg once (SEMANTICS X9)."""
        spared = {self.winner, *self._ended_by_us}
        due = [leg for leg in call_ids if leg not in spared and self._legs.get(leg) != CallState.ENDED]
        self._ended_by_us.update(due)
        return [{"node_id": self._nodes.get(leg, ""), "call_id": leg} for leg in due]


def counted_as(reason: str, error: RelayActorsError | None = None) -> str:
    """Return as what a failed dial is counted.

    Args:
        reason: why, in the server's word or in ours; "" if there is none.
        error: with which its request has failed, if that is why.
    """
    if error is not None:
        reason = {CommandRejectedError: "rejected", NotSentError: "not_sent"}.get(type(error), "lost")
    return f"dials.failed.{reason if reason in _KNOWN_REASONS else 'other' if reason else 'failed'}"


def _is_from_its_answer_on(event: RelayEvent) -> bool:
    return not isinstance(event, CallStateEvent) or is_at_or_past(event.call_state, CallState.ANSWERED)
