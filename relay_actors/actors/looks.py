"""What the code of a call sees of other calls by their handles: noted, so that it sees the same again. Layer: hall.

Source: SEMANTICS J4. What a handle says is what is known at that moment, and a flow that is run again looks at another
one: the other call has gone on meanwhile, is being rebuilt itself, or is over and forgotten. So what is seen is noted
whenever it has changed; and whoever dials is told what became of the call when that is over, since nobody may remember
it when it is asked for after the end of the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay_actors.actors.call_ref import CallRef
from relay_actors.actors.commands_again import dial_of
from relay_actors.actors.dialling import Dialling
from relay_actors.actors.in_turn import tell_in_turn
from relay_actors.actors.leg import Leg
from relay_actors.actors.packing import pack, pack_data, pack_error, unpack, unpack_data, unpack_error
from relay_actors.errors import RelayActorsError

__all__ = ["leg_of", "seen_of", "tell_dialler"]

_TEXTS = ("state", "end_reason", "context", "tag", "call_id", "node_id")


def seen_of(leg: Leg) -> dict[str, Any]:
    """Return plain data that tell what can be seen of a call; of its data what the journal can hold."""
    data = pack_data(leg.data)[0] if leg.has_data else {}  # what cannot be kept is told of by its own call
    seen = {name: str(getattr(leg, name)) for name in _TEXTS}
    error = None if leg.dialling is None else leg.dialling.error
    failed = {} if error is None else {"error": pack_error(error)}
    ended = {} if leg.ended_event is None else {"ended": pack(leg.ended_event)}
    return {**seen, **failed, **ended, "direction": leg.direction, "device": dict(leg.device), "data": data}


def leg_of(seen: Mapping[str, Any]) -> Leg:
    """Return what was seen of a call, in the form in which it was looked at."""
    leg = Leg(direction="inbound" if seen["direction"] == "inbound" else "outbound")
    leg.data.update(unpack_data(seen["data"])[0])
    leg.device = seen["device"]
    for name in _TEXTS:
        setattr(leg, name, seen[name])
    if "ended" in seen:
        leg.ended_event = unpack(seen["ended"])
    if "error" in seen:
        error = unpack_error(seen["error"])
        leg.dialling = Dialling(dial_of({"tag": leg.tag}), 0.0)
        leg.dialling.error = error if isinstance(error, RelayActorsError) else RelayActorsError(str(error))
    return leg


def tell_dialler(call: Any) -> None:
    """Tell the call whose code has dialled this one, if there is one, what became of it. In the turn of this one."""
    leg: Leg = call.leg
    if not leg.course.is_kept or not leg.cause:
        return
    dialler = call.office.find(("call", leg.cause)) or call.office.find(("tag", leg.cause))
    if isinstance(dialler, CallRef):
        values = {"name": leg.tag, "seen": seen_of(leg)}  # in one value, since its data are not those of the dialler
        tell_in_turn(dialler.runs_as, lambda actor: _is_over(actor, values))


def _is_over(dialler: Any, values: Mapping[str, Any]) -> None:
    course = dialler.leg.course
    course.over = {**course.over, values["name"]: values["seen"]}
    if course.replay is None:
        dialler.keep_note("over", values)
    else:
        course.replay.note_when_live(dialler, "over", values)
