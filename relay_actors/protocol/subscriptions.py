"""Which contexts this client listens to, across connections. Layer: ``protocol``, pure."""

from __future__ import annotations

from collections.abc import Sequence

from relay_actors.errors import ConfigError
from relay_actors.late_dataclasses import dataclass

__all__ = ["Subscriptions", "context_names"]


@dataclass(slots=True)
class _Change:
    adds: bool
    names: tuple[str, ...]
    settled: bool = False
    refused: bool = False


def context_names(contexts: Sequence[str]) -> tuple[str, ...]:
    """Return ``contexts`` without repetitions, in order.

    Raises:
        ConfigError: a single string, which would count as a list of letters, or something that is no non-empty string.
    """
    if isinstance(contexts, str):
        raise ConfigError(f"contexts={contexts!r}: give a list of names, for example [{contexts!r}]")
    names = tuple(dict.fromkeys(contexts))
    for name in names:
        if not isinstance(name, str) or not name:
            raise ConfigError(f"contexts={contexts!r}: every context must be a non-empty string, and {name!r} is not")
    return names


class Subscriptions:
    """The effective set: what the next log in asks for.

    A change counts from the moment it is asked for, and until the server refuses it. When the answer is lost the wish
    stands, because the next connection is free to grant it: an application that drains must not get calls again because
    a socket broke at the wrong moment.

    Source: PROTOCOL 3.5, 4.
    """

    def __init__(self, contexts: Sequence[str] = ()) -> None:
        self._base: dict[str, None] = dict.fromkeys(context_names(contexts))
        self._changes: dict[str, _Change] = {}

    @property
    def effective(self) -> tuple[str, ...]:
        """The contexts, oldest first."""
        names = dict(self._base)
        for change in self._changes.values():
            _apply(change, names)
        return tuple(names)

    def change(self, request_id: str, names: tuple[str, ...], *, adds: bool) -> None:
        """Note that the request ``request_id`` adds or removes ``names``."""
        self._changes[request_id] = _Change(adds, names)

    def settle(self, request_id: str, *, refused: bool) -> None:
        """Note how a change ended; a request that was none is no matter."""
        change = self._changes.get(request_id)
        if change is None:
            return
        change.settled, change.refused = True, refused
        # Changes enter the base in the order of asking: answers that overtake each other must not reorder them.
        for oldest_id, oldest in list(self._changes.items()):
            if not oldest.settled:
                break
            _apply(oldest, self._base)
            del self._changes[oldest_id]


def _apply(change: _Change, names: dict[str, None]) -> None:
    if change.refused:
        return
    for name in change.names:
        if change.adds:
            names.setdefault(name)
        else:
            names.pop(name, None)
