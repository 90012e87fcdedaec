"""What a future brings, as one message to the actor that asked for it. Layer: pillar. Source: SEMANTICS A12."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relay_actors.errors import ConfigError
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.future import Future
from relay_actors.runtime.signals import Internal

__all__ = ["PipeFailed", "Piped", "pipe"]


@dataclass(frozen=True, slots=True)
class PipeFailed:
    """A future that was piped to this actor has failed; for who gave no ``err`` to make another message of it."""

    error: BaseException


class Piped(Internal):
    """A settled future on its way through the control lane."""

    __slots__ = ("_cell", "_err", "_future", "_incarnation", "_ok")

    interleaves = False

    def __init__(
        self,
        cell: AnyCell,
        incarnation: int | None,
        future: Future[Any],
        ok: Callable[[Any], object] | None,
        err: Callable[[BaseException], object] | None,
    ) -> None:
        self._cell = cell
        self._incarnation = incarnation  # None: whichever is there
        self._future = future
        self._ok = ok
        self._err = err

    def __call__(self, _future: object) -> None:
        """The future is settled: go on the way. Any thread."""
        self._cell.tell_control(self)

    def deliver(self) -> None:
        """Make the message and hand it to the actor, in its turn, if it is still the one that wanted it."""
        if self._incarnation is not None and self._incarnation != self._cell.incarnation:
            self._cell.system.hooks.count("pipe.dropped")
            return
        value, error = _take(self._future)
        if error is not None:
            self._cell.handle_user(PipeFailed(error) if self._err is None else self._err(error))
        else:
            self._cell.handle_user(value if self._ok is None else self._ok(value))

    def loss(self) -> object:
        """Return what nobody will handle, because the actor has ended."""
        self._cell.system.hooks.count("pipe.dropped")
        value, error = _take(self._future)
        return value if error is None else PipeFailed(error)


def pipe(
    cell: AnyCell,
    future: Any,
    ok: Callable[[Any], object] | None,
    err: Callable[[BaseException], object] | None,
    *,
    survive_restart: bool,
) -> None:
    """Have one message told to the actor when ``future`` is settled; see `Asking.pipe_to_self`."""
    if not isinstance(future, Future):
        raise ConfigError(
            f"pipe_to_self() takes a future of this framework, not {type(future).__name__}: ask(…, block=False), a "
            "proxy's call, or any other that can be awaited in a flow"
        )
    if not future.settles:  # its own kind
        raise ConfigError("pipe_to_self() needs a future that somebody settles, and this one is computed by who asks")
    for name, given in (("ok", ok), ("err", err)):
        if given is not None and not callable(given):
            raise ConfigError(f"pipe_to_self({name}={given!r}): give a function that makes the message")
    piped = Piped(cell, None if survive_restart else cell.incarnation, future, ok, err)
    future.add_done_callback(piped)


def _take(future: Future[Any]) -> tuple[Any, BaseException | None]:
    try:
        return future.get(timeout=0), None
    except BaseException as error:
        return None, error
