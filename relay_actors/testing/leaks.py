"""`no_leaks`: whether a block leaves something behind. Layer: door. Source: SEMANTICS H9, X18."""

from __future__ import annotations

import gc
import os
import re
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from contextlib import ContextDecorator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from relay_actors.app import RelayApp
from relay_actors.errors import ConfigError
from relay_actors.runtime.clock import SystemClock
from relay_actors.runtime.frames import frame_of
from relay_actors.runtime.residue import residue_of
from relay_actors.runtime.system import System, default_system

__all__ = ["no_leaks", "threads_left"]

GRACE_S: Final = 2.0
"""How long something may still be on its way out when a block ends."""

_LOOK_AGAIN_S: Final = 0.005
_DESCRIPTORS: Final = Path("/proc/self/fd")
_CLOCK: Final = SystemClock()

Owner = RelayApp | System


def no_leaks(*owners: Owner, grace_s: float = GRACE_S) -> _NoLeaks:
    """Fail with an `AssertionError` when a block, or a decorated function, leaves something behind that tells what.

    ``with no_leaks(app): …`` and ``@no_leaks()``. What belongs to the process is compared before and after: threads and
    file descriptors (where there is ``/proc``). So is what belongs to each of ``owners``: actors, questions that
    nobody has answered, keys, timers, and of an application its pending requests, commands that are held back and
    parked events. Of a system that is stopped by then, nothing at all may be left. What is found at first has time to
    go, up to ``grace_s`` seconds; in virtual time, where it is a deterministic system's. When the block itself raises,
    that error counts, and nothing is looked at.

    The threads of owners that go on running are theirs, and those of the process's own system are nobody's leak.

    Args:
        owners: applications and systems. An application that does not run when the block ends has nothing left to look
            at but the process: give its system.
        grace_s: seconds.

    Raises:
        ConfigError: one of ``owners`` is neither.
    """
    for owner in owners:
        if not isinstance(owner, RelayApp | System):
            raise ConfigError(
                f"no_leaks({owner!r}): give applications and systems, or nothing; and call it: no_leaks()"
            )
    return _NoLeaks(owners, grace_s)


@dataclass(frozen=True, slots=True)
class _Look:
    """What there was at one moment."""

    threads: frozenset[threading.Thread]
    descriptors: dict[int, str]
    residue: dict[Hashable, str]


class _NoLeaks(ContextDecorator):
    """One check, which may be entered again, also inside itself."""

    def __init__(self, owners: tuple[Owner, ...], grace_s: float) -> None:
        self._owners = owners
        self._grace_s = grace_s
        self._looks: list[_Look] = []

    def __enter__(self) -> Self:
        for system in _running(self._owners):
            system.dispatcher.start()  # else at its first use: then its threads and sockets would be taken for leaks
        threads = frozenset(threading.enumerate())
        self._looks.append(_Look(threads, _descriptors(), _residue(self._owners)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        before = self._looks.pop()
        if error is not None:
            return
        left = self._left(before)
        if left:
            raise AssertionError("\n".join(["something was left over:", *left]))

    def _left(self, before: _Look) -> list[str]:
        deadline = _CLOCK.now() + self._grace_s
        for system in _systems(self._owners):
            system.dispatcher.wait_until(
                lambda: not _new(_residue(self._owners), before.residue), lambda s: self._poll(before, s), self._grace_s
            )
        left = _new(_residue(self._owners), before.residue)
        known = tuple(f"{system.name}-" for system in _running(self._owners))
        threads = [
            thread
            for thread in threading.enumerate()
            if thread not in before.threads and not thread.name.startswith(known)
        ]
        left += threads_left(threads, deadline - _CLOCK.now())
        if _opened(before.descriptors):
            gc.collect()  # what nobody holds any more is no leak, whenever it would have been collected
        _until(lambda: not _opened(before.descriptors), deadline - _CLOCK.now())
        return left + _opened(before.descriptors)

    def _poll(self, before: _Look, timeout_s: float | None) -> bool:
        return _until(lambda: not _new(_residue(self._owners), before.residue), timeout_s or 0.0)


def threads_left(threads: Iterable[threading.Thread], grace_s: float) -> list[str]:
    """Return which of these threads have not ended after ``grace_s`` seconds in all, and where they are, for people."""
    threads = list(threads)
    deadline = _CLOCK.now() + grace_s
    for thread in threads:
        thread.join(max(0.0, deadline - _CLOCK.now()))
    return [_told(thread) for thread in threads if thread.is_alive()]


def _told(thread: threading.Thread) -> str:
    """Say where a thread is that should have ended: nearly always in a handler that blocks."""
    frame = frame_of(thread)
    stack = "".join(traceback.format_stack(frame, limit=12)) if frame is not None else ""
    return f"thread {thread.name} still runs:\n{stack}".rstrip()


def _systems(owners: tuple[Owner, ...]) -> list[System]:
    systems = [owner if isinstance(owner, System) else owner.system if owner.is_running else None for owner in owners]
    return [system for system in systems if system is not None]


def _running(owners: tuple[Owner, ...]) -> list[System]:
    """Return the systems that go on, the process's own among them, which is there for good."""
    return [system for system in (*_systems(owners), default_system()) if not system.is_stopping]


def _residue(owners: tuple[Owner, ...]) -> dict[Hashable, str]:
    found: dict[Hashable, str] = {}
    for number, owner in enumerate(owners):
        own = residue_of(owner) if isinstance(owner, System) else owner.residue() if owner.is_running else {}
        found |= {(number, key): text for key, text in own.items()}
    return found


def _new(now: dict[Hashable, str], before: dict[Hashable, str]) -> list[str]:
    return [text for key, text in now.items() if key not in before]


def _descriptors() -> dict[int, str]:
    """From each open descriptor to what it is; nothing where the machine does not say."""
    found = {}
    try:
        names = os.listdir(_DESCRIPTORS)
    except OSError:
        return {}
    for name in names:
        try:
            found[int(name)] = os.readlink(_DESCRIPTORS / name)
        except OSError:  # the one by which the folder was read
            continue
    return found


def _opened(before: dict[int, str]) -> list[str]:
    """Return the descriptors of each kind of which there are more than before, the youngest of that kind."""
    now = _descriptors()
    more = Counter(map(_kind, now.values()))
    more.subtract(map(_kind, before.values()))
    told = []
    for number, target in sorted(now.items(), reverse=True):
        if more[_kind(target)] > 0 and before.get(number) != target:
            more[_kind(target)] -= 1
            told.append(f"descriptor {number} is open: {target}")
    return told


def _kind(target: str) -> str:
    """Return what a descriptor is without its number: a socket in the place of another is none too many."""
    return re.sub(r":\[\d+\]$", "", target)


def _until(is_done: Callable[[], bool], timeout_s: float) -> bool:
    """Look again and again; there is nobody who would tell that a descriptor was closed or an actor counted out."""
    deadline = _CLOCK.now() + timeout_s
    pause = threading.Event()
    while not is_done():
        if _CLOCK.now() >= deadline:
            return False
        pause.wait(_LOOK_AGAIN_S)
    return True
