"""Tells an actor that nobody has spoken to it for a while. Layer: pillar. Source: SEMANTICS T5."""

from __future__ import annotations

from relay_actors.errors import ConfigError
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.clock import is_time
from relay_actors.runtime.signals import Internal

__all__ = ["ReceiveTimeout", "Silence"]


@dataclass(frozen=True, slots=True)
class ReceiveTimeout:
    """Nobody has sent this actor anything for as long as it has said. Source: SEMANTICS T5."""


class Silence(Internal):
    """Watches for the silence of one incarnation. Used in the actor's turns only.

    A message only notes the time. The timer is set again when it fires too early, not for each message.

    Args:
        cell: the actor's cell.
        seconds: how long nobody may speak.
        message: what the actor is told then.

    Attributes:
        seconds: see above.
        message: see above.

    Raises:
        ConfigError: ``seconds`` is no positive number.
    """

    __slots__ = ("_cell", "_heard_at", "_is_armed", "message", "seconds")

    def __init__(self, cell: AnyCell, seconds: float, message: object) -> None:
        if not is_time(seconds) or not seconds:
            raise ConfigError(f"set_receive_timeout({seconds!r}): give a positive number of seconds, or None to end it")
        self._cell = cell
        self.seconds = seconds
        self.message = message
        self._heard_at = cell.system.clock.now()
        self._is_armed = False
        self._arm(seconds)

    def heard(self) -> None:
        """Note that a message has been handled."""
        self._heard_at = self._cell.system.clock.now()
        if not self._is_armed:  # it has fired for the silence that is over now
            self._arm(self.seconds)

    def deliver(self) -> None:
        """Tell the actor, unless somebody has spoken meanwhile."""
        now = self._cell.system.clock.now()
        if self._cell.mailbox.user_length:  # somebody has, and that is handled next
            self._heard_at = now
        left = self._heard_at + self.seconds - now
        if left > 0:
            self._arm(left)
        else:
            self._is_armed = False
            self._cell.handle_user(self.message)

    def end(self) -> None:
        """Watch no more."""
        self._cell.timers.cancel(Silence)

    def _arm(self, delay_s: float) -> None:
        self._is_armed = True
        self._cell.timers.start(Silence, self, delay_s)
