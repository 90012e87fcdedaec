"""Why actors end, and what others are told about it. Layer: pillar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from pykka import ActorRef

__all__ = ["NORMAL", "ChildFailed", "DeadLetter", "Down", "ExitKind", "ExitReason", "RestartNote"]

ExitKind = Literal["normal", "shutdown", "error", "start_failed", "killed", "lost"]


@dataclass(frozen=True, slots=True)
class ExitReason:
    """Why an incarnation ended: one of a closed set, the same for parent, watchers, log and metric.

    Attributes:
        kind: ``normal`` (it stopped itself, or was asked to), ``shutdown`` (its parent or the system stopped),
            ``error`` (a handler raised), ``start_failed`` (constructor or ``on_start`` raised), ``killed`` (it did
            not stop in time), ``lost`` (its node is gone).
        detail: more words, for people.
        cause: what was raised, for ``error`` and ``start_failed``.

    Source: SEMANTICS L5; OTP supervisor exit reasons.
    """

    kind: ExitKind
    detail: str = ""
    cause: BaseException | None = None

    def __str__(self) -> str:
        words: list[str] = [self.kind]
        if self.detail:
            words.append(f"({self.detail})")
        if self.cause is not None:
            words.append(f"{type(self.cause).__name__}: {self.cause}")
        return " ".join(words)

    @property
    def is_abnormal(self) -> bool:
        """Whether a transient child is restarted after it. Source: SEMANTICS S3."""
        return self.kind in ("error", "start_failed", "killed", "lost")


NORMAL: Final = ExitReason("normal")


@dataclass(frozen=True, slots=True)
class Down:
    """A watched actor has ended for good. Its names are already free when this is handled.

    Source: SEMANTICS W1, W4; Erlang ``'DOWN'``.
    """

    ref: ActorRef[Any]
    incarnation: int
    reason: ExitReason
    already_dead: bool = False


@dataclass(frozen=True, slots=True)
class RestartNote:
    """One restart, as an inspection shows it. Source: SEMANTICS O3, S18.

    Attributes:
        at: seconds since the epoch.
        reason: why the incarnation before it ended.
        attempt: which restart it is in the supervisor's window.
        delay_s: how long it was put off.
    """

    at: float
    reason: str
    attempt: int
    delay_s: float


@dataclass(frozen=True, slots=True)
class ChildFailed:
    """A child ended abnormally and is not restarted. Source: SEMANTICS L2, X6."""

    ref: ActorRef[Any]
    reason: ExitReason
    message: object = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that nobody will handle. For diagnosis only. Source: SEMANTICS DL1, DL3."""

    message: object
    recipient: str
    reason: Literal["dead", "overflow", "restart_overflow", "expired", "stash", "unrouted"]
    sender: str = ""
