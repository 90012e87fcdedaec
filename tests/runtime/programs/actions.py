"""What an actor of a program does with a message: one function each, with how often it is done."""

from collections.abc import Callable
from typing import Any, NamedTuple

from relay_actors.errors import ActorDead, MailboxFull, NameTaken, ParentStopping, StartFailed, TooManyChildren
from relay_actors.runtime.future import WaitTimeout
from tests.runtime.programs.messages import Piped, Tick

__all__ = ["ACTIONS", "Action"]

_DEEPEST_WAIT = 4
_WAIT_S = 0.2


class Action(NamedTuple):
    """Something that an actor does."""

    do: Callable[[Any], None]
    weight: int


ACTIONS: list[Action] = []


def action(weight: int) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Add an action; the weights of all are about 50."""

    def add(do: Callable[[Any], None]) -> Callable[[Any], None]:
        ACTIONS.append(Action(do, weight))
        return do

    return add


@action(13)
def tell(actor: Any) -> None:
    actor.program.tell(repr(actor), actor.program.anybody())


@action(7)
def ask(actor: Any) -> None:
    actor.program.ask(repr(actor), actor.program.anybody())  # what it raises is this actor's failure


@action(2)
def ask_and_wait(actor: Any) -> None:
    program = actor.program
    if program.waits >= _DEEPEST_WAIT:
        return
    # On one thread an outer wait ends after the inner ones: each that may still begin can make it longer.
    latest = program.now + _WAIT_S * (_DEEPEST_WAIT - program.waits)
    program.waits += 1
    try:
        program.ask(repr(actor), program.anybody()).get(timeout=_WAIT_S)
    except (ActorDead, MailboxFull, WaitTimeout) as error:
        program.note("has waited", actor, type(error).__name__)
    finally:
        program.waits -= 1
        program.require_in_time(latest, f"{actor} has waited for an answer until {program.now:.3f}")


@action(6)
def make_a_child(actor: Any) -> None:
    program = actor.program
    make = program.random.choice([actor.spawn, actor.spawn_started])
    try:
        child = make(program.a_class(), program, spec=program.spec())
    except (OSError, ParentStopping, StartFailed, TooManyChildren) as error:
        program.note("gets no child", actor, type(error).__name__)
        return
    program.adopt(child)


@action(1)
def stop_a_child(actor: Any) -> None:
    for cell in list(actor._cell.children or ())[:1]:
        actor.program.note("stops a child", actor, cell)
        actor.stop_child(cell.ref, "by the program")


@action(3)
def crash(actor: Any) -> None:
    actor.program.note("crashes", actor)
    raise ValueError("crash")


@action(1)
def exit_the_interpreter(actor: Any) -> None:
    actor.program.note("exits", actor)
    raise SystemExit(1)


@action(1)
def stop(actor: Any) -> None:
    actor.program.note("stops itself", actor)
    actor.stop()


@action(4)
def watch(actor: Any) -> None:
    target = actor.program.anybody()
    actor.program.note("watches", actor, target._cell)
    actor.program.begin_watch(actor, target)


@action(2)
def unwatch(actor: Any) -> None:
    watches = actor.program.watches.get(actor._cell.serial)
    if watches:
        token, target = watches.pop(actor.program.random.randrange(len(watches)))
        actor.program.note("unwatches", actor, target._cell)
        actor.unwatch(token)


@action(2)
def claim_a_name(actor: Any) -> None:
    name = actor.program.random.randrange(5)
    try:
        actor.register(name)
        actor.program.note("is", actor, name)
    except NameTaken as taken:
        actor.program.require(taken.owner != actor.actor_ref, f"{actor} cannot have what it owns")


@action(6)
def begin_a_timer(actor: Any) -> None:
    random = actor.program.random
    key = random.randrange(3)
    delay_s, interval_s = random.choice([0.0, 0.3, 2.0]), random.choice([None, None, 0.7])
    actor.generations[key] = generation = actor.generations.get(key, 0) + 1
    actor.program.note("begins a timer", actor, key, generation)
    actor.start_timer(key, Tick(key, generation), delay_s, interval_s=interval_s)
    actor.due[key] = actor.program.now + delay_s, interval_s


@action(2)
def end_a_timer(actor: Any) -> None:
    key = actor.program.random.randrange(3)
    actor.cancel_timer(key)
    actor.generations[key] = actor.generations.get(key, 0) + 1
    actor.due.pop(key, None)


@action(3)
def link(actor: Any) -> None:
    target = actor.program.anybody()
    if target is not actor.program.witness and actor._cell.serial != actor.program.witness._cell.serial:
        actor.program.note("is linked", actor, target._cell)
        actor.link(target)


@action(1)
def unlink(actor: Any) -> None:
    target = actor.program.anybody()
    actor.program.note("is linked no more", actor, target._cell)
    actor.unlink(target)


@action(3)
def ask_by_a_pipe(actor: Any) -> None:
    program = actor.program
    future = program.ask(repr(actor), program.anybody())
    result = Piped(next(program.pipes), actor._cell.incarnation)
    actor.pipe_to_self(future, ok=lambda _value: result, err=lambda _error: result)


@action(3)
def answer_later(actor: Any) -> None:
    question = actor._cell.answering
    token = actor.reply_later()
    # Of an asker that has ended, too, who waits no more: each question is accounted for.
    if (
        question is not None
        and not question.is_settled
        and actor.number not in (number for number, _token in actor.owed)
    ):
        actor.owed.append((actor.number, token))
        actor.program.deferred[actor.number] = actor._cell


@action(2)
def answer_now(actor: Any) -> None:
    if actor.owed:
        number, token = actor.owed.pop(0)
        actor.program.note("answers", actor, number)
        actor.reply_to(token, number)
        actor.program.deferred.pop(number, None)
