"""The runtime's errors that are pykka's errors as well, and how one is made of another. Layer: pillar."""

from __future__ import annotations

import pykka

from relay_actors.errors import ActorDead, ActorError, StartFailed
from relay_actors.runtime.future import WaitTimeout
from relay_actors.runtime.reasons import words_of

__all__ = ["ActorIsDead", "AskTimeout", "start_failed"]


class ActorIsDead(ActorDead, pykka.ActorDeadError):
    """The actor is gone: an `ActorDead` for our users, a ``pykka.ActorDeadError`` for pykka's."""


class AskTimeout(ActorError, WaitTimeout):
    """A question was not answered in time. The outcome is unknown: it may have been done, or may yet be.

    An `ActorError` for our users, a ``pykka.Timeout`` for pykka's, and a `TimeoutError`. Neither a refusal nor a death.

    Attributes:
        asker: who asked, as the log names it; empty for code outside of all actors.
        receiver: who was asked.
        message_type: the name of the class of what was asked.
        timeout_s: how many seconds there were.
        correlation_id: names this question also in the log of who was asked.

    Source: SEMANTICS A3.
    """

    def __init__(self, *, asker: str, receiver: str, message_type: str, timeout_s: float, correlation_id: str) -> None:
        super().__init__(
            f"{asker or 'code outside of actors'} asked {receiver} ({message_type}) and has no answer after "
            f"{timeout_s:g} seconds. The outcome is unknown: it may have been done, or may yet be "
            f"(correlation_id={correlation_id}). Give it more time by ask(…, timeout=…), or ask_timeout_s of its class"
        )
        self.asker = asker
        self.receiver = receiver
        self.message_type = message_type
        self.timeout_s = timeout_s
        self.correlation_id = correlation_id


def start_failed(who: object, error: BaseException) -> StartFailed:
    """Return what is told to those who wait for the start of an actor."""
    failure = StartFailed(f"{who} failed while it started: {words_of(error)}")
    failure.__cause__ = error
    return failure
