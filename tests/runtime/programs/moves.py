"""What the outside does with a program: one function each, with how often it is done."""

from collections.abc import Callable
from typing import Any, NamedTuple

from relay_actors.errors import MailboxFull

__all__ = ["MOVES", "Move"]


class Move(NamedTuple):
    """Something that the outside does, or the passing of time."""

    do: Callable[[Any], None]
    weight: int


MOVES: list[Move] = []


def move(weight: int) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Add a move; a weight of 12 is done about every second time."""

    def add(do: Callable[[Any], None]) -> Callable[[Any], None]:
        MOVES.append(Move(do, weight))
        return do

    return add


@move(12)
def step(program: Any) -> None:
    program.world.dispatcher.step()


@move(4)
def tell(program: Any) -> None:
    program.tell("outside", program.anybody())


@move(2)
def ask(program: Any) -> None:
    ref = program.anybody()
    try:
        program.ask("outside", ref)
    except MailboxFull:
        program.note("full", ref._cell)


@move(1)
def start_one(program: Any) -> None:
    program.start_alone()


@move(1)
def start_a_child(program: Any) -> None:
    parent = program.anybody()
    if parent is not program.witness:
        try:
            child = program.system.start_child(parent, program.a_class(), program, spec=program.spec())
        except OSError:
            program.note("could not start a child of", parent._cell)
            return
        program.adopt(child)


@move(1)
def end_one(program: Any) -> None:
    ref = program.anybody()
    if ref is program.witness:
        return
    how = program.random.choice(["kill", "stop", "stop now"])
    program.note(how, ref._cell)
    if how == "kill":
        ref._cell.kill("by the program")
    else:
        program.stops.append(ref.stop(block=False, now=how == "stop now"))


@move(1)
def let_time_pass(program: Any) -> None:
    program.world.advance(program.random.choice([0.0, 0.1, 1.0, 7.0]))
