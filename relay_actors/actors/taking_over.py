"""What a rebuilt leg takes over from the one in whose place it comes. Layer: hall."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay_actors.actors.actions import Action
from relay_actors.actors.blocking import BlockingWait
from relay_actors.actors.history import Asked
from relay_actors.actors.leg import Leg
from relay_actors.actors.orders import Begin, Control, Perform
from relay_actors.actors.waits import Reply, follow
from relay_actors.actors.withheld import Withheld
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.future import Future

__all__ = ["Former", "take_over"]


@dataclass(frozen=True, slots=True)
class Former:
    """What is left of a call's incarnation whose flow has crashed.

    Attributes:
        asked: orders that were not answered, by the number of their command.
        actions: operations that run, by control id.
        questions: what it has asked other actors; see `Course`.
    """

    asked: Mapping[int, Any]
    actions: Mapping[str, Action]
    questions: Mapping[int, Withheld]

    def asking(self, asked: Asked) -> Any:
        """Return the order by which somebody else has given a command, as far as he still waits for something of it."""
        order = self.asked.get(asked.number)
        action = self.actions.get(str(asked.params.get("control_id", "")))
        if order is not None or action is None or asked.method != action.command.method:  # a command on it: answered
            return order
        return Begin(action)

    def answer_to(self, number: int, sent: object) -> Future[Any] | None:
        """Return the answer to the question of that number, if the same is asked again; else None."""
        then = self.questions.get(number)
        if then is None or not isinstance(sent, Withheld) or sent.reply is None or not sent.asks_the_same(then):
            return None
        answer: Future[Any] = then.reply
        return answer


def take_over(actor: Any) -> None:
    """Put the leg that was rebuilt into the place of the old one. In a turn of the call's actor."""
    old: Leg = actor._cell.keep.leg  # noqa: SLF001  # the framework's own: the actor is one of a call
    new: Leg = actor.leg
    for timer in list(old.course.timers.values()):
        timer.cancel()
    old.end_stall_watch()
    for known in old.under_way.values():
        known.stop_clock()
    for number, elsewhere in new.course.results.items():
        former = old.course.results.get(number)
        if former is not None and former.found is not None:  # it is being found out already: not a second time
            found = former.found
            if elsewhere.drop is not None:
                elsewhere.drop()
            elsewhere.start = lambda found=found: found  # type: ignore[misc]  # bound early
            if isinstance(found, BlockingWait):
                new.note_blocking(found)
    for number, former in old.course.results.items():
        if number not in new.course.results and former.found is not None:
            former.found.let_go()
    new.waits = (*new.waits, *(waiting for waiting in old.waits if not waiting.is_settled))
    new.take_listeners(old)
    _take_replies(old, new)
    for control_id, action in old.actions.items():
        again = new.actions.get(control_id)
        if again is not None and again is not action:
            action.follow(again)  # somebody else may have been given it
            stop = action.take_deferred()
            if isinstance(stop, Control) and stop.is_others:  # the flow itself has asked for it again
                actor.take_others_order(stop)
    actor._cell.keep.leg = new  # noqa: SLF001  # the framework's own: the actor is one of a call
    actor.rebuilds(None)


def _take_replies(old: Leg, new: Leg) -> None:
    """Have each pending reply settled: by that of the same command, or at the latest when the call ends."""
    again = {known.number: order for order, known in new.under_way.items()} | new.course.asked
    # Of a command in doubt no answer is waited for any more.
    before = {known.number: order for order, known in old.under_way.items()} | old.course.asked
    following: set[Reply] = set()
    for number, order in before.items():
        same = again.get(number)
        if isinstance(order, Perform | Control) and isinstance(same, Perform | Control) and same is not order:
            follow(order.reply, same.reply)
            following.add(order.reply)
    left = {reply: None for reply in old.replies if not (reply.is_settled or reply in following)}
    if left:
        new.replies = {**new.replies, **left}
