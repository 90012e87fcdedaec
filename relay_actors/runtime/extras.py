"""What few actors use, and what a restart is to leave them: stash, silence, and the memory of a machine. Layer: pillar.

All of it stands behind one slot of the cell, which is None for all others: what they do not use costs them one look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from relay_actors.runtime.anatomy import AnyActor
from relay_actors.runtime.mailbox import Envelope
from relay_actors.runtime.receive_timeout import Silence
from relay_actors.runtime.stash import Stash

__all__ = ["STASHED", "Extras", "InHand"]

STASHED: Final = object()
"""What `Extras.receive` returns of a message that was put aside: there is no reply yet."""


class InHand:
    """The message that is being handled.

    Attributes:
        envelope: with the future of its reply.
        number: the one that the stash has given it, if it has been put aside before.
        is_stashed: whether its handler has put it aside.
    """

    __slots__ = ("envelope", "is_stashed", "number")

    def __init__(self, envelope: Envelope, number: int | None = None) -> None:
        self.envelope = envelope
        self.number = number
        self.is_stashed = False


class Extras:
    """The extras of one cell, made at the first use. In its turns, but for the closing of the stash.

    Attributes:
        stash: what it has put aside; survives restarts.
        silence: its receive time-out; ends with the incarnation.
        machine: what a state machine remembers; survives restarts.
        in_hand: the message that is being handled, as the user sees it.
    """

    __slots__ = ("_again", "in_hand", "machine", "silence", "stash")

    def __init__(self) -> None:
        self.stash = Stash()
        self.silence: Silence | None = None
        self.machine: Any = None
        self.in_hand: InHand | None = None
        self._again: InHand | None = None

    def take_ready(self) -> Envelope | None:
        """Return the next message that was put aside and is to be handled now, or None; `receive` is given it next."""
        entry = self.stash.take_ready()
        if entry is None:
            return None
        number, envelope = entry
        self._again = InHand(envelope, number)
        return envelope

    def receive(self, actor: AnyActor, envelope: Envelope) -> Any:
        """Have a message of the mailbox or the stash handled; return what its handler returned, or `STASHED`."""
        again, self._again = self._again, None
        if again is not None and again.envelope is envelope:
            try:
                return self._handle(again, actor.receive_again)
            except Exception:
                self._again = again  # for a second attempt (SEMANTICS M6)
                raise
        try:
            return self._handle(InHand(envelope), actor.receive)
        finally:
            self.heard()

    def was_aside(self, envelope: Envelope) -> bool:
        """Whether this is what `take_ready` has returned last, and `receive` has not been given."""
        return self._again is not None and self._again.envelope is envelope

    def hand(self, envelope: Envelope, handler: Callable[[Any], object]) -> object:
        """Have a message handled that has come in no envelope: a timer's, or one of several that an event has brought.

        Args:
            envelope: one that was made for it.
            handler: is given the message.
        """
        return self._handle(InHand(envelope), handler)

    @property
    def is_brought_back(self) -> bool:
        """Whether the message in hand had been put aside."""
        return self.in_hand is not None and self.in_hand.number is not None

    def take_back(self, message: object) -> None:
        """Take the message in hand, if it is this one, out of the stash again: its handler has raised."""
        in_hand = self.in_hand
        if in_hand is not None and in_hand.is_stashed and in_hand.envelope.message is message:
            self.stash.forget(in_hand.envelope)
            in_hand.is_stashed = False

    def heard(self) -> None:
        """Note that somebody has spoken."""
        if self.silence is not None:
            self.silence.heard()

    def _handle(self, in_hand: InHand, handler: Callable[[Any], object]) -> object:
        outer, self.in_hand = self.in_hand, in_hand
        try:
            response = handler(in_hand.envelope.message)
        except BaseException:
            self.take_back(in_hand.envelope.message)  # whose handler has raised is not handled again (SEMANTICS M6)
            raise
        finally:
            self.in_hand = outer
        return STASHED if in_hand.is_stashed else response
