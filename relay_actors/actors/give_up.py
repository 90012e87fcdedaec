"""What becomes of a call whose code has failed for good: shapes and a table, pure. Layer: hall. Source: SEMANTICS X7.

A class says it in ``on_give_up``, by the phase that the call is in. `GivenUpCall` does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from relay_actors.actors.leg import Leg
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol import checks
from relay_actors.protocol.states import CallState
from relay_actors.runtime.signatures import wrong_arguments

__all__ = [
    "ANSWERED",
    "BEFORE_ANSWER",
    "BRIDGED",
    "DEFAULTS",
    "Apologise",
    "GiveUp",
    "HandTo",
    "HangUp",
    "LeaveUp",
    "OnGiveUp",
    "TransferTo",
    "phase_of",
    "policies",
    "policies_of",
]

BEFORE_ANSWER: Final = "before_answer"
ANSWERED: Final = "answered"
BRIDGED: Final = "bridged"


@dataclass(frozen=True, slots=True)
class HangUp:
    """Hang up.

    Attributes:
        reason: ``error``, ``hangup``, ``busy``, ``decline``, …; a dial that nobody has answered is cancelled instead.

    Raises:
        ArgumentError: the reason is no text.
    """

    reason: str = "error"

    def __post_init__(self) -> None:
        checks.required(checks.text, reason=self.reason)


@dataclass(frozen=True, slots=True)
class Apologise:
    """Say something, then hang up, once: also when it cannot be said, or takes too long.

    An inbound call that was not answered is answered for it; an outbound one is just cancelled: nobody is there to
    hear it. What plays, asks or talks on the call is stopped before.

    Attributes:
        text: what is said.
        language: as for ``play_tts``.
        gender: as for ``play_tts``.
        voice: as for ``play_tts``.
        within_s: how many seconds it may take until the call is hung up all the same.

    Raises:
        ArgumentError: one of them cannot be used.
    """

    text: str = "We are sorry, something went wrong. Please call again later."
    language: str | None = None
    gender: str | None = None
    voice: str | None = None
    within_s: float = 15.0

    def __post_init__(self) -> None:
        checks.required(checks.text, text=self.text)
        checks.given(checks.text, language=self.language, gender=self.gender, voice=self.voice)
        checks.required(checks.seconds, within_s=self.within_s)


@dataclass(frozen=True, slots=True)
class TransferTo:
    """Hand the call on at the server, as ``transfer`` does; hang up if that is refused.

    Attributes:
        dest: whither: an SWML URL or text, or an application such as ``context:sales``.

    Raises:
        ArgumentError: it is no text.
    """

    dest: str

    def __post_init__(self) -> None:
        checks.required(checks.text, dest=self.dest)


@dataclass(frozen=True, slots=True)
class HandTo:
    """Have another class of yours take the call over in place: same call, same ``data``, same running operations.

    It is not restarted when it fails soon as well: then its own ``on_give_up`` counts, without another `HandTo`.

    Attributes:
        actor_class: a subclass of `CallActor`. Keep it too simple to fail.
    """

    actor_class: type[Any]


@dataclass(frozen=True, slots=True)
class LeaveUp:
    """Do nothing to a bridged call: those who talk go on talking. When the bridge ends, the call is hung up."""


GiveUp: TypeAlias = HangUp | Apologise | TransferTo | HandTo | LeaveUp
OnGiveUp: TypeAlias = GiveUp | Mapping[str, GiveUp]
"""One for all calls that are not bridged, or one for each phase."""

DEFAULTS: Final[Mapping[str, GiveUp]] = MappingProxyType(
    {BEFORE_ANSWER: HangUp("decline"), ANSWERED: HangUp(), BRIDGED: LeaveUp()}
)
"""What holds for a phase of which a class says nothing."""


def phase_of(leg: Leg) -> str:
    """Return which phase a call is in that has not ended: nobody has answered, answered, or bridged to another."""
    if not leg.has_reached(CallState.ANSWERED):
        return BEFORE_ANSWER
    return BRIDGED if leg.is_bridged else ANSWERED


def policies(given: OnGiveUp, actor_classes: type[Any]) -> Mapping[str, GiveUp]:
    """Return what is done in each phase.

    Args:
        given: one policy, which is for calls that are not bridged: those who talk to each other are not cut off by
            what was written with a lonely caller in mind; or a dictionary by phase, in which phases may be missing.
        actor_classes: whose subclasses `HandTo` may name.

    Raises:
        ValueError: it is none of these; the text ends the sentence "… must be …".
    """
    by_phase = given if isinstance(given, Mapping) else {BEFORE_ANSWER: given, ANSWERED: given}
    for phase, policy in by_phase.items():
        if phase not in DEFAULTS:
            raise ValueError(f"a dictionary with the keys {', '.join(DEFAULTS)}, of which {phase!r} is none")
        problem = _problem(policy, actor_classes)
        if problem is None and isinstance(policy, LeaveUp) and phase != BRIDGED:
            problem = "something that ends the call: LeaveUp() is for 'bridged' only, or the caller is left in silence"
        if problem is not None:
            raise ValueError(problem)
    return MappingProxyType({**DEFAULTS, **by_phase})


def policies_of(actor_class: type[Any] | None) -> Mapping[str, GiveUp]:
    """Return what a class says is done in each phase; the defaults, if it says nothing, or is not there any more."""
    given = getattr(actor_class, "on_give_up", None)
    return DEFAULTS if given is None else policies(given, object)


def _problem(policy: object, actor_classes: type[Any]) -> str | None:
    match policy:
        case HandTo(actor_class=actor_class):
            if not (isinstance(actor_class, type) and issubclass(actor_class, actor_classes)):
                return f"HandTo(a subclass of {actor_classes.__name__})"
            why = wrong_arguments(actor_class, (), {})
            return None if why is None else f"HandTo(a class whose __init__ needs nothing; of this one it is {why})"
        case HangUp() | Apologise() | TransferTo() | LeaveUp():
            return None
        case _:
            return "HangUp(), Apologise(…), TransferTo(…), HandTo(…), or a dictionary of them by phase"
