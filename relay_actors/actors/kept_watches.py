"""Whom a call's code watches, and what it was told of their ends, in the journal and back. Layer: hall.

Another call is known by its name in the journal, any other actor, such as a service, by one under which it is
registered. Whoever is not there in the next process has ended. Source: SEMANTICS J4, W1.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Final

from relay_actors.actors.call_ref import CallRef, Kept
from relay_actors.actors.leg import Leg
from relay_actors.actors.packing import NotKept, hashable, pack, unpack
from relay_actors.protocol.states import CallState
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import cell_of
from relay_actors.runtime.reasons import Down, ExitReason, WatchedRestarted

__all__ = ["ended_call", "pack_notice", "plain_watches", "unpack_notice", "watches_again"]

_NOTICE: Final = "$relay_actors.watched"
_LAST: Final = "last"


class _Ended(Actor):
    """Stands for an actor that has ended: it never begins."""

    @classmethod
    def make_ref(cls, cell: Any) -> Any:
        """Make the ref, which may be one of a call."""
        return CallRef(cell)


def ended_call(office: Any, name: str) -> CallRef:
    """Return a ref of a call that is over, and of whose actor nothing is left. Any thread."""
    leg = Leg(direction="outbound")
    leg.tag, leg.state = name, CallState.ENDED
    cell = office.system.new_cell(_Ended, (), {}, keep=Kept(leg, office))
    cell.end_unborn()
    ref: CallRef = cell.ref
    return ref


def plain_watches(actor: Any) -> dict[str, object]:
    """Return whom it watches, as plain data: by token. In the turn."""
    watching = actor.runs_as.watching
    plain: dict[str, object] = {_LAST: watching.last}
    for token, target, on_restart, death_pact in watching.known():
        name = _name_of(actor, target)
        if name is None:
            what, why = "a watch", f"{target} is no call, and registered under no name that the journal can hold"
            actor.office.doubts.look_at_arranged(type(actor).__name__, what, why)
        else:
            plain[str(token)] = [*name, on_restart, death_pact]
    return plain


def watches_again(actor: Any, plain: Mapping[str, Any]) -> None:
    """Watch again whom it had watched, of `plain_watches`; they begin with the call. In the turn."""
    watches = []
    for token, watch in plain.items():
        if token == _LAST:
            continue
        kind, name, on_restart, death_pact = watch
        keys = [("call", name), ("tag", name)] if kind == "call" else [hashable(unpack(name))]
        found = [ref for ref in map(actor.office.find, keys) if ref is not None]
        target = cell_of(found[0] if found else ended_call(actor.office, str(name)))
        watches.append((int(token), target.watching, on_restart, death_pact))
    actor.runs_as.watching.take_again(plain[_LAST], watches)


def pack_notice(message: Down | WatchedRestarted, token: int) -> object:
    """Return plain data that `unpack_notice` makes a notice of again.

    Args:
        message: what was told.
        token: of the watch.
    """
    reason = message.reason
    is_dead = message.already_dead if isinstance(message, Down) else None
    return {_NOTICE: [token, message.incarnation, reason.kind, reason.detail, is_dead]}


def unpack_notice(packed: Any, actor: Any) -> Any:
    """Return what was packed; None if it is no notice. What has raised is not known any more. In the turn.

    Raises:
        NotKept: there is no such watch.
    """
    if not (isinstance(packed, dict) and _NOTICE in packed):
        return None
    token, incarnation, kind, detail, is_dead = packed[_NOTICE]
    target = actor.runs_as.watching.told_then(token, is_last=is_dead is not None)
    if target is None:
        raise NotKept("it was told of the end of somebody whom it does not watch")
    reason = ExitReason(kind, detail)
    if is_dead is None:
        return WatchedRestarted(target.ref, incarnation, reason)
    return Down(target.ref, incarnation, reason, is_dead)


def _name_of(actor: Any, target: Any) -> tuple[str, object] | None:
    keep = target.keep
    if isinstance(keep, Kept):
        return "call", keep.leg.subject
    for key in actor.system.registry.keys_of(target):
        with contextlib.suppress(NotKept):
            return "key", pack(key)
    return None
