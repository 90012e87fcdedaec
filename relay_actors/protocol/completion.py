"""When a running operation is over: each kind's own rule, as pure functions. Layer: protocol, pure.

Every operation reports in its own words, and some in several dialects. Here they become one `ActionState`, so that
whoever runs operations needs a single table of moves. Only an operation's own events are judged: that a call's end also
ends what runs on it (PROTOCOL 10.5) is for the owner of the call to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from relay_actors.protocol.action_events import CollectEvent, DetectEvent, FaxEvent, PayEvent
from relay_actors.protocol.base import Command
from relay_actors.protocol.readers import read_text
from relay_actors.protocol.relay_event import RelayEvent
from relay_actors.protocol.states import ACTION_MOVES, ActionState, is_final

__all__ = ["COMPLETION_RULES", "CompletionRule", "action_state", "goes_on", "is_continuous", "is_terminal"]

_Judge: TypeAlias = Callable[[RelayEvent, bool], ActionState | None]

_MAY_GO_ON: Final = frozenset({"calling.collect", "calling.play_and_collect"})
"""Operations that can be asked to go on after each result."""

# Looked up once: a member of an enum costs as much as two calls.
_EXECUTING: Final = ActionState.EXECUTING
_FINISHED: Final = ActionState.FINISHED
_PAUSED: Final = ActionState.PAUSED
# A tap, stream or transcription is not documented to say "error"; but if one does, nobody shall wait for more.
_ENDS: Final[Mapping[str, ActionState]] = {"finished": ActionState.FINISHED, "error": ActionState.ERROR}
_PLAY: Final[Mapping[str, ActionState]] = {
    "playing": ActionState.EXECUTING,
    "paused": ActionState.PAUSED,
    **_ENDS,
}
_RECORD: Final[Mapping[str, ActionState]] = {
    "recording": ActionState.EXECUTING,
    "paused": ActionState.PAUSED,
    "no_input": ActionState.NO_INPUT,
    **_ENDS,
}
_COLLECT_ENDS: Final[Mapping[str, ActionState]] = {
    "no_input": ActionState.NO_INPUT,
    "no_match": ActionState.NO_MATCH,
    **_ENDS,
}
_PAYMENT_STEPS: Final[Mapping[str, ActionState]] = {
    "payment-completed": ActionState.FINISHED,
    "payment-failed": ActionState.ERROR,
    "payment-canceled": ActionState.STOPPED,
}
_PAYMENT_RESULTS: Final[Mapping[str, ActionState]] = {
    "success": ActionState.FINISHED,
    "relay-pay-stop": ActionState.STOPPED,
}


class CompletionRule(NamedTuple):
    """What one kind of operation listens to, and how each event is judged.

    Attributes:
        event_types: the events that belong to it.
        completing: the one of them that can complete it.
        judge: returns the state that such an event reports, or None when it reports none. Its docstring says in words
            when the operation is over: the reference shows it.
    """

    event_types: tuple[str, ...]
    completing: str
    judge: _Judge


def action_state(action_method: str, event: RelayEvent, *, continuous: bool = False) -> ActionState | None:
    """Return the state that ``event`` reports of an operation, or None when it says nothing about it.

    Args:
        action_method: how the operation was started, for example ``calling.play``; unknown ones get None.
        event: one with the operation's ``control_id``.
        continuous: whether a collect was asked to go on after each result.

    Source: PROTOCOL 10.3, 11, D11, D12, D29.
    """
    rule = COMPLETION_RULES.get(action_method)
    if rule is None or event.event_type not in rule.event_types:
        return None
    return rule.judge(event, continuous)


def is_terminal(action_method: str, event: RelayEvent, *, continuous: bool = False) -> bool:
    """Return whether ``event`` completes the operation; arguments as for `action_state`."""
    state = action_state(action_method, event, continuous=continuous)
    return state is not None and is_final(state, ACTION_MOVES)


def is_continuous(action_method: str, params: Mapping[str, object]) -> bool:
    """Return whether an operation was asked to go on after each result; ``params`` are those that have started it."""
    if action_method not in _MAY_GO_ON:
        return False
    collect = params.get("collect", params)
    return isinstance(collect, Mapping) and bool(collect.get("continuous"))


def goes_on(command: Command) -> bool:
    """Return whether ``command`` asks to go on after each result; see `is_continuous`, which wants its params."""
    return command.method in _MAY_GO_ON and is_continuous(command.method, command.to_params())


def _by_state(words: Mapping[str, ActionState]) -> _Judge:
    def judge(event: RelayEvent, continuous: bool) -> ActionState | None:
        state = event.params.get("state")
        return words.get(state) if type(state) is str or isinstance(state, str) else None

    *others, last = [f"``{word}``" for word, state in words.items() if is_final(state, ACTION_MOVES)]
    judge.__doc__ = f"Over when its ``state`` is {', '.join(others)} or {last}."
    return judge


def _judge_collect(event: RelayEvent, continuous: bool) -> ActionState | None:
    """Over with its first result that is not interim, or when its ``state`` is ``finished`` or ``error``.

    Partial results and ``start_of_input`` do not complete it. One that is continuous goes on after each result, until
    its ``state`` says that it is over (PROTOCOL D12).
    """
    if not isinstance(event, CollectEvent):
        return None
    if event.state in _COLLECT_ENDS:
        return _COLLECT_ENDS[event.state]
    if not event.result:
        return _EXECUTING if event.state == "collecting" else None
    kind = event.kind
    if event.final is False or kind == "start_of_input" or (continuous and event.state == "collecting"):
        return _EXECUTING
    return _COLLECT_ENDS.get(kind, _FINISHED)


def _judge_prompt(event: RelayEvent, continuous: bool) -> ActionState | None:
    """Over when its collect is; whatever its play says, it plays and then listens (PROTOCOL 11.4)."""
    if isinstance(event, CollectEvent):
        return _judge_collect(event, continuous)
    return _PAUSED if event.params.get("state") == "paused" else _EXECUTING


def _judge_detect(event: RelayEvent, continuous: bool) -> ActionState | None:
    """Over with its first finding, or when it has closed without one: ``finished`` or ``error``."""
    if not isinstance(event, DetectEvent):
        return None
    if event.detect:
        return ActionState.ERROR if event.verdict == "error" else ActionState.FINISHED
    return _ENDS.get(_state_of(event))


def _judge_fax(event: RelayEvent, continuous: bool) -> ActionState | None:
    """Over when its ``fax.type`` is ``finished`` or ``error``; a ``page`` is only on its way."""
    if not isinstance(event, FaxEvent):
        return None
    if event.kind == "page":
        return ActionState.EXECUTING
    return _ENDS.get(event.kind) or _ENDS.get(_state_of(event))


def _judge_pay(event: RelayEvent, continuous: bool) -> ActionState | None:
    """Over when there is a ``result``, or ``for`` says so: ``payment-completed``, ``…-failed`` or ``…-canceled``."""
    if not isinstance(event, PayEvent):
        return None
    if event.state in _ENDS:
        return _ENDS[event.state]
    if event.step in _PAYMENT_STEPS:
        return _PAYMENT_STEPS[event.step]
    if event.result:
        return _PAYMENT_RESULTS.get(event.result, ActionState.ERROR)
    return ActionState.EXECUTING if event.step else None


def _state_of(event: RelayEvent) -> str:
    return read_text(event.params.get("state")) or ""


def _rule(completing: str, judge: _Judge, *others: str) -> CompletionRule:
    return CompletionRule((*others, completing), completing, judge)


COMPLETION_RULES: Final[Mapping[str, CompletionRule]] = MappingProxyType(
    {
        "calling.play": _rule("calling.call.play", _by_state(_PLAY)),
        "calling.record": _rule("calling.call.record", _by_state(_RECORD)),
        "calling.collect": _rule("calling.call.collect", _judge_collect),
        "calling.play_and_collect": _rule("calling.call.collect", _judge_prompt, "calling.call.play"),
        "calling.detect": _rule("calling.call.detect", _judge_detect),
        "calling.send_fax": _rule("calling.call.fax", _judge_fax),
        "calling.receive_fax": _rule("calling.call.fax", _judge_fax),
        "calling.tap": _rule("calling.call.tap", _by_state({"tapping": ActionState.EXECUTING, **_ENDS})),
        "calling.stream": _rule("calling.call.stream", _by_state({"streaming": ActionState.EXECUTING, **_ENDS})),
        "calling.transcribe": _rule(
            "calling.call.transcribe", _by_state({"transcribing": ActionState.EXECUTING, **_ENDS})
        ),
        "calling.pay": _rule("calling.call.pay", _judge_pay),
        # The server usually says nothing: the session ends with the call.
        "calling.ai": _rule("calling.call.ai", _by_state(_ENDS)),
    }
)
"""From each operation's starting method to its rule."""
