"""Runs one plan: the application, the server, the people and the mishaps, and the watch over all of it. Layer: door."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from relay_actors.app import RelayApp
from relay_actors.errors import RelayActorsError
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.phones import Phone
from relay_actors.testing.chaos.people import Stage
from relay_actors.testing.chaos.plan import Plan
from relay_actors.testing.chaos.watch import Broken, Watch, WatchedStore
from relay_actors.testing.lab import Lab
from relay_actors.testing.timeline import Timeline
from relay_actors.transport.base import Connector, Transport

__all__ = ["Judge", "Run", "breaks", "play"]

Judge = Callable[[Lab], Iterable[str]]
"""Looks at a run that is over, and gives a sentence for each thing that is wrong with it."""

LASTS_S: Final = 240.0
"""When whoever is still on the phone hangs up, in virtual seconds."""

PATIENCE_S: Final = 300.0
"""Longer than every time-out of the framework that may still run when all calls have ended."""

MOST_STEPS: Final = 300_000


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a plan.

    Attributes:
        broken: the invariants that did not hold; none: all is well.
        timeline: everything that happened; its text is equal for equal plans, to the byte.
        phones: everybody's, with their lines.
        steps: how many turns there were.
        frames: how many frames crossed.
        failures: how often something that an application's actors were given has raised. That breaks no invariant.
    """

    plan: Plan
    broken: Sequence[Broken]
    timeline: Timeline
    phones: tuple[Phone, ...]
    steps: int
    frames: int
    failures: int = 0


def play(plan: Plan, app: RelayApp, *, judge: Judge | None = None) -> Run:
    """Run ``app`` by a plan, and return what came of it. It is stopped at the end.

    Args:
        plan: everything that happens.
        app: what it happens to.
        judge: what it knows of its own callers: asked when all is over, before the stop.
    """
    manners = Manners()
    for name in plan.manners:
        setattr(manners, name, True)
    lab = Lab(plan.seed, manners=manners, lots=plan.lots)
    return _Play(lab, plan, app, judge).to_the_end()


def breaks(plan: Plan, app: RelayApp, invariant: str) -> bool:
    """Return whether ``invariant`` is the first that does not hold when ``app`` is run by a plan: for `shrink`."""
    broken = play(plan, app).broken
    return bool(broken) and broken[0].invariant == invariant


class _Play:
    def __init__(self, lab: Lab, plan: Plan, app: RelayApp, judge: Judge | None) -> None:
        self._lab = lab
        self._plan = plan
        self._app = app
        self._judge = judge
        self._timeline = Timeline(lab.sim)
        self._watch = Watch(lab)
        self._stage = Stage(lab, plan, self._timeline.note, self._start)
        self._steps = 0
        lab.connector = _Watched(lab.connector, self._stage, self._watch)

    def to_the_end(self) -> Run:
        lab, watch = self._lab, self._watch
        with lab:
            self._start()
            self._go_on(LASTS_S)
            self._everybody_hangs_up()
            self._go_on(PATIENCE_S)
            if not watch.broken:  # otherwise it has ended in the middle
                self._look_at_the_end()
            elif any(one.invariant == "rest" for one in watch.broken):
                lab.kill()  # a stop would wait for ever for its turn
            return Run(
                self._plan,
                tuple(watch.broken),
                self._timeline,
                lab.sim.phones,
                self._steps,
                len(lab.sim.frames),
                lab.counters.snapshot().get("actors.failed", 0),
            )

    def _start(self) -> None:
        lab, app = self._lab, self._app
        journal = WatchedStore(lab.medium(app), self._watch, self._stage) if self._plan.journal else None
        try:
            lab.start(app, journal=journal, wait_s=None)
        except RelayActorsError as error:
            self._watch.complain("connection", f"the application could not be started: {error}")
            return
        self._timeline.follow(app)
        self._watch.follow(app)

    def _go_on(self, seconds: float) -> None:
        """Let things happen for so long, and look after each of them."""
        lab, watch = self._lab, self._watch
        until = lab.clock.now() + seconds
        lab.at(until, _nothing)
        while not watch.broken and lab.clock.now() < until:
            lab.step()
            watch.after_step()
            self._steps += 1
            if self._steps > MOST_STEPS:
                watch.complain("rest", f"{self._steps} steps, and no end")

    def _look_at_the_end(self) -> None:
        lab, watch = self._lab, self._watch
        lab.settle()
        for complaint in self._judge(lab) if self._judge is not None else ():
            watch.complain("judge", complaint)
        watch.before_the_stop()
        clean = [app.stop() for app in lab.apps]
        lab.settle()
        watch.after_the_stop(clean)

    def _everybody_hangs_up(self) -> None:
        sim = self._lab.sim
        sim.recover()
        for phone in sim.phones:
            for line in phone.lines:
                line.hangs_up()


class _Watched:
    """Opens connections that are watched, and on which the process may die, before and after each write."""

    def __init__(self, inner: Connector, stage: Stage, watch: Watch) -> None:
        self._inner = inner
        self._stage = stage
        self._watch = watch

    def connect(self) -> Transport:
        """Return an open transport."""
        transport, place, watch = self._inner.connect(), self._stage.place, self._watch
        write, read = transport.send, transport.receive

        def send(texts: Iterable[bytes]) -> None:
            place()
            texts = list(texts)
            write(texts)
            watch.has_sent(texts)
            place()

        def receive() -> list[bytes]:
            texts = read()
            watch.has_received(texts)
            return texts

        transport.send, transport.receive = send, receive  # type: ignore[method-assign]  # all else is as it was
        return transport

    def cancel(self) -> None:
        """Do what the inner one does."""
        self._inner.cancel()


def _nothing() -> None:
    """Be a moment at which time stops."""
