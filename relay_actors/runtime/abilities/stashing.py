"""What an actor can do with messages for which it is too early. Layer: pillar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from relay_actors.errors import ActorError, ConfigError

if TYPE_CHECKING:
    from relay_actors.runtime.cell import Cell

__all__ = ["Stashing"]


class Stashing:
    """Puts messages aside, and brings them back. In the actor's turns only."""

    stash_capacity: ClassVar[int | None] = None
    """How many messages may be put aside; a class that uses `stash` says it (SEMANTICS P1)."""

    _cell: Cell

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        bound = cls.stash_capacity
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int) or bound < 1):
            raise TypeError(f"{cls.__name__}.stash_capacity must be a whole number above 0, or None, not {bound!r}")

    def stash(self) -> None:
        """Put the message that is being handled aside, until `unstash` or `unstash_all`.

        Who has asked goes on waiting; what this handler returns is then no reply. When the actor stops, what is put
        aside becomes dead letters, and who has asked gets `ActorDead`; a restart brings it back, ahead of the mailbox.
        A handler that raises takes its own message out again: it is not handled a second time.

        Raises:
            StashFull: as many are put aside as ``stash_capacity`` says.
            ConfigError: the class does not say any.
            ActorError: no message is being handled: this is not a handler.

        Source: SEMANTICS P1; Akka's ``Stash``.
        """
        cell = self._cell
        capacity = cell.actor_class.stash_capacity
        if capacity is None:
            raise ConfigError(
                f"{cell.actor_class.__name__} cannot put messages aside: say how many it may, by stash_capacity = …"
            )
        in_hand = cell.extras.in_hand
        if in_hand is None:
            raise ActorError("stash() puts the message aside that is being handled, and none is: call it in a handler")
        if in_hand.is_stashed:
            return
        in_hand.is_stashed = True
        try:
            is_put = cell.extras.stash.put(in_hand.envelope, in_hand.number, capacity)
        except BaseException:
            in_hand.is_stashed = False
            raise
        if not is_put:  # killed meanwhile
            cell.refuse(in_hand.envelope, "stash")

    def unstash(self, count: int = 1) -> int:
        """Have the oldest of what was put aside handled before everything that waits; return how many those are.

        Args:
            count: how many.
        """
        return self._cell.extras.stash.release(max(0, count))

    def unstash_all(self) -> int:
        """Have all that was put aside handled, in order, before everything that waits; return how many those are.

        What the runtime has to say still comes between them (SEMANTICS P2).
        """
        return self._cell.extras.stash.release()

    @property
    def stash_size(self) -> int:
        """How many messages are put aside, those included that have been brought back and not been handled yet."""
        return len(self._cell.extras.stash)
