"""Who calls in the demo, and the story of each: what they hear, press and say. Layer: door.

Everything about the callers comes from one seed; how many there are of each kind does not, so that what a run has to
come to can be added up from the table at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from relay_actors.cli.callers import Caller, Part
from relay_actors.simulator.simulator import Simulator

__all__ = ["AT_THE_CUT", "CAST", "DESK", "HOTEL", "Role", "make_cast", "open_desk"]

HOTEL: Final = "hotel"
"""The context that everybody calls."""

DESK: Final = "+15550100200"
"""The desk's number, as the application dials it."""

ARRIVE_WITHIN_S: Final = 30.0
"""Within how many simulated seconds the callers arrive that nothing else is said of."""

_NAMES: Final = (
    *("Ada", "Anna", "Bela", "Ben", "Carl", "Cleo", "Dina", "Dora", "Emil", "Eva", "Fay", "Finn", "Gina", "Gus"),
    *("Hana", "Hugo", "Igor", "Iris", "Jack", "Jana", "Kai", "Lena", "Milo", "Nora", "Otis", "Pia", "Quin", "Rosa"),
    *("Sven", "Tess", "Ugo", "Vera", "Will", "Xena", "Yara", "Zeno"),
)
_ROOMS: Final = ("101", "102", "203")
_LONG_MESSAGE: Final = " ".join(["And then there is the lift, which stops on every floor."] * 30)
"""Nearly two minutes."""
_MESSAGES: Final = ("My key card does not work.", "Please send up two towels.", "I left my umbrella in the lobby.")


def _breakfast(me: Part) -> None:
    me.dials(HOTEL)
    me.follows({"press 1": lambda: me.presses("1")}, until="from 7 to 10")
    me.is_hung_up()


def _undecided(me: Part) -> None:
    keys = iter(me.random.choice("5678"))
    me.dials(HOTEL)
    me.follows({"press 1": lambda: me.presses(next(keys, "1"))}, until="from 7 to 10")
    me.is_hung_up()


def _impatient(me: Part) -> None:
    me.dials(HOTEL)
    me.hears("press 1")
    me.waits(2.0)
    me.line.hangs_up()


def _desk(me: Part) -> None:
    me.dials(HOTEL)
    me.follows({"press 1": lambda: me.presses("2")}, until="ringtone")
    me.talks_to(DESK)
    me.says("Hello, may I check out at noon?")
    me.hears("voice")
    me.waits(2.0)
    me.line.hangs_up()


def _message(me: Part) -> None:
    # By itself: who speaks too late is not recorded, and on a busy machine this thread may come late.
    me.phone.reacts("beep", says=me.random.choice(_MESSAGES), after=1.0).reacts("beep", presses="#", after=4.0)
    me.dials(HOTEL)
    me.follows({"press 1": lambda: me.presses("3")}, until="thank you")
    me.is_hung_up()


def _bill(me: Part) -> None:
    _enters(me, me.random.choice(_ROOMS))


def _mistyped(me: Part) -> None:
    room = me.random.choice(_ROOMS)
    _enters(me, f"9{room[1:]}", room)


def _enters(me: Part, *rooms: str) -> None:
    tries = iter(rooms)
    me.dials(HOTEL)
    me.follows(
        {"press 1": lambda: me.presses("4"), "room number": lambda: me.presses(f"{next(tries, rooms[-1])}#")},
        until=f"for room {rooms[-1]}",
    )
    me.is_hung_up()


def _stubborn(me: Part) -> None:
    me.dials(HOTEL)
    me.follows({"press 1": lambda: me.presses("4"), "room number": lambda: me.presses("999#")})


def _sleeper(me: Part) -> None:
    me.phone.texts("Please wake me at seven.", context=HOTEL)
    line = me.phone.rings(me.stage.patience_s)  # and on, until somebody picks up: this thread may be late
    me.waits(1.0)
    line.answers()
    me.hears("good morning")
    me.is_hung_up()


def _texter(me: Part) -> None:
    me.phone.texts("When is breakfast?", context=HOTEL)
    me.phone.receives_text("from 7 to 10", me.stage.patience_s)


def _talks_through_the_cut(me: Part) -> None:
    me.dials(HOTEL)
    me.follows({"press 1": lambda: me.presses("2", thinks_s=1.0)}, until="ringtone")
    me.talks_to(DESK)
    me.stage.ready(me.caller.part).set()
    me.awaits(me.stage.is_cut, "for the cut")
    me.says("Can you still hear me?")
    me.hears("voice")  # those two talk on: their voices do not go through the socket
    me.awaits(me.stage.is_back, "for the application to come back")
    me.waits(1.0)
    me.line.hangs_up()


def _records_into_the_cut(me: Part) -> None:
    me.phone.reacts("beep", says=_LONG_MESSAGE, after=0.5)  # silence would end the recording, and the cut may be late
    me.dials(HOTEL)
    me.follows({"press 1": lambda: me.presses("3", thinks_s=1.0)}, until="beep")
    me.stage.ready(me.caller.part).set()
    me.awaits(me.stage.is_cut, "for the cut")
    me.says("Somebody has cut the line to your front desk.")
    me.line.hangs_up()


def _presses_in_the_cut(me: Part) -> None:
    def presses() -> None:
        me.stage.ready(me.caller.part).set()
        me.awaits(me.stage.is_cut, "for the cut")
        me.presses("1", thinks_s=0.0)

    me.awaits(me.stage.ready("talks through the cut"), "for a guest to talk to the desk")
    me.awaits(me.stage.ready("records into the cut"), "for a guest to leave a message")
    me.dials(HOTEL)
    me.follows({"press 1": presses}, until="from 7 to 10")
    me.is_hung_up()


def _calls_in_the_cut(me: Part) -> None:
    me.awaits(me.stage.is_cut, "for the cut")
    _breakfast(me)


@dataclass(frozen=True, slots=True)
class Role:
    """One kind of caller, and what is to be seen of each of them in the end.

    Attributes:
        story: what they do.
        actors: how many there are.
        calls: how many calls each one makes or gets.
        restarts: how many of each one's crashes are followed by a restart.
        is_given_up: whether their call is hung up in the end because its actor crashes too often.
        recordings: how many messages each leaves.
        talks: how often each talks to the desk.
        texts: how many texts each gets.
        arrives_at_s: when, if not anytime.
        number: of the phone, if not any.
    """

    story: Callable[[Part], None]
    actors: int
    calls: int = 1
    restarts: int = 0
    is_given_up: bool = False
    recordings: int = 0
    talks: int = 0
    texts: int = 0
    arrives_at_s: float | None = None
    number: str = ""


CAST: Final[dict[str, Role]] = {
    "breakfast": Role(_breakfast, 4),
    "undecided": Role(_undecided, 2),
    "impatient": Role(_impatient, 1),
    "desk": Role(_desk, 3, talks=1),
    "message": Role(_message, 3, recordings=1),
    "bill": Role(_bill, 3),
    # The handler crashes while the menu is read out; for the caller nothing happens.
    "withholds the number": Role(_breakfast, 1, restarts=1, number="anonymous"),
    "mistypes the room": Role(_mistyped, 1, restarts=1),
    "insists on a wrong room": Role(_stubborn, 1, restarts=3, is_given_up=True),
    # Early: a dial that nobody has answered yet ends with the socket (PROTOCOL 6.3).
    "wants to be woken": Role(_sleeper, 1, arrives_at_s=0.5),
    "texts": Role(_texter, 2, calls=0, texts=1),
    "talks through the cut": Role(_talks_through_the_cut, 1, talks=1, arrives_at_s=6.0),
    "records into the cut": Role(_records_into_the_cut, 1, recordings=1, arrives_at_s=7.0),
    "presses in the cut": Role(_presses_in_the_cut, 1, arrives_at_s=0.0),
    "calls in the cut": Role(_calls_in_the_cut, 1, arrives_at_s=0.0),
}
"""Every part there is. What a run is measured by is added up from here."""

AT_THE_CUT: Final = ("talks through the cut", "records into the cut", "presses in the cut")
"""The parts that are certainly on the line when the socket is cut."""


def make_cast(seed: int) -> list[Caller]:
    """Return the callers of a seed, in the order in which they arrive."""
    random = Random(seed)
    parts = [part for part, role in CAST.items() for _ in range(role.actors)]
    names = random.sample(_NAMES, len(parts))
    numbers = random.sample(range(1000, 10_000), len(parts))
    callers = []
    for part, name, number in zip(parts, names, numbers, strict=True):
        role = CAST[part]
        anytime_s = random.uniform(0.0, ARRIVE_WITHIN_S)
        callers.append(
            Caller(
                name=name,
                number=role.number or f"+1555020{number}",
                part=part,
                arrives_at_s=anytime_s if role.arrives_at_s is None else role.arrives_at_s,
                seed=f"{seed} {name}",
            )
        )
    return sorted(callers, key=lambda caller: caller.arrives_at_s)


def open_desk(simulator: Simulator) -> None:
    """Let somebody sit at the desk, who picks up and has an answer to everything."""
    simulator.phone(DESK).answers_after(1.5).reacts("voice", says="Yes, of course.", after=1.5)
