"""The states of calls, actions, messages, bridges and dials, with tables of their legal moves. Layer: protocol, pure.

States only move forward and any of them may be skipped, because events may be lost or overtaken. A state that the wire
names and this table does not know never moves anything: a new server feature must not end a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

__all__ = [
    "ACTION_MOVES",
    "CALL_MOVES",
    "CONNECT_MOVES",
    "DIAL_MOVES",
    "MESSAGE_MOVES",
    "ActionState",
    "CallState",
    "ConnectState",
    "DialState",
    "MessageState",
    "Moves",
    "advance",
    "is_at_or_past",
    "is_final",
    "may_move",
]

Moves: TypeAlias = Mapping[str, frozenset[str]]
"""From each known state to those that may follow it. A state with nothing to follow is final."""


class CallState(StrEnum):
    """Where one leg of a call is. Source: PROTOCOL 8.2."""

    CREATED = "created"
    """It is there, and nothing rings yet."""
    RINGING = "ringing"
    """It rings at the other end; not every server says so of inbound calls."""
    ANSWERED = "answered"
    """Somebody, or something, has answered."""
    ENDING = "ending"
    """It is being taken down."""
    ENDED = "ended"
    """It is over; its ``end_reason`` says why."""


class ActionState(StrEnum):
    """Where one running operation is, whatever words its events use. Source: PROTOCOL 10, SEMANTICS X5."""

    NEW = "new"
    """Nothing was sent yet."""
    REQUESTED = "requested"
    """Sent, and perhaps accepted; no event says that it runs."""
    EXECUTING = "executing"
    """Its events say that it runs."""
    PAUSED = "paused"
    """Its events say that it halts."""
    FINISHED = "finished"
    """Done."""
    NO_INPUT = "no_input"
    """Nothing was pressed or said."""
    NO_MATCH = "no_match"
    """What was pressed or said did not fit."""
    ERROR = "error"
    """It has failed while it ran."""
    STOPPED = "stopped"
    """Ended because it was asked to."""
    REJECTED = "rejected"
    """The server refused to begin."""
    CALL_ENDED = "call_ended"
    """The call ended under it, or was gone before it began."""


class MessageState(StrEnum):
    """Where one text message is. Source: PROTOCOL 14.2, 14.3."""

    QUEUED = "queued"
    """The server has taken it."""
    INITIATED = "initiated"
    """The server has begun to send it."""
    SENT = "sent"
    """It has left the server."""
    DELIVERED = "delivered"
    """It has arrived."""
    UNDELIVERED = "undelivered"
    """It has not arrived; its ``reason`` says why."""
    FAILED = "failed"
    """It could not be sent; its ``reason`` says why."""
    UNKNOWN = "unknown"
    """Nobody knows whether it was sent, and it is not sent again: its answer was lost. No server tells this."""
    RECEIVED = "received"
    """The one state of an inbound message."""


class ConnectState(StrEnum):
    """Where the bridge from one leg to another is. Source: PROTOCOL 12."""

    CONNECTING = "connecting"
    """It rings at the other end."""
    CONNECTED = "connected"
    """The two hear each other."""
    FAILED = "failed"
    """Nobody has answered."""
    DISCONNECTED = "disconnected"
    """They do not hear each other any more."""


class DialState(StrEnum):
    """Where one dial is. Source: PROTOCOL 9.2."""

    DIALING = "dialing"
    """It rings somewhere, or will."""
    ANSWERED = "answered"
    """One leg has won."""
    FAILED = "failed"
    """No leg was answered."""


def _in_order(*states: str) -> dict[str, frozenset[str]]:
    """Return moves from each state to every later one."""
    return {state: frozenset(states[place + 1 :]) for place, state in enumerate(states)}


_ACTION_ENDS: Final = frozenset(
    {
        ActionState.FINISHED,
        ActionState.NO_INPUT,
        ActionState.NO_MATCH,
        ActionState.ERROR,
        ActionState.STOPPED,
        ActionState.REJECTED,
        ActionState.CALL_ENDED,
    }
)
_MESSAGE_ENDS: Final = frozenset({MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.FAILED})

CALL_MOVES: Final[Moves] = MappingProxyType(_in_order(*CallState))

ACTION_MOVES: Final[Moves] = MappingProxyType(
    {
        ActionState.NEW: _ACTION_ENDS | {ActionState.REQUESTED},
        ActionState.REQUESTED: _ACTION_ENDS | {ActionState.EXECUTING, ActionState.PAUSED},
        ActionState.EXECUTING: _ACTION_ENDS | {ActionState.PAUSED},
        ActionState.PAUSED: _ACTION_ENDS | {ActionState.EXECUTING},
        **dict.fromkeys(_ACTION_ENDS, frozenset()),
    }
)

MESSAGE_MOVES: Final[Moves] = MappingProxyType(
    {
        MessageState.QUEUED: _MESSAGE_ENDS | {MessageState.INITIATED, MessageState.SENT},
        MessageState.INITIATED: _MESSAGE_ENDS | {MessageState.SENT},
        MessageState.SENT: _MESSAGE_ENDS,
        MessageState.UNKNOWN: frozenset(),  # nothing leads to it: a server that said so would not have the last word
        MessageState.RECEIVED: frozenset(),
        **dict.fromkeys(_MESSAGE_ENDS, frozenset()),
    }
)

CONNECT_MOVES: Final[Moves] = MappingProxyType(
    {
        ConnectState.CONNECTING: frozenset({ConnectState.CONNECTED, ConnectState.FAILED, ConnectState.DISCONNECTED}),
        ConnectState.CONNECTED: frozenset({ConnectState.DISCONNECTED}),
        # A leg may be bridged again and again, and the word that it began may be lost.
        ConnectState.FAILED: frozenset({ConnectState.CONNECTING, ConnectState.CONNECTED}),
        ConnectState.DISCONNECTED: frozenset({ConnectState.CONNECTING, ConnectState.CONNECTED, ConnectState.FAILED}),
    }
)

DIAL_MOVES: Final[Moves] = MappingProxyType(
    {
        DialState.DIALING: frozenset({DialState.ANSWERED, DialState.FAILED}),
        DialState.ANSWERED: frozenset(),
        DialState.FAILED: frozenset(),
    }
)


def may_move(old: str, new: str, moves: Moves = CALL_MOVES) -> bool:
    """Return whether ``new`` may follow ``old``.

    Args:
        old: the last known state. After ``""`` or an unknown word any known state may follow, for nothing is known.
        new: what the wire says now; an unknown word never moves anything.
        moves: one of the tables of this module.

    Source: PROTOCOL 8.2, SEMANTICS X1, X5.
    """
    return new in moves and (old not in moves or new in moves[old])


def advance(old: str, new: str, moves: Moves = CALL_MOVES) -> str:
    """Return ``new`` when it may follow ``old``, else ``old``."""
    return new if new in moves and (old not in moves or new in moves[old]) else old  # `may_move`, without a call


def is_final(state: str, moves: Moves = CALL_MOVES) -> bool:
    """Return whether nothing can follow ``state``; False for an unknown word."""
    return state in moves and not moves[state]


def is_at_or_past(state: str, target: str) -> bool:
    """Return whether a call in ``state`` has reached ``target``, or skipped it; False when either is an unknown word.

    Source: PROTOCOL 8.4.
    """
    return target in CALL_MOVES and (state == target or state in CALL_MOVES[target])
