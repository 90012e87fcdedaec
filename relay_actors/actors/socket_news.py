"""What the connection is told about its socket, from other threads: each in a turn of its own. Layer: hall."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from relay_actors.errors import ConnectFailedError
from relay_actors.runtime.signals import Internal
from relay_actors.transport.base import Transport

__all__ = ["Due", "OpenFailed", "Opened", "Opening", "Readable", "tell"]

_log = logging.getLogger("relay_actors.connection")


class Opened(Internal):
    """A socket was opened; it waits in the wire."""

    __slots__ = ("_attempt", "_cell")

    def __init__(self, cell: Any, attempt: int) -> None:
        self._cell = cell
        self._attempt = attempt

    def deliver(self) -> None:
        """Hand it to the present incarnation."""
        self._cell.actor.on_opened(self._attempt)


class OpenFailed(Internal):
    """An attempt to open a socket has failed."""

    __slots__ = ("_attempt", "_cell", "_why")

    def __init__(self, cell: Any, attempt: int, why: str) -> None:
        self._cell = cell
        self._attempt = attempt
        self._why = why

    def deliver(self) -> None:
        """Tell the present incarnation."""
        self._cell.actor.on_open_failed(self._attempt, self._why)


class Opening:
    """Opens a socket, on a thread where it may block, and tells the connection.

    Args:
        cell: of the connection.
        wire: what it keeps.
        attempt: the how manieth it is.

    Attributes:
        is_urgent: it does not wait for blocking code of users, which may take every thread and hang (SEMANTICS D5).
    """

    __slots__ = ("_attempt", "_cell", "_wire")

    is_urgent: ClassVar[bool] = True

    def __init__(self, cell: Any, wire: Any, attempt: int) -> None:
        self._cell = cell
        self._wire = wire
        self._attempt = attempt

    @property
    def is_wanted(self) -> bool:
        """Whether there is anybody for whom it would be opened."""
        return not self._cell.is_stopped

    def __call__(self) -> None:
        """Do it."""
        cell, wire = self._cell, self._wire
        try:
            transport = wire.connector.connect()
        except Exception as error:  # noqa: BLE001  # whatever it is: nobody would try again who is not told
            if not isinstance(error, ConnectFailedError):
                _log.exception("a socket could not be opened, by an error that no connector may raise")
            tell(cell, OpenFailed(cell, self._attempt, str(error) or type(error).__name__))
            return
        wire.opened.append(transport)
        if not tell(cell, Opened(cell, self._attempt)) or cell.is_stopped:
            # It may not get as far as taking it. Either this thread sees its end, or its end sees the socket.
            wire.drop_opened()


class Readable(Internal):
    """A socket can be read, or written if it waits for that."""

    __slots__ = ("_cell", "_transport")

    def __init__(self, cell: Any, transport: Transport) -> None:
        self._cell = cell
        self._transport = transport

    def deliver(self) -> None:
        """Tell the present incarnation."""
        self._cell.actor.on_readable(self._transport)


class Due(Internal):
    """A deadline has come."""

    __slots__ = ("_cell",)

    def __init__(self, cell: Any) -> None:
        self._cell = cell

    def deliver(self) -> None:
        """Tell the present incarnation."""
        self._cell.actor.on_due()


def tell(cell: Any, notice: Internal) -> bool:
    """Tell the connection something; False if it has ended. Any thread."""
    told: bool = cell.tell_control(notice)
    return told
