"""Orders made from what the journal has kept of a command, when whoever gave it is not there any more. Layer: hall."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from relay_actors.actors.action_kinds import ACTION_HANDLES
from relay_actors.actors.actions import Action
from relay_actors.actors.commands_again import ActionCommandAgain, CommandAgain
from relay_actors.actors.leg import Leg
from relay_actors.actors.orders import Begin, Control, Perform
from relay_actors.actors.waits import Reply
from relay_actors.errors import RelayActorsError
from relay_actors.protocol.commands import (
    SUB_COMMANDS,
    Answer,
    Hangup,
    Pass,
    Pause,
    RelayCommand,
    Resume,
    SetVolume,
    StartInputTimers,
    Stop,
    SubCommand,
    Transfer,
)

__all__ = ["order_of", "take_back"]


_KNOWN: Final[Mapping[str, Callable[[Mapping[str, Any]], RelayCommand]]] = MappingProxyType(
    {
        Answer.method: lambda params: Answer(extra=params),
        Hangup.method: lambda params: Hangup(reason=str(params.get("reason", "hangup"))),
        Pass.method: lambda params: Pass(extra=params),
        Transfer.method: lambda params: Transfer(dest=str(params.get("dest", "")), extra=params),
    }
)
"""Commands that the engine of a call has to know for what they are."""


def _sub_command(kind: type[Any], *own: str) -> Callable[[str, Mapping[str, Any]], SubCommand]:
    def make(action_method: str, params: Mapping[str, Any]) -> SubCommand:
        named = {name: params[name] for name in own}
        extra = {key: value for key, value in params.items() if key not in ("control_id", *named)}
        made: SubCommand = kind(action_method=action_method, control_id=str(params["control_id"]), extra=extra, **named)
        return made

    return make


_SUB_COMMANDS: Final[Mapping[str, Callable[[str, Mapping[str, Any]], SubCommand]]] = MappingProxyType(
    {
        kind.name: _sub_command(kind, *(["volume"] if kind is SetVolume else []))
        for kind in (Pause, Resume, SetVolume, StartInputTimers, Stop)
    }
)
"""Commands on a running operation, by their names."""


def take_back(leg: Leg, order: object, error: RelayActorsError) -> None:
    """Let the engine of a call forget an order that was not given, and tell who waits for it. In the turn."""
    known = leg.under_way.pop(order, None)
    if known is not None:
        known.stop_clock()
    match order:
        case Begin(action=action):
            if leg.actions.get(action.control_id) is action:
                del leg.actions[action.control_id]
            action.refuse(error)
        case Perform(reply=reply) | Control(reply=reply):
            leg.is_answered_for(reply)
            if leg.hand_on is reply:
                leg.hand_on = None
            reply.try_fail(error)


def order_of(call: Any, method: str, params: Mapping[str, Any]) -> Begin | Perform | Control:
    """Return the order for a command of the journal.

    Args:
        call: the call's actor.
        method: of the wire.
        params: as they were sent.
    """
    plain = {key: value for key, value in params.items() if key not in ("call_id", "node_id")}
    if method in ACTION_HANDLES:
        command = ActionCommandAgain(name=method, params=plain, control_id=str(plain.get("control_id", "")) or None)
        kind: type[Action] = ACTION_HANDLES[method]
        return Begin(kind.begun(call, command, None))
    action = call.leg.actions.get(str(plain.get("control_id", "")))
    name = method.rpartition(".")[2]
    if action is not None and SUB_COMMANDS.get(action.command.method, {}).get(name) == method:
        told = _SUB_COMMANDS[name](action.command.method, plain)
        return Control(action, told, Reply(told, call.runs_on, call.runs_as))
    known = _KNOWN.get(method)
    made = known(plain) if known is not None else CommandAgain(name=method, params=plain)
    return Perform(made, Reply(made, call.runs_on, call.runs_as))
