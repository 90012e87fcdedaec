"""What a parent remembers of one child, and what it tells others about it. Layer: pillar."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

import pykka

from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import ChildFailed
from relay_actors.runtime.restart_policy import Restart, RestartWindow
from relay_actors.runtime.strategies import Phase

__all__ = ["Child", "ChildCounts", "ChildInfo", "ChildRecord", "ChildState", "Origin", "Place"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One child of a `Supervisor`.

    Attributes:
        id: its name among its siblings.
        actor_class: what to start.
        args: positional arguments of its constructor.
        kwargs: keyword arguments of its constructor.
        spec: how it is treated; by default it is permanent.
    """

    id: Hashable
    actor_class: type[Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    spec: ChildSpec = field(default_factory=lambda: ChildSpec(restart=Restart.PERMANENT))


class ChildState(StrEnum):
    """What a supervisor says about a child. Source: SEMANTICS S17."""

    RUNNING = "running"
    RESTARTING = "restarting"
    """A restart of it is due, or under way."""
    STOPPED = "stopped"
    """It has ended and is not restarted, but can be by hand; only a child with an id."""
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildInfo:
    """One line of ``which_children``.

    Attributes:
        id: its id; None if it has none.
        ref: its ref; None if it is stopped.
        state: running, restarting or stopped.
        actor_class: its class.
        spec: how it is treated.
    """

    id: Hashable
    ref: pykka.ActorRef[Any] | None
    state: ChildState
    actor_class: type[Any]
    spec: ChildSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCounts:
    """What ``count_children`` counts.

    Attributes:
        specs: all that are known, those that are stopped included.
        running: those that run.
        restarting: those that wait for a restart.
        stopped: those that can be started again by hand.
    """

    specs: int
    running: int
    restarting: int
    stopped: int


@dataclass(eq=False, slots=True)
class Origin:
    """What is needed to begin a child anew when it was killed; of a temporary child it is not kept (S15)."""

    actor_class: type[Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    keep: Any
    keys: tuple[Hashable, ...] = ()


@dataclass(eq=False, slots=True)
class Place:
    """The place of a child with an id among its siblings; it stays when the child has ended."""

    child: Child
    cell: AnyCell | None = None


@dataclass(eq=False, slots=True)
class ChildRecord:
    """One child, from the moment it is taken until it has ended for good.

    Attributes:
        window: its restarts, if it has a window of its own and has failed; see `own_window`.
        failures: in a row: the n of the back-off.
        running_since: None until its present incarnation has started.
        timer: the pending restart, or the kill when it does not stop in time.
        decided: set when it was given up, and what the parent is told when it has ended.
        is_gone: its cell was killed, and another one will take its place.
    """

    cell: AnyCell
    spec: ChildSpec
    phase: Phase
    place: Place | None
    origin: Origin | None
    window: RestartWindow | None = None
    failures: int = 0
    running_since: float | None = None
    timer: TimerHandle | None = None
    decided: ChildFailed | None = None
    is_gone: bool = False

    def cancel_timer(self) -> None:
        """Cancel what is due."""
        timer, self.timer = self.timer, None
        if timer is not None:
            timer.cancel()

    def own_window(self) -> RestartWindow | None:
        """Return its own window, made at its first failure; None if its restarts are counted in its parent's."""
        if self.window is None and self.spec.max_restarts is not None:
            self.window = RestartWindow(self.spec.max_restarts, self.spec.within_s)
        return self.window

    @property
    def state(self) -> ChildState:
        """What is said about it."""
        is_restarting = self.phase in (Phase.RESTARTING, Phase.REGROUPING)
        return ChildState.RESTARTING if is_restarting else ChildState.RUNNING

    @property
    def id(self) -> Hashable:
        """Its id, or None."""
        return None if self.place is None else self.place.child.id
