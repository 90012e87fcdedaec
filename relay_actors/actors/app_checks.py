"""What can be wrong with what an application is given, before it runs. Layer: hall; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from relay_actors.actors.call import CallActor
from relay_actors.actors.give_up import Apologise, HangUp, LeaveUp, TransferTo
from relay_actors.actors.leaving import LeaveForNext
from relay_actors.config import Settings
from relay_actors.errors import ConfigError
from relay_actors.protocol import checks
from relay_actors.protocol.near_miss import near_miss
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.signatures import wrong_arguments

__all__ = [
    "NEEDS_JOURNAL",
    "AtDeadline",
    "check_at_deadline",
    "check_calls_class",
    "check_context",
    "check_dial",
    "check_drain",
    "check_given",
    "check_service",
    "check_texts_class",
    "does_nothing",
]

AtDeadline: TypeAlias = HangUp | Apologise | TransferTo | LeaveUp | LeaveForNext
"""What becomes of calls that are still up at the deadline of a drain."""

NEEDS_JOURNAL: Final = (
    'the next process finds the calls in the journal, so give one, for example RelayApp(journal="calls.db")'
)
"""Why calls cannot be left to the next process."""


def check_given(given: Mapping[str, Any]) -> None:
    """Check the arguments of the constructor by themselves: what is missing may still come from the environment.

    Raises:
        ConfigError: one of them cannot be used, whatever the others are.
    """
    # What is not given is taken as something that goes with everything; and files may come until the start.
    filled_in = {"project": "project", "token": "token", "host": "localhost"}
    checked = {name: value or filled_in.get(name, value) for name, value in given.items()}
    if isinstance(given["ca_file"], str):
        checked["ca_file"] = ""
    Settings.from_env({}, **checked)


def check_drain(drain_s: object) -> None:
    """Check for how long a drain waits.

    Raises:
        ConfigError: it is no number of seconds, 0 or more.
    """
    if drain_s != math.inf and (why := checks.seconds(drain_s)) is not None:
        raise ConfigError(f"drain_s={drain_s!r}: must be {why}, or math.inf")


def check_at_deadline(given: object, *, has_journal: bool) -> AtDeadline:
    """Return what becomes of calls at the deadline.

    Raises:
        ConfigError: it is none of what can be said, or the application has no journal in which the next process could
            find the calls.
    """
    if not isinstance(given, HangUp | Apologise | TransferTo | LeaveUp | LeaveForNext):
        raise ConfigError(
            f"at_drain_deadline={given!r}: must be HangUp(), Apologise(…), TransferTo(…), LeaveUp() or LeaveForNext()"
        )
    if isinstance(given, LeaveForNext) and not has_journal:
        raise ConfigError(f"at_drain_deadline=LeaveForNext(): {NEEDS_JOURNAL}")
    return given


def check_context(verb: str, context: object) -> None:
    """Check that a decorator was given a context, and not at once the class that it is to decorate.

    Raises:
        ConfigError: its parentheses are missing.
    """
    if isinstance(context, type):
        raise ConfigError(
            f'@app.{verb} needs parentheses: write @app.{verb}("support") for the context support, '
            f"or @app.{verb}() for all others"
        )


def check_calls_class(context: str | None, actor_class: object) -> None:
    """Check that what is to handle calls is a class that does something, and can be made for each call.

    Raises:
        ConfigError: it is not.
    """
    if not (isinstance(actor_class, type) and issubclass(actor_class, CallActor)):
        raise ConfigError(f"app.calls({context!r}) decorates a subclass of CallActor, not {actor_class!r}")
    if not actor_class.says_what_to_do():
        raise ConfigError(does_nothing(actor_class))
    _check_made_of_nothing(f"app.calls({context!r})", actor_class, "call")


def check_dial(actor_class: object, dial_timeout: object) -> None:
    """Check who is to handle a dial, and can be made for it, and how long it may take.

    Raises:
        ConfigError: one of them is not what it has to be.
    """
    if not (isinstance(actor_class, type) and issubclass(actor_class, CallActor)):
        raise ConfigError(f"app.dial({actor_class!r}, …): give a subclass of CallActor")
    instead = "What it is to know of this one call may be given here, by name, and is in its self.data"
    _check_made_of_nothing(f"app.dial({actor_class.__name__}, …)", actor_class, "call", instead)
    if dial_timeout is not None and (checks.seconds(dial_timeout) is not None or not dial_timeout):
        raise ConfigError(f"dial_timeout={dial_timeout!r}: must be a positive number of seconds")


def check_texts_class(context: str | None, actor_class: object) -> None:
    """Check that what is to handle texts is a class for it, and can be made for each text.

    Raises:
        ConfigError: it is not.
    """
    from relay_actors.actors.message import MessageActor  # here: applications without texts need nothing of them

    if not (isinstance(actor_class, type) and issubclass(actor_class, MessageActor)):
        raise ConfigError(f"app.messages({context!r}) decorates a subclass of MessageActor, not {actor_class!r}")
    _check_made_of_nothing(f"app.messages({context!r})", actor_class, "text")


def check_service(
    actor_class: object, name: str, taken: Iterable[str], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> None:
    """Check that a service is an actor with a name of its own, and is given what its constructor needs.

    Raises:
        ConfigError: it is not.
    """
    if not (isinstance(actor_class, type) and issubclass(actor_class, Actor)):
        raise ConfigError(f"app.service({actor_class!r}): give a class of actors")
    if not name or name in taken:
        raise ConfigError(f"app.service(name={name!r}): the name must be new and not empty")
    if (why := wrong_arguments(actor_class, args, kwargs)) is not None:
        raise ConfigError(
            f"app.service({actor_class.__name__}, name={name!r}): {actor_class.__name__} could never be made: {why}. "
            f"What its __init__ takes is given here: app.service({actor_class.__name__}, …, name={name!r})"
        )


def _check_made_of_nothing(
    said: str,
    actor_class: type[Any],
    what: str,
    instead: str = "Give what it takes a default, or ask a service for it, self.app.lookup(…)",
) -> None:
    if (why := wrong_arguments(actor_class, (), {})) is not None:
        raise ConfigError(
            f"{said}: {actor_class.__name__} could never be made: {why}. Its __init__ is given nothing, anew for each "
            f"{what}. {instead}"
        )


def does_nothing(actor_class: type[CallActor]) -> str:
    """Say what is wrong with a class that has nothing of its own to do for a caller."""
    text = f"{actor_class.__name__} would let callers ring for ever: it has no `async def run(self)` and no on_receive"
    wanted = ("run", "on_receive", "on_start")
    from relay_actors.runtime.state_machine import StateMachine  # for the error only

    if issubclass(actor_class, StateMachine):
        text += f"; StateMachine stands in front: class {actor_class.__name__}(StateMachine, CallActor)"
    misspelt = ((name, near_miss(name, wanted)) for name in vars(actor_class) if not hasattr(CallActor, name))
    return text + "".join(f"; {name} probably means {meant}" for name, meant in misspelt if meant is not None)
