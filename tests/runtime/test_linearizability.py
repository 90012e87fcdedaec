"""Registry and mailbox on real threads: each call is as if it happened at one moment between its begin and its end."""

from collections.abc import Hashable
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay_actors.errors import MailboxFull
from relay_actors.runtime.mailbox import Envelope, Mailbox
from relay_actors.runtime.registry import Registry
from tests.runtime.linearizability import Call, Operation, explains, record
from tests.support.thorough import less

KEYS, CELLS = ("a", "b"), 3


class Stub:
    """As much of a cell as the registry looks at."""

    def __init__(self) -> None:
        self.stopped = False
        self.keys: Any = ()

    @property
    def has_ended(self) -> bool:
        return self.stopped


# -- registry: owners by key, and who has stopped --------------------------------------------------------------------


def registry_step(state: Any, operation: Operation) -> Hashable | None:
    owners, stopped = dict(state[0]), set(state[1])
    match operation:
        case Operation(name="register", args=(_, cell), result=result) if cell in stopped:
            fits = result == cell  # and it has none of them
        case Operation(name="register", args=(keys, cell), result=result):
            taken = next((owners[key] for key in keys if owners.get(key, cell) != cell), cell)
            if taken == cell:
                owners |= dict.fromkeys(keys, cell)
            fits = result == taken
        case Operation(name="unregister", args=(key, cell)):
            if owners.get(key) == cell:
                del owners[key]
            fits = True
        case Operation(name="find", args=(key,), result=result):
            owner = owners.get(key)
            fits = result == (None if owner in stopped else owner)
        case Operation(name="stop", args=(cell,)):
            stopped.add(cell)
            fits = True
        case Operation(name="release", args=(cell,)):
            owners = {key: owner for key, owner in owners.items() if owner != cell}
            fits = True
    return (frozenset(owners.items()), frozenset(stopped)) if fits else None


NOBODY = (frozenset(), frozenset())


def run_registry(programs: list[list[tuple[Any, ...]]], random: Random) -> list[Operation]:
    """Run programs of names and arguments on one registry; an end is a stop and then a release."""
    registry = Registry()
    cells: list[Any] = [Stub() for _ in range(CELLS)]

    def number(cell: Any) -> int | None:
        return None if cell is None else cells.index(cell)

    def call(name: str, *args: Any) -> Call:
        match name, *args:
            case "register", keys, cell:
                return name, args, lambda: number(registry.register_all(keys, cells[cell]))
            case "unregister", key, cell:
                return name, args, lambda: registry.unregister(key, cells[cell])
            case "find", key:
                return name, args, lambda: number(registry.find(key))
        [cell] = args

        def end() -> None:
            cells[cell].stopped = True
            registry.release(cells[cell])

        return name, args, end

    history = []
    for one in record([[call(*step) for step in program] for program in programs], random):
        if one.name == "end":
            history.append(Operation("stop", one.args, None, one.began, one.returned))
            history.append(Operation("release", one.args, None, one.began, one.returned, part=1))
        else:
            history.append(one)
    return history


def random_program(random: Random, length: int) -> list[tuple[Any, ...]]:
    def step() -> tuple[Any, ...]:
        key, cell = random.choice(KEYS), random.randrange(CELLS)
        return random.choice(
            [("register", (key,), cell), ("register", KEYS, cell), ("unregister", key, cell), ("find", key)]
            + [("find", key)] * 2
            + [("end", cell)]
        )

    return [step() for _ in range(length)]


def test_the_registry_is_linearizable():
    """V8, R1, R3: claims of one and of several keys, releases and look-ups, from three threads at once."""
    random = Random(8)
    for _ in range(120):
        history = run_registry([random_program(random, 5) for _ in range(3)], random)
        assert explains(history, NOBODY, registry_step), history


def test_keys_that_are_claimed_together_are_found_together():
    """V8, R3: nobody finds one of them, and then not another."""
    random = Random(3)
    look_ups = [("find", "a"), ("find", "b"), ("find", "a"), ("find", "b")]
    for _ in range(80):
        history = run_registry([[("register", KEYS, 0), ("end", 0)], look_ups, look_ups], random)
        assert explains(history, NOBODY, registry_step), history


STEP = st.one_of(
    st.tuples(st.just("register"), st.sampled_from([("a",), ("b",), KEYS]), st.integers(0, CELLS - 1)),
    st.tuples(st.just("unregister"), st.sampled_from(KEYS), st.integers(0, CELLS - 1)),
    st.tuples(st.just("find"), st.sampled_from(KEYS)),
    st.tuples(st.just("end"), st.integers(0, CELLS - 1)),
)


@settings(max_examples=less(30, 60), deadline=None)
@given(st.lists(st.lists(STEP, min_size=1, max_size=5), min_size=2, max_size=3), st.integers())
def test_no_program_finds_the_registry_between_two_states(programs: list[list[tuple[Any, ...]]], seed: int):
    """V8: whatever the program."""
    history = run_registry(programs, Random(seed))
    assert explains(history, NOBODY, registry_step), history


# -- mailbox: what waits, and whether it is closed -------------------------------------------------------------------


def mailbox_step(state: Any, operation: Operation, capacity: int | None = None) -> Hashable | None:
    """Without a bound there is no lock, and a put is two steps: it looks, and then appends.

    One that is overtaken by the closing is taken back (``closed``), unless somebody has got it by then (``taken``).
    """
    waiting, closed = state
    after: Any = None
    match operation:
        case Operation(name="look", result=result):
            if result == "closed" or not closed:
                after = state
        case Operation(name="append", args=(number,), result=result):
            if result == "taken":
                after = ((*waiting, number), closed)
            elif closed:
                after = state
        case Operation(name="put", args=(number,), result=result):
            is_full = capacity is not None and len(waiting) >= capacity
            if result == ("closed" if closed else "full" if is_full else "taken"):
                after = ((*waiting, number) if result == "taken" else waiting, closed)
        case Operation(name="take", result=result):
            if result == (waiting[0] if waiting else None):
                after = (waiting[1:], closed)
        case Operation(name="shut"):
            after = (waiting, True)
        case Operation(name="drain", result=result):
            if list(waiting) == result and closed:
                after = ((), True)
    return after


OPEN: Any = ((), False)


def nothing_is_left(state: Any) -> bool:
    """All have been closed by the end."""
    return state == ((), True)


def run_mailbox(
    capacity: int | None, sent: list[list[int]], takes: int, random: Random, *, offers: bool
) -> list[Operation]:
    """Senders, one taker (as who has the turn is), and one who closes: shuts it, and then drains it."""
    mailbox = Mailbox(capacity, "fail")

    def put(number: int) -> str:
        if offers:
            return {True: "taken", False: "closed", None: "full"}[mailbox.offer(Envelope(number))]
        try:
            return "taken" if mailbox.put_user(Envelope(number), lambda *_: False)[0] else "closed"
        except MailboxFull:
            return "full"

    def take() -> Any:
        envelope = mailbox.take_user()
        return None if envelope is None else envelope.message

    def close() -> list[Any]:
        return [envelope.message for envelope in mailbox.close()[1]]

    senders: list[list[Call]] = [[("put", (n,), lambda n=n: put(n)) for n in numbers] for numbers in sent]
    history = []
    for one in record([*senders, [("take", (), take)] * takes, [("close", (), close)]], random):
        if one.name == "close":
            history.append(Operation("shut", (), None, one.began, one.returned))
            # Without a bound there is no lock, and what waits is drained one by one, while the taker still takes.
            steps = [("drain", one.result)] if capacity else [("take", number) for number in [*one.result, None]]
            for part, (name, result) in enumerate(steps, start=1):
                history.append(Operation(name, (), result, one.began, one.returned, part))
        elif one.name == "put" and capacity is None:
            if not offers:  # an offer appends first, and looks afterwards only
                history.append(Operation("look", one.args, one.result, one.began, one.returned))
            history.append(Operation("append", one.args, one.result, one.began, one.returned, part=1))
        else:
            history.append(one)
    return history


@pytest.mark.parametrize("offers", [True, False])
@pytest.mark.parametrize("capacity", [None, 2])
def test_the_mailbox_is_linearizable(capacity: int | None, offers: bool):
    """V8, M5: two senders, one taker, and a close in the middle; every message is in exactly one place."""
    random = Random(5)
    for _ in range(150):
        history = run_mailbox(capacity, [[0, 1, 2, 3], [10, 11, 12, 13]], 5, random, offers=offers)
        assert explains(history, OPEN, partial(mailbox_step, capacity=capacity), nothing_is_left), history


# -- the checker itself ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "history",
    [
        # Found by nobody, after its registration had returned.
        [Operation("register", (("a",), 0), 0, 0, 1), Operation("find", ("a",), None, 2, 3)],
        # Two winners.
        [Operation("register", (("a",), 0), 0, 0, 2), Operation("register", (("a",), 1), 1, 1, 3)],
        # Two keys that are claimed together, and one of them is found before the other.
        [
            Operation("register", (("a", "b"), 0), 0, 0, 9),
            Operation("find", ("a",), 0, 1, 2),
            Operation("find", ("b",), None, 3, 4),
        ],
    ],
)
def test_what_cannot_be_explained_is_told(history: list[Operation]):
    """V8: the checker can fail."""
    assert not explains(history, NOBODY, registry_step)


def test_calls_at_the_same_time_may_have_been_in_either_order():
    """V8: the checker does not cry at what is right."""
    claim = Operation("register", (("a",), 0), 0, 0, 3)
    for result in (None, 0):
        assert explains([claim, Operation("find", ("a",), result, 1, 2)], NOBODY, registry_step)


def test_a_lost_message_is_told():
    """V8: taken by the mailbox, and neither handed out nor drained."""
    history = [
        Operation("put", (1,), "taken", 0, 1),
        Operation("shut", (), None, 2, 3),
        Operation("drain", (), [], 2, 3, part=1),
    ]
    assert not explains(history, OPEN, mailbox_step, nothing_is_left)
    assert explains([history[0]], OPEN, mailbox_step)
    assert not explains([history[0]], OPEN, mailbox_step, nothing_is_left)
