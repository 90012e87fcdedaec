"""What a handler of a call has beside its data, so that another process can go on with it. Layer: hall.

A handler is not run again. After each of its turns the journal is told what has changed of this: its timers, how far it
has come as a state machine, what it has put aside, whom it watches, what is still to come to it, and the silence that
it watches for. What cannot be kept is warned of, once for each class. Source: SEMANTICS J4, T5, T7, P1, P3, P4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from relay_actors.actors.kept_messages import pack_message, unpack_message
from relay_actors.actors.kept_pipes import pipes_again, plain_pipes
from relay_actors.actors.kept_watches import plain_watches, watches_again
from relay_actors.actors.packing import NotKept, hashable, pack, unpack
from relay_actors.errors import StateError

if TYPE_CHECKING:
    from relay_actors.runtime.actor_timers import DurableTimer

__all__ = ["beside_again", "plain_beside", "plain_messages", "plain_timers"]


def plain_beside(actor: Any) -> dict[str, object]:
    """Return what a handler has beside its data and its timers, as plain data. In the turn.

    What is not there any more, and was when it was noted last, is told as well.
    """
    beside: dict[str, object] = {}
    course, cell = actor.leg.course, actor.runs_as
    saved = course.saved_beside
    if progress := actor.progress_to_keep():
        for packed in _packed(actor, progress, "the state"):
            beside["progress"] = packed
    extras = cell._extras  # noqa: SLF001  # the framework's own; most calls have none
    if extras is not None and len(extras.stash):
        beside["aside"] = [
            [packed, is_back]
            for message, is_back in extras.stash.messages()
            for packed in _packed_message(actor, message, "that was put aside")
        ]
    elif "aside" in saved:
        beside["aside"] = []
    silence = None if extras is None else actor.kept_silence
    if silence is not None or "silence" in saved:
        for packed in _packed(actor, silence, "set_receive_timeout(…)"):
            beside["silence"] = packed
    if cell._watching is not None or "watches" in saved:  # noqa: SLF001  # as above
        beside["watches"] = plain_watches(actor)
    if course.pipes or "pipes" in saved:
        beside["pipes"] = plain_pipes(course)
    return beside


def plain_timers(actor: Any, timers: Iterable[DurableTimer]) -> list[dict[str, object]]:
    """Return timers as plain data. In the turn."""
    durable = {timer.key for timer in actor.durable_timers()}
    saved: list[dict[str, object]] = []
    for timer in timers:
        for key, message in _packed(actor, [timer.key, timer.message], f"the timer {timer.key!r}"):
            ends = {} if timer.key in durable else {"ends": True}  # with a restart
            saved.append(
                {"key": key, "message": message, "due": timer.due_wall, "interval_s": timer.interval_s, **ends}
            )
    return saved


def plain_messages(actor: Any, messages: Iterable[object], what: str) -> list[object]:
    """Return messages as plain data, those that can be kept. In the turn.

    Args:
        actor: the call's.
        messages: to its handler.
        what: is said of one that cannot be kept, behind its type.
    """
    return [packed for message in messages for packed in _packed_message(actor, message, what)]


def beside_again(actor: Any, values: Mapping[str, Any], *, is_restart: bool) -> None:
    """Give a handler again what was noted last of its timers, and beside. In the turn.

    Args:
        actor: the call's.
        values: what was noted last, of each kind.
        is_restart: whether an incarnation begins there: it has none of the time-outs of the one before.

    Raises:
        NotKept: it cannot go on where it was.
    """
    for timer in actor.kept_timers():  # of `on_start`: those that are still pending are noted
        actor.cancel_timer(timer.key)
    for timer in values.get("timers", ()):
        if not (is_restart and timer.get("ends")):
            _resume(actor, timer)
    if "progress" in values:
        try:
            actor.take_kept_progress(unpack(values["progress"]))
        except StateError as error:
            raise NotKept(str(error)) from error
    if "watches" in values:
        watches_again(actor, values["watches"])
    actor.leg.course.pipes = pipes_again(values.get("pipes", {}))
    if "silence" in values:
        actor.set_receive_timeout(*(unpack(values["silence"]) or (None,)))
    if "aside" in values:
        aside = [(unpack_message(message, actor), is_back) for message, is_back in values["aside"]]
        actor.runs_as.extras.stash.refill(aside)


def _resume(actor: Any, timer: Mapping[str, Any]) -> None:
    try:
        key, message = hashable(unpack(timer["key"])), unpack(timer["message"])
    except NotKept as error:
        actor.log.error("a timer is lost call_id=%s: %s", actor.leg.name, error)
    else:
        is_durable = not timer.get("ends")
        actor.runs_as.timers.resume(key, message, timer["due"], timer["interval_s"], durable=is_durable)


def _packed_message(actor: Any, message: object, what: str) -> tuple[Any, ...]:
    return _packed(actor, message, f"a {type(message).__name__} {what}", pack_message)


def _packed(actor: Any, value: object, what: str, make: Callable[[Any], object] = pack) -> tuple[Any, ...]:
    """Return the one value as plain data; nothing if it cannot be kept, which is told of."""
    try:
        return (make(value),)
    except NotKept as error:
        actor.office.doubts.look_at_arranged(type(actor).__name__, what, str(error))
        return ()
