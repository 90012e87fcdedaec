"""Finding actors by key, in constant time. Layer: pillar."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Protocol

import pykka

from relay_actors.errors import ConfigError
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.actor_ref import cell_of
from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.signals import Internal

__all__ = ["KeyRegistered", "KeyReleased", "KeysFound", "Registry", "WaitingRoom"]


@dataclass(frozen=True, slots=True)
class KeysFound:
    """What there is at the moment of a subscription: keys and their owners. Source: SEMANTICS R5."""

    owners: Mapping[Hashable, pykka.ActorRef[Any]]


@dataclass(frozen=True, slots=True)
class KeyRegistered:
    """A key has an owner now."""

    key: Hashable
    ref: pykka.ActorRef[Any]


@dataclass(frozen=True, slots=True)
class KeyReleased:
    """A key has no owner any more."""

    key: Hashable
    ref: pykka.ActorRef[Any]


class WaitingRoom(Protocol):
    """Where messages wait for the owner of a key; see `via_ref`."""

    def hand_over(self, key: Hashable, cell: AnyCell) -> None:
        """Give ``cell`` what waits for ``key``. With the registry's lock held: nobody may be waited for."""

    def settle(self) -> None:
        """See to what could not be handed over. Without the lock."""


class Registry:
    """Keys and the cells that own them, of one system.

    A key is any hashable value; by custom a pair such as ``("call", call_id)``. Keys go when their owner's last
    incarnation ends, and not on a restart (SEMANTICS R2).

    Attributes:
        lock: guards everything here and each cell's ``keys``, so that a key, its owner's keys, what waits for it and
            what is told of it change together (R3, R5). No foreign code runs while it is held, but for the key function
            of a pool that gets what has waited for it. Re-entrant, because a finaliser may run in the middle.
        owners: who owns which key. Read by any thread, in single look-ups.
        waiting_room: where messages wait for keys that have no owner yet, if anywhere.
    """

    def __init__(self) -> None:
        self.owners: dict[Hashable, AnyCell] = {}
        self._subscriptions: dict[int, _Subscription] = {}
        self._tokens = 0
        self.lock = threading.RLock()
        self.waiting_room: WaitingRoom | None = None

    def __len__(self) -> int:
        """Return how many keys there are."""
        return len(self.owners)

    def register(self, key: Hashable, cell: AnyCell) -> AnyCell:
        """Claim ``key`` for ``cell``; return who owns it now: of two claims at once, the same winner for both (R1)."""
        return self.register_all((key,), cell)

    def register_all(self, keys: Iterable[Hashable], cell: AnyCell) -> AnyCell:
        """Claim ``keys`` for ``cell``, all or none; return ``cell``, or who owns the first one that is taken (R1).

        Who has ended gets none, and hears of none that is taken.
        """
        with self.lock:
            # Not after it: nobody must find the name taken who has heard of the end (W4). Who ends the cell begins the
            # end first, and then comes to `release`, with this lock.
            if cell.has_ended:
                return cell
            fresh: dict[Hashable, None] = {}
            for key in keys:
                owner = self.owners.get(key)
                if owner is None:
                    fresh[key] = None
                elif owner is not cell:
                    return owner
            if not fresh:
                return cell
            # By far the most claim once: a tuple is a fifth of a dictionary. Who claims again is given one.
            known = cell.keys
            if isinstance(known, dict):
                known.update(fresh)
            else:
                cell.keys = {**dict.fromkeys(known), **fresh} if known else tuple(fresh)
            # First set, then look: who ends it begins the end first, and then looks whether it has keys, without this
            # lock. So nobody who has heard of the end finds one of its names taken (W4).
            if _has_ended(cell):
                for key in fresh:
                    self._disown(key, cell)
                return cell
            if self.waiting_room is not None:  # before anybody finds the new owner, and overtakes what waits
                for key in fresh:
                    self.waiting_room.hand_over(key, cell)
            # In one step: `find` takes no lock, and must not find one of the keys and then not another.
            self.owners.update(dict.fromkeys(fresh, cell))
            if self._subscriptions:
                for key in fresh:
                    self._tell_all(key, KeyRegistered(key, cell.ref))
        if self.waiting_room is not None:
            self.waiting_room.settle()
        return cell

    def unregister(self, key: Hashable, cell: AnyCell) -> None:
        """Free ``key``, if ``cell`` owns it."""
        with self.lock:
            if self.owners.get(key) is cell:
                self._disown(key, cell)
                self._free(key, cell)

    def unregister_all(self, cell: AnyCell) -> None:
        """Free all keys of ``cell``, which goes on: what it has subscribed to it is told."""
        with self.lock:
            keys, cell.keys = cell.keys, ()
            for key in keys:
                self._free(key, cell)

    def release(self, cell: AnyCell) -> None:
        """Free all keys of ``cell``, which has ended, and tell it nothing any more."""
        if not cell.keys and not self._subscriptions:  # most actors; see `register_all` and `subscribe`
            return
        with self.lock:
            self.unregister_all(cell)
            if self._subscriptions:
                self._subscriptions = {
                    token: one for token, one in self._subscriptions.items() if one.subscriber is not cell
                }

    def find(self, key: Hashable) -> AnyCell | None:
        """Return the living owner of ``key``, or None. It may die right after (R2)."""
        cell = self.owners.get(key)  # one dictionary look-up, atomic by itself
        return None if cell is None or cell.stopped else cell

    def keys_of(self, cell: AnyCell) -> tuple[Hashable, ...]:
        """Return the keys that ``cell`` owns."""
        with self.lock:
            return tuple(cell.keys)

    # -- subscriptions -----------------------------------------------------------------------------------------------

    def subscribe(
        self, ref: pykka.ActorRef[Any], prefix: Hashable = None, *, where: Callable[[Hashable], bool] | None = None
    ) -> int:
        """Have a `KeysFound` told to ``ref``, and then each change, in order, without gap or duplicate. Any thread.

        The changes are `KeyRegistered` and `KeyReleased`. They come ahead of users' messages, and are never dropped by
        a bound. An owner that is about to end is still among the found ones; its `KeyReleased` follows.

        Args:
            ref: to whom; its present incarnation only, since the next one would not know what was found.
            prefix: only keys that begin like this: ``("queue",)`` for the pairs of that kind, or the beginning of a
                string; None is all.
            where: only keys of which this is true; called in the subscriber's turns, and what it raises fails it.

        Returns:
            A token for `unsubscribe`.

        Raises:
            ActorError: ``ref`` is no actor of this framework.
            ConfigError: ``prefix`` is neither a tuple nor a string.

        Source: SEMANTICS R5.
        """
        if not (prefix is None or isinstance(prefix, tuple | str)):
            raise ConfigError(f"a prefix of keys is a tuple, such as ('queue',), or a string, not {prefix!r}")
        cell = cell_of(ref)
        with self.lock:
            self._tokens += 1
            subscription = _Subscription(self, self._tokens, cell, cell.incarnation, prefix, where)
            self._subscriptions[self._tokens] = subscription
            found = {key: owner.ref for key, owner in self.owners.items() if subscription.covers(key)}
            self._tell(subscription, KeysFound(found))
        if cell.has_ended:  # first set, then look: who ends it begins the end first, and then comes to `release`
            self.unsubscribe(subscription.token)
        return subscription.token

    def unsubscribe(self, token: int) -> None:
        """End a subscription: nothing of it is handled any more, even if it waits already. Any thread; idempotent."""
        with self.lock:
            self._subscriptions.pop(token, None)

    def is_subscribed(self, token: int) -> bool:
        """Return whether a subscription has not ended. Any thread."""
        return token in self._subscriptions

    def _disown(self, key: Hashable, cell: AnyCell) -> None:
        if isinstance(cell.keys, dict):
            del cell.keys[key]
        else:
            cell.keys = () if len(cell.keys) == 1 else tuple(one for one in cell.keys if one != key)

    def _free(self, key: Hashable, cell: AnyCell) -> None:
        del self.owners[key]
        if self._subscriptions:
            self._tell_all(key, KeyReleased(key, cell.ref))

    def _tell_all(self, key: Hashable, notice: KeyRegistered | KeyReleased) -> None:
        for subscription in list(self._subscriptions.values()):
            if not subscription.is_of_the_present:
                del self._subscriptions[subscription.token]
            elif subscription.covers(key):
                self._tell(subscription, notice)

    def _tell(self, subscription: _Subscription, notice: KeysFound | KeyRegistered | KeyReleased) -> None:
        # With the lock held, so that notices are queued in the order in which the keys changed.
        subscription.subscriber.tell_control(_Notice(subscription, notice))


def _has_ended(cell: AnyCell) -> bool:
    # A call, because a type checker takes for granted that it still has not.
    return cell.has_ended


class _Subscription:
    """What one actor wants to know."""

    __slots__ = ("_incarnation", "_prefix", "_registry", "_where", "subscriber", "token")

    def __init__(
        self,
        registry: Registry,
        token: int,
        subscriber: AnyCell,
        incarnation: int,
        prefix: tuple[Hashable, ...] | str | None,
        where: Callable[[Hashable], bool] | None,
    ) -> None:
        self._registry = registry
        self._incarnation = incarnation
        self._prefix = prefix
        self._where = where
        self.token = token
        self.subscriber = subscriber

    @property
    def is_of_the_present(self) -> bool:
        """Whether the incarnation that asked for it is the present one."""
        return self.subscriber.incarnation == self._incarnation

    def covers(self, key: Hashable) -> bool:
        """Return whether a key has the prefix."""
        prefix = self._prefix
        if prefix is None:
            return True
        if isinstance(prefix, str):
            return isinstance(key, str) and key.startswith(prefix)
        return isinstance(key, tuple) and key[: len(prefix)] == prefix

    def deliver(self, notice: KeysFound | KeyRegistered | KeyReleased) -> None:
        """Hand a notice to the subscriber, in its turn, if it is still wanted."""
        if not (self.is_of_the_present and self._registry.is_subscribed(self.token)):
            self._registry.unsubscribe(self.token)
            return
        where = self._where
        if where is not None and isinstance(notice, KeysFound):
            notice = KeysFound({key: ref for key, ref in notice.owners.items() if where(key)})
        elif where is not None and isinstance(notice, KeyRegistered | KeyReleased) and not where(notice.key):
            return
        self.subscriber.handle_user(notice)


class _Notice(Internal):
    """A notice on its way."""

    __slots__ = ("_notice", "_subscription")

    def __init__(self, subscription: _Subscription, notice: KeysFound | KeyRegistered | KeyReleased) -> None:
        self._subscription = subscription
        self._notice = notice

    def deliver(self) -> None:
        """Hand it to the subscriber, in its turn."""
        self._subscription.deliver(self._notice)
