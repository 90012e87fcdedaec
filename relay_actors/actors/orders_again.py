"""Orders made from what the journal has kept of a command, when whoever gave it is not there any more. Layer: hall."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from relay_actors.actors.action_kinds import ACTION_HANDLES
from relay_actors.actors.actions import Action
from relay_actors.actors.commands_again import ActionCommandAgain, CommandAgain
from relay_actors.actors.orders import Begin, Perform
from relay_actors.actors.waits import Reply
from relay_actors.protocol.commands import Answer, Hangup, Pass, RelayCommand, Transfer

__all__ = ["order_of"]


_KNOWN: Final[Mapping[str, Callable[[Mapping[str, Any]], RelayCommand]]] = MappingProxyType(
    {
        Answer.method: lambda params: Answer(extra=params),
        Hangup.method: lambda params: Hangup(reason=str(params.get("reason", "hangup"))),
        Pass.method: lambda params: Pass(extra=params),
        Transfer.method: lambda params: Transfer(dest=str(params.get("dest", "")), extra=params),
    }
)
"""Commands that the engine of a call has to know for what they are."""


def order_of(call: Any, method: str, params: Mapping[str, Any]) -> Begin | Perform:
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
        return Begin(kind(call, command, None))
    known = _KNOWN.get(method)
    made = known(plain) if known is not None else CommandAgain(name=method, params=plain)
    return Perform(made, Reply(made, call.runs_on, call.runs_as))
