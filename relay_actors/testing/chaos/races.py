"""What a race is: what goes wrong at one moment, and the people among whom it does. Layer: door, pure.

The races themselves stand in `catalogue`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from relay_actors.testing.chaos.plan import NUMBERS, Cast, Desk, Mishap, Plan, Texter, draw
from relay_actors.testing.chaos.sightings import Sighting

__all__ = ["Race", "Trouble", "always", "answering", "on", "one_of", "one_of_the_first"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What a race brings into a run.

    Attributes:
        mishaps: see `Mishap`.
        manners: of the server.
        desks: whom the application reaches; None: whoever is drawn.
        is_quiet: nobody presses or says anything.
    """

    mishaps: tuple[Mishap, ...] = ()
    manners: tuple[str, ...] = ()
    desks: tuple[Desk, ...] | None = None
    is_quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """One race.

    Attributes:
        name: by which it is asked for.
        what_happens: in one sentence.
        where_known: where it was reported, or is written down.
        promise: what must hold, by the codes of SEMANTICS and the sections of PROTOCOL.
        needs: what the application must do for it to happen.
        trouble: what goes wrong; drawn from the seed's own lots.
        is_seen: whether it has really happened in a run.
        needs_journal: whether it can happen only to an application that keeps a journal.
    """

    name: str
    what_happens: str
    where_known: str
    promise: str
    needs: str
    trouble: Callable[[Random, Cast], Trouble]
    is_seen: Sighting
    needs_journal: bool = False

    def plan(self, seed: int, cast: Cast) -> Plan:
        """Return the run of a seed: people of the cast, and this race among them."""
        random = Random(f"{self.name} {seed}")
        trouble = self.trouble(random, cast)
        plan = draw(seed, dataclasses.replace(cast, faults=False, can_die=False))
        numbers = [number for number in NUMBERS if number not in {one.who for one in plan.callers}]
        callers = plan.callers
        if trouble.is_quiet:
            callers = tuple(dataclasses.replace(one, does=()) for one in callers)
        return dataclasses.replace(
            plan,
            callers=callers,
            texters=tuple(_texters(random, cast, numbers)),
            desks=plan.desks if trouble.desks is None else trouble.desks,
            mishaps=trouble.mishaps,
            manners=trouble.manners,
            journal=self.needs_journal or (cast.can_die and random.random() < 0.5),
        )

    def can_happen(self, cast: Cast) -> bool:
        """Whether it is worth trying."""
        return cast.can_die or not self.needs_journal


def on(moment: str, what: str, *, nth: int = 1, after: float = 0.0) -> Mishap:
    """Return what happens at a moment."""
    return Mishap(what=what, on=moment, nth=nth, after=after)


def always(
    *mishaps: Mishap, manners: tuple[str, ...] = (), desks: tuple[Desk, ...] | None = None
) -> Callable[[Random, Cast], Trouble]:
    """Give the same with each seed."""
    trouble = Trouble(mishaps=mishaps, manners=manners, desks=desks)
    return lambda _random, _cast: trouble


def one_of_the_first(moment: str, what: str, most: int) -> Callable[[Random, Cast], Trouble]:
    """Give something that befalls one of the first such moments."""
    return lambda random, _cast: Trouble(mishaps=(on(moment, what, nth=1 + random.randrange(most)),))


def one_of(*ways: Mishap) -> Callable[[Random, Cast], Trouble]:
    """Give one of these."""
    return lambda random, _cast: Trouble(mishaps=(random.choice(ways),))


def answering(number: int, *, stays: float = 30.0) -> tuple[Desk, ...]:
    """Return so many desks that all answer."""
    return (Desk(answer="answers", after=1.0, stays=stays),) * number


def _texters(random: Random, cast: Cast, numbers: list[str]) -> Iterable[Texter]:
    """Give so many people who text that something comes of it: most words mean nothing to an application."""
    for number in numbers[:2] if cast.text_contexts else ():
        yield Texter(
            who=number,
            at=round(random.random() * 6.0, 3),
            context=random.choice(cast.text_contexts),
            text=random.choice(cast.words),
        )
