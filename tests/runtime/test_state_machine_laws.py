"""Machines against pure models of gen_statem's rules: what is postponed and retried, and which time-outs come."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from relay_actors.runtime.state_machine import EventTimeout, NamedTimeout, StateMachine, StateTimeout
from relay_actors.runtime.state_rules import in_any_state
from tests.runtime.test_state_machine import Do, do
from tests.runtime.worlds import World
from tests.support.thorough import less


class Lab(StateMachine):
    """Three states; in each, a number is handled, postponed or illegal as a plan says."""

    initial_state = 0
    states = (0, 1, 2)
    stash_capacity = 1000

    def __init__(self, plan: dict[tuple[int, int], Any], log: list[Any]) -> None:
        super().__init__()
        self.plan, self.log_of = plan, log

    @in_any_state(int)
    def number(self, number: int) -> None:
        wish = self.plan[self.current_state, number % 5]
        self.log_of.append((self.current_state, number, wish))
        if wish == "postpone":
            self.postpone()
        elif wish == "illegal":
            self.illegal_event()
        else:
            self.go(wish)


def simulate(plan: dict[tuple[int, int], Any], numbers: list[int]) -> list[Any]:
    """What gen_statem's rules say: a list of what is to come, one of what is postponed, and the state."""
    state, log, postponed, queue = 0, [], [], list(numbers)  # type: ignore[var-annotated]
    while queue and len(log) < 300:
        number = queue.pop(0)
        wish = plan[state, number % 5]
        log.append((state, number, wish))
        if wish == "postpone":
            postponed.append(number)
        elif wish != "illegal" and wish != state:
            state, queue, postponed = wish, [*postponed, *queue], []
    return log


@settings(max_examples=less(30, 100))
@given(st.data(), st.integers(0, 2**16))
def test_a_machine_does_what_the_rules_of_gen_statem_say(data: st.DataObject, seed: int):
    """P3, P6: for any plan, and any order of sending and handling, events are handled as by a pure model."""
    wishes = st.sampled_from([0, 1, 2, "postpone", "illegal"])
    plan = {(state, kind): data.draw(wishes) for state in range(3) for kind in range(5)}
    numbers = data.draw(st.lists(st.integers(0, 20), max_size=12, unique=True))
    world = World(seed)
    log: list[Any] = []
    ref = world.system.start(Lab, plan, log)
    for number in numbers:
        ref.tell(number)
        if data.draw(st.booleans()):
            world.dispatcher.step()
    world.settle()
    wanted = simulate(plan, numbers)
    assert log == wanted
    assert sum(do_illegal(ref).values()) == sum(entry[2] == "illegal" for entry in wanted)
    world.end()


def do_illegal(ref: Any) -> dict[Any, int]:
    memory: dict[Any, int] = ref._cell.actor.illegal_events
    return memory


class Times(StateMachine):
    """Does what it is told with its time-outs, and notes which of them come."""

    initial_state = 0
    states = (1, 2)

    def __init__(self, log: list[Any]) -> None:
        super().__init__()
        self.log_of = log

    @in_any_state(Do)
    def do(self, do: Do) -> None:
        do.what(self)

    @in_any_state(StateTimeout, EventTimeout, NamedTimeout)
    def time_is_over(self, event: object) -> None:
        self.log_of.append((self.system.clock.now(), event))


class Model:
    """When which time-out is due, by the rules of gen_statem."""

    def __init__(self) -> None:
        self.state = 0
        self.due: dict[Any, tuple[float, Any]] = {}

    def event(self) -> None:
        self.due.pop("event", None)

    def set(self, key: Any, at: float | None, event: Any) -> None:
        self.due.pop(key, None)
        if at is not None:
            self.due[key] = (at, event)

    def go(self, state: int) -> None:
        if state != self.state:
            self.state = state
            self.due.pop("state", None)

    def take(self, until: float) -> list[tuple[float, Any]]:
        """Time passes: what comes by then; each of those is an event, too."""
        taken = []
        while (first := min(self.due, key=lambda key: self.due[key][0], default=None)) is not None:
            at, event = self.due[first]
            if at > until:
                break
            del self.due[first]
            self.event()
            taken.append((at, event))
        return taken


@settings(max_examples=less(30, 100))
@given(st.data())
def test_time_outs_come_and_end_as_the_rules_of_gen_statem_say(data: st.DataObject):
    """P4: for any order of setting, taking back, going, and any other event."""
    world, model = World(1), Model()
    log: list[Any] = []
    wanted: list[Any] = []
    ref = world.start(Times, log)
    for number in range(data.draw(st.integers(0, 25))):
        step = data.draw(st.sampled_from(["wait", "go", "event", "state", "events", "named", "state and go"]))
        if step == "wait":
            until = world.now + data.draw(st.integers(1, 6))
            wanted += model.take(until)
            world.advance(until - world.now)
        else:
            # Odd fractions, so that no two are due at the same moment.
            whole = data.draw(st.one_of(st.none(), st.integers(1, 8)))
            seconds = None if whole is None else whole + 2.0 ** -(number + 2)
            state, name = data.draw(st.integers(0, 2)), data.draw(st.sampled_from("ab"))
            due = None if seconds is None else world.now + seconds
            model.event()
            if step in ("go", "state and go"):
                model.go(state)
            if step in ("state", "state and go"):
                model.set("state", due, StateTimeout(model.state))
            elif step == "events":
                model.set("event", due, EventTimeout())
            elif step == "named":
                model.set(name, due, NamedTimeout(name))

            def do_it(
                machine: Any, step: str = step, seconds: Any = seconds, state: int = state, name: str = name
            ) -> None:
                if step.startswith("state"):
                    machine.set_state_timeout(seconds)
                elif step == "events":
                    machine.set_event_timeout(seconds)
                elif step == "named":
                    machine.set_named_timeout(name, seconds)
                if step.endswith("go"):
                    machine.go(state)

            do(ref, do_it)
        assert log == wanted
        assert world.dispatcher.pending_timers == len(model.due)
    world.end()
