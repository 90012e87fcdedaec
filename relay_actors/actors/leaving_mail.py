"""What the connection does with its mail while it leaves its calls to the next process. Layer: hall. See `leaving`."""

from __future__ import annotations

import logging

from relay_actors.actors import holding
from relay_actors.actors.course import Note, Started
from relay_actors.actors.leaving import SETTLES_S, Leave, Leaving, Release
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.text_turns import TextHandled, cause_of
from relay_actors.actors.wire import ChangeContexts, Drain, Wire
from relay_actors.errors import CommandRejectedError
from relay_actors.protocol.events import CallReceiveEvent
from relay_actors.runtime.future import Future

__all__ = ["begin", "is_due", "is_known", "let_go_of_journal", "take"]

_log = logging.getLogger("relay_actors.connection")


def begin(wire: Wire, done: Future[bool], now: float) -> None:
    """From now on the calls are being left; ``done`` is settled when they are."""
    wire.leaving = Leaving(now + SETTLES_S)
    wire.leaving.wait(done)
    if wire.broken is not None:
        wire.leaving.settle(is_clean=False)


def is_due(wire: Wire, now: float) -> bool:
    """Return whether it is time to go: no answer is to come, or it is waited for no longer."""
    leaving = wire.leaving
    if leaving is None or leaving.has_left:
        return False
    return not (wire.pending and wire.protocol.is_ready and now < leaving.due)


def let_go_of_journal(wire: Wire) -> Leaving:
    """Write nothing more: all is committed. Return what has to be settled when the socket is closed, too."""
    leaving = wire.leaving
    assert leaving is not None
    _log.info(
        "left to the next process calls=%d unanswered=%d not_delivered=%d",
        wire.live.call_count, len(wire.pending), leaving.not_delivered,
    )  # fmt: skip
    wire.journal.give_up()
    return leaving


def is_known(error: BaseException | None) -> bool:
    """Return whether an answer says what has become of a command: it was done, or refused."""
    return error is None or isinstance(error, CommandRejectedError)


def take(leaving: Leaving, message: object) -> bool:
    """Return whether a message is dealt with by this: nothing new is begun any more."""
    match message:
        case Outgoing(subject=subject):
            leaving.causes.add(cause_of(subject))
            leaving.hold(message)
        case ChangeContexts(on_answer=on_answer):
            leaving.hold(Outgoing("a change of contexts", {}, on_answer))
        case Started(settings=settings):
            leaving.causes.add(str(settings.get("cause", "")))
        case holding.Release() | holding.TakeBack():
            pass  # what was to be sent first is left to the next process, so this has to wait for it there
        case Note(what="result"):
            return False  # it was done here, and is not done again
        case Note():
            pass  # the next process comes to that again, from what the journal knows
        case TextHandled(message_id=message_id):
            return message_id in leaving.causes  # then the next process handles it again, and that is begun there
        case CallReceiveEvent():  # of a call that was passed on and has come back: it is in the journal
            leaving.not_delivered += 1
        case Drain(done=done):
            done.try_set(True)
        case Leave(done=done):
            leaving.wait(done)
        case Release(error=error):
            leaving.release(error)
        case _:
            return False
    return True
