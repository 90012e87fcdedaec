"""Dialling out: which leg of several has won, and which are to be ended. Layer: hall; pure. Source: PROTOCOL 9.3."""

from __future__ import annotations

from collections.abc import Iterable

from relay_actors.errors import RelayActorsError
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import Dial
from relay_actors.protocol.events import CallStateEvent, DialEvent
from relay_actors.protocol.states import CallState, advance

__all__ = ["Dialling"]


class Dialling:
    """One dial, from its request until each leg is accounted for.

    Attributes:
        command: what was asked, with its tag.
        timeout_s: how long it may take to be answered, from its acceptance.
        winner: the call id of the leg that has won, or "".
        is_over: won, failed, timed out or cancelled.
        error: why nobody has answered, once that is certain.
    """

    def __init__(self, command: Dial, timeout_s: float) -> None:
        self.command = command
        self.tag: str = command.tag or ""
        self.timeout_s = timeout_s
        self.winner = ""
        self.is_over = False
        self.error: RelayActorsError | None = None
        self.answered: CallStateEvent | None = None
        self._legs: dict[str, str] = {}
        self._nodes: dict[str, str] = {}
        self._ended_by_us: set[str] = set()

    def on_leg(self, event: CallStateEvent) -> list[JsonObject]:
        """Note the state of one leg; return the ids of legs that must be hung up now.

        After the dial is decided, a leg that turns up alive without having won is nobody's: the server should end it,
        but one that was answered would run on, unowned (PROTOCOL 9.3.6).
        """
        call_id = event.call_id
        self._legs[call_id] = advance(self._legs.get(call_id, ""), event.call_state)
        if event.node_id:
            self._nodes[call_id] = event.node_id
        if self._legs[call_id] == CallState.ANSWERED:
            if self.is_over and call_id != self.winner:
                return self._to_end([call_id])
            if self.answered is None or call_id == self.winner:
                self.answered = event
        return []

    def on_dial(self, event: DialEvent) -> list[JsonObject]:
        """Note a final dial event; return the ids of legs that must be hung up now."""
        winner = event.winner_call_id
        if event.dial_state == "answered" and winner:
            self._nodes[winner] = event.winner_node_id or event.node_id or self._nodes.get(winner, "")
            if self.is_over:
                return self._to_end([winner]) if winner != self.winner else []
            self.winner = winner
            self.is_over = True
            if self.answered is not None and self.answered.call_id != winner:
                self.answered = None
        elif event.dial_state == "failed":
            self.is_over = True
        return []

    def give_up(self) -> list[JsonObject]:
        """Nobody wants it any more; return the ids of the legs that are to be hung up."""
        self.is_over = True
        return self._to_end(list(self._legs))

    def _to_end(self, call_ids: Iterable[str]) -> list[JsonObject]:
        due = [c for c in call_ids if c not in self._ended_by_us and self._legs.get(c) != CallState.ENDED]
        self._ended_by_us.update(due)
        return [{"node_id": self._nodes.get(c, ""), "call_id": c} for c in due]
