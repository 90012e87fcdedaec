"""Who handles which call and text, who owns what, and events whose owner is not known yet. Layer: hall; pure.

Source: PROTOCOL 7.3, 9.3; SEMANTICS K4.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

from relay_actors.errors import ConfigError
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.events import RelayEvent

__all__ = ["Claim", "DialOver", "Parking", "Recent", "Roster", "Routes", "TextInDoubt"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Claim:
    """An actor owns something from now on; what was parked for it is due.

    Attributes:
        owned: a call id, the tag of a dial, a message id, or the name under which a text waits for its message id.
        ref: who owns it.
        is_call: whether that is a call's actor; otherwise it is a text's.
    """

    owned: str
    ref: Any
    is_call: bool


@dataclass(frozen=True, slots=True)
class DialOver:
    """A dial is over, without a winner or with its actor; a leg of it that is answered later must be hung up.

    Attributes:
        tag: of the dial.
        is_given_up: whether this side has given it up, which the server does not know: it may go on ringing others,
            and these are hung up as soon as they are heard of.
        ended: call ids of the legs that were hung up already.

    Source: PROTOCOL 9.3; SEMANTICS X9.
    """

    tag: str
    is_given_up: bool = False
    ended: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TextInDoubt:
    """A text was sent, perhaps: nobody knows what the server has made of it.

    Attributes:
        ref: of its actor.

    Source: SEMANTICS K6, J5.
    """

    ref: Any


class Routes(Generic[T]):
    """From contexts to the classes of actors.

    Args:
        what: ``calls`` or ``messages``, for texts of errors.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._classes: dict[str | None, type[T]] = {}

    @property
    def contexts(self) -> list[str]:
        """The contexts that are named."""
        return [context for context in self._classes if context is not None]

    @property
    def classes(self) -> dict[str | None, type[T]]:
        """The classes by context; that of None takes every context that is not named."""
        return dict(self._classes)

    def add(self, context: str | None, actor_class: type[T]) -> None:
        """Have ``actor_class`` handle a context; None: every context that has no class of its own.

        Raises:
            ConfigError: the context has a class already, or is no name.
        """
        if context is not None and (not isinstance(context, str) or not context):
            raise ConfigError(f"app.{self._what}({context!r}): a context is a non-empty string")
        taken = self._classes.setdefault(context, actor_class)
        if taken is not actor_class:
            where = f"context {context!r}" if context is not None else "all other contexts"
            raise ConfigError(f"app.{self._what}: {where} is handled by {taken.__name__} already")

    def find(self, context: str) -> type[T] | None:
        """Return who handles a context, or None."""
        return self._classes.get(context) or self._classes.get(None)


class Roster:
    """Which calls' and texts' actors there are, by their cells, and what each of them owns.

    Attributes:
        owners: who owns what, by its name.
    """

    def __init__(self) -> None:
        # Nearly all own one thing: then its name alone stands here.
        self._calls: dict[Any, str | tuple[str, ...]] = {}
        self._texts: dict[Any, str | tuple[str, ...]] = {}
        self.owners: dict[str, Any] = {}

    def __len__(self) -> int:
        """Return how many actors there are, of calls and texts."""
        return len(self._calls) + len(self._texts)

    @property
    def call_count(self) -> int:
        """How many actors of calls there are."""
        return len(self._calls)

    @property
    def calls(self) -> list[Any]:
        """The cells of calls, in the order in which they came."""
        return list(self._calls)

    @property
    def texts(self) -> list[Any]:
        """The cells of texts, in the order in which they came."""
        return list(self._texts)

    def add(self, name: str, cell: Any, *, is_call: bool) -> bool:
        """Note what an actor owns; return whether the actor is new here."""
        group = self._calls if is_call else self._texts
        owned = group.get(cell)
        if owned is None:
            group[cell] = name
        elif name not in (names := (owned,) if isinstance(owned, str) else owned):
            group[cell] = (*names, name)
        self.owners[name] = cell
        return owned is None

    def remove(self, cell: Any) -> list[str] | None:
        """Forget an actor; return what it owned, and nobody else owns by now; None, if there is none of it here."""
        owned = self._calls.pop(cell, None) or self._texts.pop(cell, None)
        if owned is None:
            return None
        names = (owned,) if isinstance(owned, str) else owned
        left = [name for name in names if self.owners.get(name) is cell]
        for name in left:
            del self.owners[name]
        return left

    def owns(self, name: str) -> bool:
        """Return whether somebody here owns that."""
        return name in self.owners


class Parking:
    """Events for somebody who is not known yet, in order, for a few seconds and within bounds.

    Args:
        park_s: seconds after which the events of one id are given up.
        per_id: how many are kept for one id.
        ids: how many ids are kept at once; one more gives up the oldest.

    Attributes:
        parked: until when which events are kept, by id, those first whose time is over first.
    """

    def __init__(self, park_s: float, per_id: int, ids: int) -> None:
        self._park_s = park_s
        self._per_id = per_id
        self._ids = ids
        self.parked: OrderedDict[Hashable, tuple[float, deque[RelayEvent]]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many ids there are."""
        return len(self.parked)

    def __contains__(self, key: Hashable) -> bool:
        return key in self.parked

    @property
    def keys(self) -> list[Hashable]:
        """The ids for which events are kept, those first whose time is over first."""
        return list(self.parked)

    def park(self, key: Hashable, event: RelayEvent, now: float) -> list[RelayEvent]:
        """Keep an event; return those that had to be given up for it."""
        given_up: list[RelayEvent] = []
        if key not in self.parked and len(self.parked) >= self._ids:
            _oldest, (_until, events) = self.parked.popitem(last=False)
            given_up.extend(events)
        _until, events = self.parked.setdefault(key, (now + self._park_s, deque()))
        if len(events) >= self._per_id:
            given_up.append(event)
        else:
            events.append(event)
        return given_up

    def take(self, key: Hashable) -> list[RelayEvent]:
        """Return and remove what is parked for a key, in order."""
        _until, events = self.parked.pop(key, (0.0, deque()))
        return list(events)

    def expire(self, now: float) -> list[RelayEvent]:
        """Return and remove what has been parked for too long."""
        expired: list[RelayEvent] = []
        while self.parked and next(iter(self.parked.values()))[0] <= now:
            _key, (_until, events) = self.parked.popitem(last=False)
            expired.extend(events)
        return expired

    def next_deadline(self) -> float | None:
        """Return when `expire` will next have something, or None."""
        return next(iter(self.parked.values()))[0] if self.parked else None


class Recent:
    """The last few keys that were added."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._keys: OrderedDict[Hashable, None] = OrderedDict()

    def add(self, key: Hashable) -> None:
        """Remember a key as the newest, and forget the oldest one beyond the size."""
        self._keys[key] = None
        self._keys.move_to_end(key)
        if len(self._keys) > self._size:
            self._keys.popitem(last=False)

    def discard(self, key: Hashable) -> None:
        """Forget a key."""
        self._keys.pop(key, None)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._keys
