"""What must be true of a program, after every step and at its end: one function each, which tells what is not.

Each yields a sentence per violation. Source: SEMANTICS V5.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from relay_actors.runtime.turns import CellState
from tests.runtime.programs.messages import Envelope

__all__ = ["ALWAYS", "AT_THE_END"]

Invariant = Callable[[Any], Iterator[str]]

ALWAYS: list[Invariant] = []
AT_THE_END: list[Invariant] = []


def always(invariant: Invariant) -> Invariant:
    """Check it after each step, while no turn is under way."""
    ALWAYS.append(invariant)
    return invariant


def at_the_end(invariant: Invariant) -> Invariant:
    """Check it when everybody but the witness has ended."""
    AT_THE_END.append(invariant)
    return invariant


@always
def no_actor_outlives_its_parent(program: Any) -> Iterator[str]:
    """L6."""
    for cell in program.open_cells.values():
        parent = cell.parent
        if parent is not None and parent.has_ended and not cell.has_ended:
            yield f"{cell} lives, and its parent {parent} has ended"


@always
def who_has_ended_is_out_of_the_system(program: Any) -> Iterator[str]:
    """L1, M5, R2: and who has not is in it."""
    living = program.system._cells
    for serial, cell in program.open_cells.items():
        if (serial in living) is cell.has_ended:
            yield f"{cell} has ended: {cell.has_ended}; is counted among the living: {serial in living}"
        if cell.has_ended:
            if cell.ref.is_alive():
                yield f"{cell} has ended, and its ref says that it lives"
            if not cell.mailbox.empty():
                yield f"{cell} has ended, and something lies in its mailbox: {cell.mailbox.lengths()}"
            if program.system.registry.keys_of(cell):
                yield f"{cell} has ended, and still has names"


@always
def every_message_waits_in_one_place_until_it_has_its_outcome(program: Any) -> Iterator[str]:
    """M5, V5: none is lost, none is there twice, and none is kept after it was handled or refused."""
    waiting: Counter[int] = Counter()
    for cell in program.open_cells.values():
        mailbox = cell.mailbox
        if mailbox.has_messages():
            older = mailbox.older
            moved = () if older is None else (older.control, older.user)
            for lane in (mailbox.control, mailbox.user, *moved):
                waiting.update(
                    envelope.message.number for envelope in lane or () if isinstance(envelope.message, Envelope)
                )
    if waiting.keys() == program.pending.keys() and len(waiting) == waiting.total():
        return
    for number, receiver in program.pending.items():
        if waiting[number] != 1:
            yield f"message {number} to {receiver} has had no outcome, and waits in {waiting[number]} places"
    for number in waiting:
        if number not in program.pending:
            yield f"message {number} has had its outcome, and waits all the same"


@always
def an_ask_is_open_only_while_its_message_waits_or_is_handled(program: Any) -> Iterator[str]:
    """A5, A6, A13: when the message has its outcome, so has the future, unless somebody living owes the answer."""
    for number, future in program.open_asks.items():
        if future.is_settled or number in program.pending or number in program.handling:
            continue
        cell = program.deferred.get(number)
        if cell is None or cell.has_ended or cell.actor is None or number not in (owed for owed, _ in cell.actor.owed):
            yield f"the ask with message {number} is open, and the message has had its outcome"


@always
def who_has_work_has_a_turn_due(program: Any) -> Iterator[str]:
    """D2: no wake-up is lost."""
    dispatcher = program.world.dispatcher
    due = {id(runnable) for queue in (dispatcher._ready, dispatcher._late) for runnable in queue}
    for cell in program.open_cells.values():
        mailbox = cell.mailbox
        has_work = mailbox.has_signals() or (mailbox.has_messages() and cell.state is CellState.RUNNING)
        if has_work and id(cell) not in due:
            yield f"{cell} has work, and no turn is due: {mailbox.lengths()}"


def _is_idle(program: Any, cell: Any) -> bool:
    return cell.state is CellState.RUNNING and cell.mailbox.empty() and cell.is_resting


@always
def who_watches_is_told_of_an_end(program: Any) -> Iterator[str]:
    """W1: at the latest when there is nothing else to do. That nobody is told twice is seen by `end_watch`."""
    for serial, watches in program.watches.items():
        if watches and _is_idle(program, program.cells[serial]):
            for _token, target in watches:
                if target._cell.has_ended:
                    yield f"{program.cells[serial]} was never told the end of {target._cell}"


@always
def a_timer_that_was_due_has_ticked(program: Any) -> Iterator[str]:
    """T1: that no other one has is seen by the actor."""
    for cell in program.open_cells.values():
        actor = cell.actor
        if actor is not None and actor.due and _is_idle(program, cell):
            for key, (due, _interval_s) in actor.due.items():
                if due < program.now - 1e-6:
                    yield f"{cell}: timer {key} was due at {due:.3f}, and it is {program.now:.3f}"


@always
def a_name_leads_to_its_owner(program: Any) -> Iterator[str]:
    """R1, R2."""
    registry = program.system.registry
    for cell in program.open_cells.values():
        for key in registry.keys_of(cell):
            owner = program.system.find(key)
            if owner is not None and owner != cell.ref:
                yield f"{key!r} belongs to {cell} and leads to {owner}"


@at_the_end
def only_the_witness_is_left(program: Any) -> Iterator[str]:
    """L6, S7: nothing keeps an actor from ending."""
    left = [cell for cell in program.system.living if cell.ref is not program.witness]
    if left:
        yield f"{left} would not end"


@at_the_end
def every_message_has_had_its_outcome(program: Any) -> Iterator[str]:
    """M5, V5."""
    if program.pending:
        yield f"messages without an outcome: {program.pending}"


@at_the_end
def every_ask_and_every_stop_is_settled(program: Any) -> Iterator[str]:
    """A6, M3."""
    open_asks = [number for number, future in program.open_asks.items() if not future.is_settled]
    if open_asks:
        yield f"open asks: {open_asks}"
    open_stops = sum(not future.is_settled for future in program.stops)
    if open_stops:
        yield f"{open_stops} stops were never answered"


@at_the_end
def the_witness_was_told_every_end(program: Any) -> Iterator[str]:
    """W1: everybody it watched has ended."""
    cell = program.witness._cell
    if program.watches.get(cell.serial) or cell.watching._watched:
        yield f"watches of the witness are open: {program.watches[cell.serial]}, {cell.watching._watched}"
