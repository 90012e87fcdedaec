"""Brings a flow that has crashed to where it was, in its running call. Layer: hall. Source: SEMANTICS X8.

The call goes on at the server, and its actor has a new incarnation. What is known of the call is rebuilt from the
record of all that has happened, as after the end of the process (`replaying`), but in one turn, and beside what is
known: who looks at the call meanwhile sees it as it is. Then the new takes the place of the old, and whoever waited for
something of the old one waits for that of the new one.
"""

from __future__ import annotations

from typing import Any

from relay_actors.actors.dialling import Dialling
from relay_actors.actors.history import History, Told, data_apart, item_of
from relay_actors.actors.leg import Leg
from relay_actors.actors.replaying import Replay
from relay_actors.actors.taking_over import Former
from relay_actors.protocol.events import CallReceiveEvent
from relay_actors.runtime.future import Future

__all__ = ["rebuild"]


def rebuild(actor: Any) -> None:
    """Bring the flow of a call to where it was. In a turn of its actor, the first one of an incarnation."""
    old = actor.leg
    course = old.course
    try:
        items = tuple([item_of(kept) for kept in course.record])
    except RecursionError:  # nested so deeply that it could be copied when it came, and cannot be from here
        course.record = None
        actor.begin()
        return
    leg = Leg(direction=old.direction, data=data_apart(course.began_with))
    if old.dialling is not None:
        leg.tag = old.tag
        leg.dialling = Dialling(old.dialling.command, old.dialling.timeout_s)
        leg.dialling.is_known = True
    elif (offer := _offer(items)) is not None:
        leg.received(offer)
    # What its events do not say.
    leg.project_id, leg.cause, leg.is_orphaned = old.project_id, old.cause, old.is_orphaned
    fresh = leg.course
    fresh.is_kept, fresh.seed = course.is_kept, course.seed
    fresh.saved, fresh.began_with, fresh.record = course.saved, course.began_with, list(course.record)
    fresh.beginnings, fresh.recovered_at = course.beginnings, course.recovered_at
    if not course.children:
        course.children = {}
    fresh.children = course.children  # the same table: what is spawned on the way is there also if that fails
    fresh.entries, fresh.summed_up_at, fresh.began_at = course.entries, course.summed_up_at, course.began_at
    actor.leave_behind(course.asides)
    fresh.asides = {aside: False for aside, is_own in course.asides.items() if not is_own}
    former = Former(dict(course.asked), dict(old.actions), course.questions)
    done: Future[None] = Future(actor.runs_on)
    replay = Replay(History(subject=old.subject, items=items), is_strict=True, done=done, former=former)
    fresh.replay = replay
    actor.rebuilds(leg)
    actor.forget_watches()
    actor.begin_on_start()
    replay.begin(actor)
    try:
        replay.run_now(actor)
    except BaseException:
        if actor._cell.keep.leg is not leg:  # noqa: SLF001  # the framework's own: the actor is one of a call
            actor.leave_behind(fresh.asides)  # it has crashed on the way, and the next one runs them once more
        raise


def _offer(items: tuple[object, ...]) -> CallReceiveEvent | None:
    events = (item.event for item in items if isinstance(item, Told))
    return next((event for event in events if isinstance(event, CallReceiveEvent)), None)
