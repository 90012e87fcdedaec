"""Where ours does otherwise on purpose, each with a name and a reason; any other difference fails the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.parity.shipped.comparing import Departure
from tests.parity.shipped.frames import Frame
from tests.parity.shipped.program import BY_ITSELF, NOT_AT_ALL
from tests.parity.shipped.scenarios import STATE_FIRST

__all__ = ["DIFFERENCES", "Difference", "difference"]

DETECT = "call-methods.md, detect"
FAXES_AND_PAYMENTS = ("call-methods.md, send_fax", "call-methods.md, receive_fax", "call-methods.md, pay")


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference that is meant.

    Attributes:
        name: in a few words.
        reason: why ours does so.
        is_it: whether a departure is this one.
        only_in: in which runs it may be, by their names; empty: in any.
        is_everywhere: it is in so many runs that it is not said of each.
    """

    name: str
    reason: str
    is_it: Callable[[Departure], bool]
    only_in: tuple[str, ...] = ()
    is_everywhere: bool = False


def _is_agent(departure: Departure) -> bool:
    match departure:
        case Departure(official=Frame("signalwire.connect", theirs), ours=Frame("signalwire.connect", own)):
            return {**theirs, "agent": ""} == {**own, "agent": ""}
    return False


def _is_farewell(departure: Departure) -> bool:
    return departure.official is None and isinstance(departure.ours, Frame) and departure.ours.method == _UNRECEIVE


def _is_too_late(departure: Departure) -> bool:
    frames = [one for one in (departure.official, departure.ours) if one is not None]
    return all(isinstance(one, Frame) and one.is_late for one in frames)


def _is_detect(departure: Departure) -> bool:
    match departure:
        case Departure(official=Frame("calling.detect", theirs), ours=Frame("calling.detect", own)):
            return own == {**theirs, "detect": {**theirs["detect"], "params": {}}}
        case Departure(what="ended", official=official, ours=ours):
            return official.startswith("RelayError ") and ours == BY_ITSELF
        case Departure(what="otherwise", ours=ours):
            return ours == ""
    return False


def _waits_for_ever(departure: Departure) -> bool:
    return departure == Departure("ended", NOT_AT_ALL, BY_ITSELF)


def _gives_up(departure: Departure) -> bool:
    """Return whether it is what the official client has not come to because nobody seemed to answer."""
    match departure:
        case Departure(what="printed", official=None | "No answer — timed out", ours=str()):
            return True
        case Departure(what="frame", official=None, ours=Frame(method="calling.play" | "calling.end")):
            return True
        case Departure(what="heard", official=[[]], ours=[[_greeting]]):
            return True
        case Departure(what="otherwise", ours=""):
            return True
    return False


_UNRECEIVE = "signalwire.unreceive"

DIFFERENCES = (
    Difference("agent", "the log in says which client it is", _is_agent, is_everywhere=True),
    Difference(
        "farewell",
        "interrupted, ours says that it takes no more calls, and ends when those that are up have ended",
        _is_farewell,
        is_everywhere=True,
    ),
    Difference(
        "too late",
        "a command that comes after the server has told of the end of its call is refused with 404, for which both "
        "clients give `{}`; ours does not send it, unless that news is still under way",
        _is_too_late,
    ),
    Difference(
        "answered before",
        "who waits after `dial` for a state that was told before `dial` has returned waits in vain with the official "
        "client; ours gives it at once",
        _gives_up,
        only_in=(STATE_FIRST,),
    ),
    Difference(
        "detect",
        "the vendor's schema requires `params`, and a server may refuse the command without them; ours adds empty ones",
        _is_detect,
        only_in=(DETECT,),
    ),
    Difference(
        "no state",
        "the action of the official client waits for a `state`, which events of faxes, and some of payments, have not; "
        "ours ends with the event that is the last by its own words",
        _waits_for_ever,
        only_in=FAXES_AND_PAYMENTS,
    ),
)


def difference(departure: Departure, run: str, among: Iterable[Difference] = DIFFERENCES) -> Difference | None:
    """Return the difference that a departure in a run is; None: it is none that is meant."""
    return next((one for one in among if (not one.only_in or run in one.only_in) and one.is_it(departure)), None)
