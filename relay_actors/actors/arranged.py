"""What is to be done when an operation of a call is over, so that the next process does it. Layer: hall.

A flow that is run again arranges it again. A handler is not run again, and somebody else does not ask again: of them
the journal has a note, which holds nothing but names. Source: SEMANTICS J4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay_actors.actors.actions import Action
from relay_actors.actors.for_others import run_for_others
from relay_actors.actors.orders import HangUpAfter, Perform
from relay_actors.actors.waits import Reply
from relay_actors.protocol.commands import Hangup

__all__ = ["arrange_again", "hand_down", "note_callback", "note_hang_up"]


def note_hang_up(actor: Any, order: HangUpAfter, *, is_own: bool) -> None:
    """Have the journal know that the call will be hung up after one of its operations. In the turn.

    Args:
        actor: the call's.
        order: what is known of the hang-up.
        is_own: whether the code of the call's class wants it.
    """
    action, command = order.action, order.command
    if not actor.leg.course.is_recorded or not isinstance(command, Hangup):
        return
    if action is None:
        _doubt(
            actor,
            "hangup(after=…)",
            "it comes after something that the next process does not know; give it the operation itself",
            is_own=is_own,
        )
    elif action.control_id in actor.leg.actions:
        _note(actor, {"control_id": action.control_id, "hang_up": command.reason, "is_own": is_own})


def note_callback(actor: Any, action: Action, *, is_own: bool) -> None:
    """Have the journal know which method of the call is called when an operation is over. In the turn.

    Args:
        actor: the call's.
        action: which has an ``on_completed``.
        is_own: whether the code of the call's class wants it.
    """
    if not actor.leg.course.is_recorded:
        return
    callback = action.on_completed
    name = str(getattr(callback, "__name__", type(callback).__name__))
    if getattr(callback, "__self__", None) is actor and getattr(actor, name, None) == callback:
        _note(actor, {"control_id": action.control_id, "call": name, "is_own": is_own})
    else:
        _doubt(actor, f"on_completed={name}", "it is no method of its class", is_own=is_own)


def hand_down(actor: Any) -> None:
    """Have a new incarnation's own methods called when operations are over that a former one has begun.

    As in the next process. Any other function stays the former one's, and is not run again with the code of this one.

    Args:
        actor: the call's, which begins.
    """
    for action in actor.leg.actions.values():
        action.become_others()
        callback = action.on_completed
        former: Any = getattr(callback, "__self__", None)
        name = getattr(callback, "__name__", "")
        # Also an object of one of its bases may have such a method, and be no actor.
        is_former = isinstance(actor, type(former)) and getattr(former, "runs_as", None) is actor.runs_as
        if is_former and getattr(former, name, None) == callback:
            action.on_completed = getattr(actor, name)


def arrange_again(actor: Any, values: Mapping[str, Any]) -> None:
    """Arrange what a former process had arranged. In the turn.

    Args:
        actor: the call's.
        values: of the note.
    """
    leg = actor.leg
    action = leg.actions.get(values["control_id"])
    if action is None:
        return  # it was over by then, and what was to be done was done
    if "call" in values:
        action.on_completed = getattr(actor, values["call"], None)
        return
    command = Hangup(reason=values["hang_up"])
    order = Perform(command, Reply(command, actor.runs_on, actor.runs_as))
    leg.replies = {**leg.replies, order.reply: None}
    # What no code asks for that is run again is an order of others, whoever had given it then.
    run_for_others(actor.runs_as, action.on_done, lambda: actor.later(lambda now: now.take_others_order(order)))


def _note(actor: Any, values: Mapping[str, Any]) -> None:
    replay = actor.leg.course.replay
    if replay is None:
        actor.keep_note("arranged", values)
    else:
        replay.arranges(actor, values)


def _doubt(actor: Any, what: str, why: str, *, is_own: bool) -> None:
    if is_own and actor.leg.course.is_kept and getattr(type(actor), "run", None) is None:
        actor.office.doubts.look_at_arranged(type(actor).__name__, what, why)
