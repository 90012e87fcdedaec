"""How a parent treats one child. Layer: pillar. Source: OTP child specifications; SEMANTICS S1."""

from __future__ import annotations

from typing import Any, Literal

from relay_actors.errors import ConfigError
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.restart_policy import Backoff, Restart

__all__ = ["ChildSpec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """How a parent treats one child.

    Attributes:
        restart: after which exits it is restarted (SEMANTICS S3).
        max_restarts: with ``within_s``, a window of this child's own; None counts it in the parent's window, which
            takes the parent down when exceeded (S8).
        within_s: seconds.
        backoff: how long to wait before a restart; None restarts at once.
        shutdown_s: how long it may take to stop before it is killed (H1): seconds, ``math.inf`` for as long as it
            takes, or ``"kill"`` for no time at all; None is what its class says: five seconds for an actor, as long as
            it takes for a supervisor.
        significant: whether its parent ends when it has ended by itself, as the parent's ``auto_shutdown`` says (S14);
            not for a permanent child, which never ends.
        successor: the class that takes over in its place, with the same ref, mailbox and keys, when its own window
            is exceeded; None ends it.
        gives_up_on: failures after which no restart is tried: what follows is what follows when its own window is
            exceeded.
        keep_children: whether its own children survive its restart (X8 against S10).
        revive_killed: whether an exit by ``ref.kill()`` counts as one after which it is restarted (S3). The ref of a
            killed actor is dead (H4), so what comes then is a new actor: same class, arguments and names, new ref.
            False where nobody could take up what the killed one had.
    """

    restart: Restart = Restart.TEMPORARY
    max_restarts: int | None = None
    within_s: float = 5.0
    backoff: Backoff | None = None
    shutdown_s: float | Literal["kill"] | None = None
    significant: bool = False
    successor: type[Any] | None = None
    gives_up_on: tuple[type[BaseException], ...] = ()
    keep_children: bool = False
    revive_killed: bool = True

    def __post_init__(self) -> None:
        if self.restart not in list(Restart):
            raise ConfigError(f"ChildSpec: restart must be one of {', '.join(Restart)}, not {self.restart!r}")
        object.__setattr__(self, "restart", Restart(self.restart))  # "permanent" is as good as Restart.PERMANENT
        if isinstance(self.shutdown_s, str):
            if self.shutdown_s != "kill":
                raise ConfigError(f'ChildSpec: shutdown_s must be seconds, math.inf or "kill", not {self.shutdown_s!r}')
        elif self.shutdown_s is not None and self.shutdown_s <= 0:
            raise ConfigError(f"ChildSpec: shutdown_s must be positive, not {self}")
        if self.within_s <= 0:
            raise ConfigError(f"ChildSpec: within_s must be positive, not {self}")
        if self.significant and self.restart is Restart.PERMANENT:
            raise ConfigError("ChildSpec: a permanent child cannot be significant, because it never ends by itself")
        if self.max_restarts is not None and self.max_restarts < 0:
            raise ConfigError(f"ChildSpec: max_restarts must be 0 or more, or None, not {self.max_restarts}")
        if self.successor is not None and self.max_restarts is None:
            raise ConfigError("ChildSpec: a successor needs max_restarts, or it would never take over")
