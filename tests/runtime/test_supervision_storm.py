"""Random trees in which everything goes wrong: nothing hangs, nobody is left over, and each incarnation has its end."""

import sys
import threading
from collections import Counter
from typing import Any

import pytest

from relay_actors.errors import ActorDead, ActorError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.clock import Random
from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.strategies import AutoShutdown, Strategy
from relay_actors.runtime.supervisor import Child, DynamicSupervisor, Supervisor
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, World, until


class Storm:
    """What all actors of one storm share; everything random comes from the seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed * 31 + 7)
        self.begun: Counter[tuple[int, int]] = Counter()
        self.ended: Counter[tuple[int, int]] = Counter()
        self.violations: list[str] = []
        self.has_broken_out = False  # before that all start well, so that there is something to harm
        self.cells: dict[int, Any] = {}

    def spec(self, *, may_be_significant: bool = False) -> ChildSpec:
        random = self.random
        restart = random.choice(list(Restart))
        return ChildSpec(
            restart=restart,
            max_restarts=random.choice([None, None, None, 1, 5]),
            within_s=random.choice([0.5, 5.0]),
            backoff=random.choice([None, None, Backoff(min_s=0.1, max_s=2.0)]),
            shutdown_s=random.choice([None, 0.5, "kill"]),
            significant=may_be_significant and restart is not Restart.PERMANENT and random.random() < 0.3,
            keep_children=random.random() < 0.2,
            revive_killed=random.random() < 0.8,
        )

    def trees(self) -> list[Child]:
        """The children of the top: they come back whatever happens, or there would soon be nobody left."""
        trees = [self.tree(3) for _ in range(2)]
        return [Child(id=tree.id, actor_class=tree.actor_class, args=tree.args) for tree in trees]

    def tree(self, depth: int) -> Child:
        """A random child, with children of its own down to ``depth``."""
        random = self.random
        if depth == 0 or random.random() < 0.2:
            return Child(id=random.random(), actor_class=Leaf, args=(self,), spec=self.spec())
        auto_shutdown = random.choice([AutoShutdown.NEVER, *AutoShutdown])
        settings = {
            "strategy": random.choice(list(Strategy)),
            "auto_shutdown": auto_shutdown,
            "max_restarts": random.choice([1, 3, 50]),
            "directives": {
                KeyError: random.choice(["resume", "stop"]),
                OSError: random.choice(["escalate", "restart"]),
                SystemExit: random.choice(["restart", "stop", "escalate"]),
            },
        }
        children = []
        for _ in range(random.choice([1, 2, 3])):
            child = self.tree(depth - 1)
            spec = self.spec(may_be_significant=auto_shutdown is not AutoShutdown.NEVER)
            children.append(Child(id=child.id, actor_class=child.actor_class, args=child.args, spec=spec))
        branch = type("Branch", (Supervisor,), settings)
        return Child(id=random.random(), actor_class=branch, args=(children,), spec=self.spec())


class Leaf(Actor):
    """Does what it is told, and keeps count of its incarnations' beginnings and ends."""

    def __init__(self, storm: Storm) -> None:
        super().__init__()
        self.storm = storm
        storm.cells[self._cell.serial] = self._cell
        if storm.has_broken_out and storm.random.random() < 0.02:
            raise OSError("constructor")

    @property
    def me(self) -> tuple[int, int]:
        return self._cell.serial, self._cell.incarnation

    def on_start(self) -> None:
        self.storm.begun[self.me] += 1
        if self.storm.has_broken_out and self.storm.random.random() < 0.05:
            raise OSError("on_start")

    def on_stop(self, reason: ExitReason | None = None) -> None:
        assert reason is not None
        self.storm.ended[self.me] += 1

    def pre_restart(self, reason: ExitReason, message: object) -> None:
        self.storm.ended[self.me] += 1

    def on_receive(self, message: Any) -> Any:
        if self.storm.ended[self.me]:
            self.storm.violations.append(f"{self} handles {message} after its last hook")
        if isinstance(message, BaseException):
            raise message
        return message


def trouble(storm: Storm, cell: Any) -> None:
    """Let something go wrong with one actor."""
    draw, ref = storm.random.random(), cell.ref
    try:
        if draw < 0.4:
            errors = [KeyError(), OSError(), SystemExit(), ValueError()]
            ref.tell(storm.random.choice(errors))
        elif draw < 0.6:
            ref.stop(block=False, now=draw < 0.5)
        elif draw < 0.75:
            ref.kill("storm")
        else:
            ref.tell("hello")
    except ActorDead:
        assert not ref.is_alive()


def check_what_is_left(storm: Storm) -> None:
    """Each incarnation has begun once and ended once, unless it was killed."""
    assert storm.violations == []
    assert max(storm.begun.values(), default=1) == 1
    assert max(storm.ended.values(), default=1) == 1
    for serial, incarnation in storm.begun:
        cell = storm.cells[serial]
        is_last = incarnation == cell.incarnation
        if not (is_last and cell.exit_reason.kind == "killed"):
            assert storm.ended[serial, incarnation] == 1, f"{cell} incarnation {incarnation}: {cell.exit_reason}"
    assert set(storm.ended) <= set(storm.begun)


def check_tree(system: Any) -> None:
    """What must be true whenever nothing is going on."""
    for cell in system.living:
        if cell.parent is not None:
            assert not cell.parent.has_ended, f"{cell} outlives {cell.parent}"
            assert cell.parent.children.spec_of(cell) is not None, f"{cell.parent} does not know its {cell}"
        for line in cell.children.describe() if cell.children is not None else ():
            assert line.state in ("running", "restarting", "stopped")
            if line.state == "running":
                assert line.ref.is_alive(), f"{cell} thinks that {line.ref} runs"


@pytest.mark.parametrize("seeds", [range(15), range(15, 30)], ids=str)
def test_no_storm_leaves_anybody_or_anything(seeds: range):
    """S3, S4, S7, S8, S13, S14, L6, L7, V5: in virtual time, with everything that a spec can say."""
    for seed in seeds:
        world, storm = World(seed), Storm(seed)
        top = world.system.start(type("Top", (Supervisor,), {"max_restarts": 10**6}), storm.trees())
        world.settle()
        assert top.is_alive()
        storm.has_broken_out = True
        for _ in range(60):
            living = [cell for cell in world.system.living if cell.ref != top]
            if not living:
                break
            trouble(storm, storm.random.choice(living))
            for _ in range(storm.random.choice([0, 1, 3, 10])):
                world.dispatcher.step()
            if storm.random.random() < 0.1:
                world.advance(storm.random.choice([0.1, 1.0, 6.0]))
        world.advance(30.0)
        check_tree(world.system)
        top.stop(timeout=60.0)
        world.end()
        check_what_is_left(storm)


def test_storms_on_threads():
    """S3, S4, L6, H9: the same on real threads that are switched all the time, from three sides at once."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for seed in range(3):
            run_on_threads(seed)
    finally:
        sys.setswitchinterval(before)


def run_on_threads(seed: int) -> None:
    storm, system = Storm(seed), System(name=f"storm-{seed}")
    top: Any = system.start(type("Top", (Supervisor,), {"max_restarts": 10**6}), storm.trees())
    dynamic: Any = system.start(DynamicSupervisor)
    until(lambda: top.count_children().running == 2)
    storm.has_broken_out = True

    def play() -> None:
        for number in range(150):
            living = [cell for cell in system.living if cell.ref not in (top, dynamic)]
            if living:
                trouble(storm, storm.random.choice(living))
            if number % 10 == 0:
                dynamic.start_child(Leaf, storm, spec=storm.spec())

    threads = [threading.Thread(target=play) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    for ref in (top, dynamic):
        try:
            ref.stop(timeout=DEADLINE_S, now=True)
        except ActorError:
            pytest.fail("it would not stop")
    until(lambda: system.actor_count == 0)
    assert system.stop(DEADLINE_S)
    assert storm.violations == []
    assert max(storm.ended.values(), default=1) == 1
