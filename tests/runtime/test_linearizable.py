"""The check itself, and the mailbox by it, on real threads."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from relay_actors.runtime import mailbox as mailbox_module
from relay_actors.runtime.clock import Random
from relay_actors.runtime.mailbox import Envelope, Mailbox
from tests.runtime.linearizable import History, Operation, is_linearizable

State = tuple[tuple[int, ...], bool]
EMPTY: State = ((), False)
ROUNDS = 150


def plain_mailbox(state: State, operation: Operation) -> Iterable[State]:
    """A queue that can be closed, as one thread would see it. To close is to take nothing more, and then to drain."""
    queue, closed = state
    match operation.name:
        case "put":
            if operation.result is not closed:
                yield state if closed else ((*queue, operation.argument), closed)
        case "take":
            if operation.result is None and (closed or not queue):
                yield state
            elif queue and operation.result == queue[0]:
                yield queue[1:], closed
        case "mark":
            yield queue, True
        case "drain":
            if closed and operation.result == (queue[0] if queue else None):
                yield queue[1:], closed


def moment(began: int, ended: int, name: str, argument: Any, result: Any) -> Operation:
    return Operation(began, ended, name, argument, result)


@pytest.mark.parametrize(
    ("operations", "can_be"),
    [
        ([(0, 1, "put", 1, True), (2, 3, "take", None, 1)], True),
        ([(0, 1, "put", 1, True), (2, 3, "take", None, None)], False),
        ([(0, 3, "put", 1, True), (1, 2, "take", None, None)], True),
        ([(0, 1, "put", 1, True), (2, 3, "put", 2, True), (4, 5, "take", None, 2)], False),
        ([(0, 2, "put", 1, True), (1, 3, "put", 2, True), (4, 5, "take", None, 2)], True),
        ([(0, 1, "mark", None, None), (2, 3, "put", 1, True)], False),
        ([(0, 2, "mark", None, None), (1, 3, "put", 1, True)], True),
        ([(0, 1, "put", 1, False)], False),
    ],
)
def test_the_check_knows_what_can_have_happened(operations: list[tuple[Any, ...]], *, can_be: bool):
    """V8: what had ended comes first; what overlaps may have come in either order."""
    assert is_linearizable([moment(*one) for one in operations], plain_mailbox, EMPTY) is can_be


def history_of(mailbox: Any, random: Random) -> list[Operation]:
    """Have four threads use one mailbox: two put, one takes, one closes it in the middle."""
    history = History()

    def never(*_args: Any) -> bool:
        return False

    def put(number: int) -> None:
        history.do("put", number, lambda: mailbox.put_user(Envelope(number), never)[0])

    def take() -> None:
        def number_of() -> Any:
            envelope = mailbox.take_user()
            return None if envelope is None else envelope.message

        history.do("take", None, number_of)

    def close() -> None:
        def steps() -> list[tuple[str, Any]]:
            drained = [envelope.message for envelope in mailbox.close()[1]]
            return [("mark", None), *(("drain", number) for number in drained), ("drain", None)]

        history.do_parts(None, steps)

    def each(*calls: Callable[[], None]) -> Callable[[], None]:
        def plan() -> None:
            for call in calls:
                call()

        return plan

    history.run(
        each(*(lambda number=number: put(number) for number in range(4))),  # type: ignore[misc]
        each(*(lambda number=number: put(number) for number in range(10, 14))),  # type: ignore[misc]
        each(take, take, take, take),
        each(take, close, take),
        inside=(mailbox_module.__file__, __file__),
        random=random,
    )
    return history.operations


@pytest.mark.parametrize("capacity", [None, 1000])
def test_a_mailbox_is_used_by_many_threads_as_if_by_one(capacity: int | None):
    """V8, M5: put, take and close, in whatever way the threads interleave; with the lock of a bound and without."""
    random = Random(8)
    for _ in range(ROUNDS):
        operations = history_of(Mailbox(capacity), random)
        assert is_linearizable(operations, plain_mailbox, EMPTY), sorted(operations, key=lambda one: one.began)


class Closing(Mailbox):
    """Broken: does not look again whether it was closed while it put."""

    def put_user(self, envelope: Envelope, wait_until: Any) -> tuple[bool, Envelope | None]:
        if self.is_closed:
            return False, None
        for _moment in range(100):  # in each of which somebody may close
            pass
        self.open_user().append(envelope)
        return True, None


class Draining(Mailbox):
    """Broken: drains first, and closes then."""

    def close(self) -> Any:
        drained = list(self.open_user())
        self.user.clear()
        for _moment in range(100):  # in each of which somebody may put
            pass
        self.is_closed = True
        return [], drained


@pytest.mark.parametrize("broken", [Closing, Draining])
def test_a_broken_mailbox_is_found(broken: type[Mailbox]):
    """V8: the check can fail, and does so soon."""
    random = Random(8)
    assert not all(is_linearizable(history_of(broken(), random), plain_mailbox, EMPTY) for _ in range(20 * ROUNDS))


def test_what_is_put_behind_the_closers_back_is_for_nobody_else_to_take():
    """V8, M5: the schedule that the check found: close and take between a sender's two steps. He is told."""
    mailbox = Mailbox()
    taken: list[Any] = []

    class Lane(list[Any]):
        def append(self, envelope: Any) -> None:
            mailbox.close()
            super().append(envelope)
            taken.append(mailbox.take_user())

    mailbox.user = Lane()
    put, _dropped = mailbox.put_user(Envelope("late"), lambda *_args: False)

    assert (put, taken) == (False, [None])
    assert mailbox.empty()
