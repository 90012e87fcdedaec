"""Runtimes that are broken on purpose, one way each: a program that does not notice them proves nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from relay_actors.runtime.actor_timers import ActorTimers
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.children import Children
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.mailbox import STOP, Envelope, Mailbox
from relay_actors.runtime.post import Post
from relay_actors.runtime.registry import Registry
from relay_actors.runtime.turns import Turns
from relay_actors.runtime.watching import Watching

__all__ = ["MUTATIONS"]

Mutation = Callable[[pytest.MonkeyPatch], None]

MUTATIONS: dict[str, tuple[Mutation, str]] = {}
"""By name: how to break the runtime, and a word of the violation that this must be found as."""


def found_as(word: str) -> Callable[[Mutation], Mutation]:
    """Add a mutation."""

    def add(mutation: Mutation) -> Mutation:
        MUTATIONS[mutation.__name__] = mutation, word
        return mutation

    return add


@found_as("waits in 0 places")
def a_message_is_lost(patch: pytest.MonkeyPatch) -> None:
    handle, taken = Turns._handle, [0]

    def lose(cell: Any, envelope: Envelope) -> None:
        taken[0] += 1
        if taken[0] % 10:
            handle(cell, envelope)

    patch.setattr(Turns, "_handle", lose)


@found_as("waits all the same|second outcome")
def a_message_is_handled_twice(patch: pytest.MonkeyPatch) -> None:
    handle, taken = Turns._handle, [0]

    def repeat(cell: Any, envelope: Envelope) -> None:
        taken[0] += 1
        if taken[0] % 10 == 0:
            cell.mailbox.open_user().append(envelope)
        handle(cell, envelope)

    patch.setattr(Turns, "_handle", repeat)


@found_as("out of order")
def the_last_comes_first(patch: pytest.MonkeyPatch) -> None:
    class Backwards(list[Any]):
        def pop(self, _at: Any = -1) -> Any:
            return super().pop()

    make = Mailbox.__init__

    def make_another(mailbox: Mailbox, *args: Any, **kwargs: Any) -> None:
        make(mailbox, *args, **kwargs)
        if mailbox.room is None:
            mailbox.user = Backwards()

    patch.setattr(Mailbox, "__init__", make_another)


@found_as("waits in 0 places|open")
def a_closed_mailbox_forgets_what_waited(patch: pytest.MonkeyPatch) -> None:
    close = Mailbox.close
    patch.setattr(Mailbox, "close", lambda mailbox, **how: (close(mailbox, **how)[0], []))


@found_as("waits in 0 places|something lies in its mailbox")
def a_mailbox_is_not_closed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Mailbox, "close", lambda mailbox, **how: ([], []))


@found_as("the ask with message .* is open")
def who_asked_is_not_told_of_a_refusal(patch: pytest.MonkeyPatch) -> None:
    refuse = Post.refuse

    def say_nothing(cell: Any, envelope: Envelope, why: Any) -> None:
        refuse(cell, envelope if envelope.message is STOP else Envelope(envelope.message), why)

    patch.setattr(Post, "refuse", say_nothing)


@found_as("two turns at once")
def a_turn_is_given_while_one_is_under_way(patch: pytest.MonkeyPatch) -> None:
    always_there = property(lambda _cell: True, lambda _cell, _value: None, lambda _cell: None)
    patch.setattr(Cell, "_rest", always_there)
    patch.setattr(Cell, "is_resting", always_there)


@found_as("no turn is due")
def a_wake_up_is_lost(patch: pytest.MonkeyPatch) -> None:
    schedule, woken = DeterministicDispatcher.schedule, [0]

    def sleep_on(dispatcher: Any, runnable: Any) -> None:
        woken[0] += 1
        if woken[0] % 50:
            schedule(dispatcher, runnable)

    patch.setattr(DeterministicDispatcher, "schedule", sleep_on)


@found_as("once too often|without a watch")
def an_end_is_told_twice(patch: pytest.MonkeyPatch) -> None:
    def deliver_again(watching: Watching, token: int, notice: Any) -> None:
        if token in watching._watched:
            watching._cell.handle_user(notice)

    patch.setattr(Watching, "deliver", deliver_again)
    tell = Watching._tell

    def tell_twice(watching: Watching, *args: Any, **kwargs: Any) -> None:
        tell(watching, *args, **kwargs)
        tell(watching, *args, **kwargs)

    patch.setattr(Watching, "_tell", tell_twice)


@found_as("was never told the end|watches of the witness")
def an_end_is_not_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Watching, "_tell", lambda watching, *args, **kwargs: None)


@found_as("which lives")
def an_end_is_told_too_early(patch: pytest.MonkeyPatch) -> None:
    stop = Cell._stop_for_good

    def tell_first(cell: Cell, reason: Any) -> None:
        if not cell.has_ended and cell._watching is not None:
            cell.watching.end(reason)
        stop(cell, reason)

    patch.setattr(Cell, "_stop_for_good", tell_first)


@found_as("its parent .* has ended|lives when the end of|which lives|would not end")
def a_kill_spares_the_children(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Children, "kill_all", lambda children, detail: None)


@found_as("a tick of a timer that is no more|handles Tick|was due at")  # nor is a repeating one armed again
def a_timer_cannot_be_cancelled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ActorTimers, "cancel", lambda timers, key: timers._timers.pop(key, None) is not None)
    patch.setattr(ActorTimers, "on_tick", lambda timers, tick: timers._cell.handle_user(_message_of(timers, tick)))
    messages: dict[tuple[int, Any], object] = {}
    arm = ActorTimers._arm

    def remember(timers: ActorTimers, key: Any, timer: Any, due: float) -> None:
        messages[timer.generation, key] = timer.message
        arm(timers, key, timer, due)

    def _message_of(timers: ActorTimers, tick: Any) -> object:
        return messages[tick.generation, tick.key]

    patch.setattr(ActorTimers, "_arm", remember)


@found_as("was due at")
def a_timer_does_not_tick(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ActorTimers, "on_tick", lambda timers, tick: timers._timers.pop(tick.key, None))


@found_as(r"incarnation \d+ comes after")
def a_restart_counts_as_two(patch: pytest.MonkeyPatch) -> None:
    drop = Cell._drop_incarnation

    def skip_one(cell: Cell) -> None:
        drop(cell)
        cell.incarnation += 1

    patch.setattr(Cell, "_drop_incarnation", skip_one)


@found_as("still has names")
def names_outlive_their_owner(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Registry, "release", lambda registry, cell: None)
