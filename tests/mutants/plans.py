"""Who calls the application of `tests.mutants.application`, and what goes wrong: drawn from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from relay_actors.simulator.fault_draws import draw_args
from relay_actors.simulator.fault_words import Fault, random_fault
from relay_actors.testing.chaos.plan import (
    KILL,
    Caller,
    Desk,
    Doing,
    Mishap,
    Plan,
    Texter,
)
from tests.mutants.models import MODELS

__all__ = ["LATE_S", "SEEN_THROUGH", "draw", "ends_session"]

SEEN_THROUGH = frozenset(
    {
        "cut",
        "drop",
        "socket_down",
        "half_open",
        "stall",
        "slow",
        "answer_late",
        "answer_twice",
        "delay",
        "reorder",
    }
    | {
        "duplicate",
        "missing_field",
        "wrong_field",
        "binary",
        "malformed",
        "oversize",
        "unknown_event",
    }
    | {"unknown_method", "restart", "kill"}
)
"""Faults by which nothing changes of what people hear, as long as sessions can be resumed."""

CONTEXTS = (*MODELS, "bridge", "clerk", "dial", "dial", "timer", "typing", "counting", "durable", "texting")
"""Where people call; those that are there more than once more often."""

METHODS = (
    *(
        "calling.answer",
        "calling.play",
        "calling.play_and_collect",
        "calling.connect",
        "calling.end",
    ),
    *("calling.send_digits", "messaging.send"),
)
EVENT_TYPES = (
    "calling.call.state",
    "calling.call.play",
    "calling.call.collect",
    "calling.call.receive",
    "calling.call.connect",
    "calling.call.dial",
    "calling.call.record",
    "messaging.receive",
    "messaging.state",
)
WEAK_PLACES = (
    ("bridge", ""),
    ("counting", "cut method=calling.play"),
    ("dial", ""),
    ("levels", "cut method=calling.send_digits answer=yes"),
    ("levels", "cut method=calling.answer"),
    ("recording", "cut method=calling.answer answer=yes"),
    ("texting", "answer_late method=messaging.send seconds=2"),
    ("timer", KILL),
    ("typing", KILL),
    ("typing", "cut event_type=calling.call.collect answer=yes"),
    ("clerk", ""),
    ("crashing", ""),
    ("holding", ""),
)
"""Where an application is easily hurt, and by what."""

FRAMES = 160
FIRST_PLACE = 10
LATE_S = 60.0
MANNERS = ("event_before_response", "dial_event_first", "losers_end_first")


def draw(seed: int, contexts: Sequence[str] = CONTEXTS) -> Plan:
    """Return the plan of a seed."""
    random = Random(f"mutants {seed}")
    numbers = [f"+1555010{number:04}" for number in range(100, 120)]
    ends_session = random.random() < 0.1
    kills = not ends_session and random.random() < 0.3
    mishaps = [_mishap(random) for _ in range(random.choice((0, 1, 1, 2, 3)))]
    if ends_session:
        mishaps = _end_of_session(random)
    elif kills:
        mishaps += [_kill(random) for _ in range(random.choice((1, 1, 2)))]
    callers = [_caller(random, numbers.pop(), contexts) for _ in range(random.choice((2, 3, 3, 4)))]
    if ends_session:
        callers[1:] = [replace(caller, at=caller.at + LATE_S) for caller in callers[1:]]
    elif not kills and random.random() < 0.4:
        context, what = random.choice(WEAK_PLACES)
        callers[:2] = [replace(caller, context=context) for caller in callers[:2]]
        mishaps = _at_a_weak_place(random, what, callers[0])
        kills = what == KILL
    return Plan(
        seed=seed,
        callers=tuple(callers),
        texters=tuple(
            Texter(
                who=numbers.pop(),
                at=_moment(random, 6.0),
                context="echo",
                text=f"text {number}",
            )
            for number in range(random.choice((0, 0, 1, 2)))
        ),
        desks=tuple(_desk(random) for _ in range(12)),
        mishaps=tuple(mishaps),
        manners=tuple(name for name in MANNERS if random.random() < 0.25),
        journal=kills or random.random() < 0.25,
    )


def ends_session(plan: Plan) -> bool:
    """Return whether a plan's calls are lost to the application; those that begin `LATE_S` later are not."""
    return any(
        mishap.what.startswith(("refuse_resume", "expire", "restart keeps_sessions=no")) for mishap in plan.mishaps
    )


def _at_a_weak_place(random: Random, what: str, caller: Caller) -> list[Mishap]:
    if what == KILL:
        return [Mishap(what=KILL, at=round(caller.at + 0.5 + _moment(random, 3.0), 3))]
    if what.startswith("cut"):
        skip = random.randrange(8 if what.endswith("play") else 2)
        return [Mishap(what=f"{what} skip={skip} after={random.choice(('yes', 'no'))}", at_frame=0)]
    return [Mishap(what=what, at_frame=0)] if what else []


def _end_of_session(random: Random) -> list[Mishap]:
    at = _moment(random, 20.0)
    kind = random.choice(("refuse_resume", "expire_authorization", "restart keeps_sessions=no"))
    broken = [Mishap(what="drop", at=at + 0.1)] if kind == "refuse_resume" else []
    return [Mishap(what=kind, at=at), *broken]


def _kill(random: Random) -> Mishap:
    """Draw when a process dies: not before its journal knows the name of its session."""
    if random.random() < 0.4:
        return Mishap(what=KILL, at=1.0 + _moment(random, 14.0))
    return Mishap(what=KILL, at_frame=random.randrange(FIRST_PLACE, FRAMES))


def _caller(random: Random, who: str, contexts: Sequence[str]) -> Caller:
    is_patient = random.random() < 0.8
    does = [_doing(random) for _ in range(10)]
    if not is_patient:
        does[random.randrange(5)] = Doing(after=_moment(random, 2.0), hang_up=True)
    stays = 200.0 if is_patient else random.choice((200.0, _moment(random, 20.0)))
    return Caller(
        who=who,
        at=_moment(random, 6.0),
        context=random.choice(contexts),
        does=tuple(does),
        stays=stays,
    )


def _doing(random: Random) -> Doing:
    after = _moment(random, 2.0)
    return Doing(after=after) if random.random() < 0.15 else Doing(after=after, press=random.choice("1111112345"))


def _desk(random: Random) -> Desk:
    return Desk(
        answer=random.choice(("answers", "answers", "answers", "rejects", "busy", "never")),
        after=random.choice((1.0, 2.0, _moment(random, 5.0))),
        stays=_moment(random, 20.0),
    )


def _mishap(random: Random) -> Mishap:
    fault = _fault(random)
    if random.random() < 0.75:
        return Mishap(what=str(fault), at_frame=random.randrange(FRAMES))
    return Mishap(what=str(fault), at=_moment(random, 20.0))


def _fault(random: Random) -> Fault:
    """Draw one that people do not notice; most often one by which commands and answers are lost, or late."""
    lot = random.random()
    if lot < 0.3:
        args = draw_args("cut", random, METHODS, EVENT_TYPES, ends_sessions=False)
        assert args is not None
        return Fault("cut", args)
    if lot < 0.4:
        return Fault("answer_late", {"method": "messaging.send", "seconds": 0.5 + _moment(random, 2.0)})
    while True:
        fault = random_fault(random, METHODS, EVENT_TYPES, ends_sessions=False)
        if fault.name in SEEN_THROUGH:
            return fault


def _moment(random: Random, within_s: float) -> float:
    return round(random.random() * within_s, 3)
