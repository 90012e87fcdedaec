"""Messages of a call's handler as the journal can hold them, and back. Layer: hall.

As `packing`, and beside what that knows, the notice that an operation is over: it names a handle, which belongs to one
process. The next one makes another handle of the same operation, which is over as well.
"""

from __future__ import annotations

from typing import Any, Final

from relay_actors.actors.actions import Action
from relay_actors.actors.commands_again import ActionCommandAgain
from relay_actors.actors.kept_watches import pack_notice, unpack_notice
from relay_actors.actors.notices import ActionCompleted
from relay_actors.actors.packing import NotKept, found_by, name_of, pack, unpack
from relay_actors.protocol.states import ActionState
from relay_actors.runtime.reasons import Down, WatchedRestarted

__all__ = ["message_or_lost", "pack_message", "unpack_message"]

_COMPLETED: Final = "$relay_actors.completed"


def pack_message(message: object) -> object:
    """Return plain data that `unpack_message` makes the message of again.

    Raises:
        NotKept: it holds something that the journal cannot hold; the text names its type.
    """
    if not isinstance(message, ActionCompleted):
        return pack(message)
    action = message.action
    handle = [name_of(type(action)), action.command.method, action.control_id, action.state.value]
    return {_COMPLETED: handle, "event": pack(message.event)}


def message_or_lost(message: object, actor: Any) -> dict[str, object]:
    """Return ``{"value": …}`` with what `pack_message` makes of it; ``{"lost": the name of its type}`` if nothing.

    Args:
        message: that the call's code is told just now.
        actor: the call's.
    """
    try:
        if isinstance(message, Down | WatchedRestarted):
            return {"value": pack_notice(message, actor.runs_as.watching.telling)}
        return {"value": pack_message(message)}
    except NotKept:
        return {"lost": type(message).__name__}


def unpack_message(packed: Any, actor: Any) -> Any:
    """Return what was packed. In the turn of the call's actor.

    Args:
        packed: by `pack_message`.
        actor: whose message it is.

    Raises:
        NotKept: a class of what it holds is not there any more, or takes no such fields.
    """
    if not (isinstance(packed, dict) and _COMPLETED in packed):
        notice = unpack_notice(packed, actor)
        return unpack(packed) if notice is None else notice
    name, method, control_id, state = packed[_COMPLETED]
    cls = found_by(name)
    if not (isinstance(cls, type) and issubclass(cls, Action)):
        raise NotKept(f"the journal holds an operation {name}, and there is none of that name any more")
    action = cls.begun(actor, ActionCommandAgain(name=method, control_id=control_id), None)
    action.begin()
    event = unpack(packed["event"])
    action.complete(ActionState(state), event)
    action.release()
    return ActionCompleted(action, event)
