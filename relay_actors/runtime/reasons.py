"""Why actors end, and what others are told about it. Layer: pillar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from relay_actors.late_dataclasses import dataclass

if TYPE_CHECKING:
    from pykka import ActorRef

__all__ = [
    "NORMAL",
    "ActorEnded",
    "ActorFailed",
    "ActorRestarted",
    "ActorStarted",
    "ChildFailed",
    "DeadLetter",
    "Down",
    "ExitKind",
    "ExitReason",
    "StreamEvent",
    "Undelivered",
    "WatchedRestarted",
    "note_on",
    "words_of",
]

ExitKind = Literal["normal", "shutdown", "error", "start_failed", "killed", "lost"]

Undelivered = Literal["dead", "overflow", "restart_overflow", "expired", "stash", "unrouted"]
"""Why a message is not handled. Source: SEMANTICS DL1."""


def words_of(error: BaseException) -> str:
    """Return what an error says. A user's may raise when it is asked, and that must not stop who tells of it."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # whatever it raises
        return "(its __str__ raises)"


def note_on(error: BaseException, note: str) -> None:
    """Add a note to an error, once: it may be raised again and again. One that takes none goes without."""
    try:
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)
    except Exception:  # noqa: BLE001  # of a frozen dataclass, for example
        return


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
            words.append(f"{type(self.cause).__name__}: {words_of(self.cause)}")
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
class WatchedRestarted:
    """A watched actor has been restarted, and its new incarnation has started; for ``watch(ref, on_restart=True)``.

    Attributes:
        ref: who; the same as before.
        incarnation: the new one.
        reason: why the one before ended.

    Source: SEMANTICS W2.
    """

    ref: ActorRef[Any]
    incarnation: int
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class ChildFailed:
    """A child ended abnormally and is not restarted; or an operation of a call could not be followed any more.

    Attributes:
        ref: whose; of an operation, its handle.
        reason: why.
        message: at what it failed.

    Source: SEMANTICS L2, X6.
    """

    ref: Any
    reason: ExitReason
    message: object = None

    @property
    def phase(self) -> Literal["start", "run"]:
        """Whether it failed while it started, or later."""
        return "start" if self.reason.kind == "start_failed" else "run"


class StreamEvent:
    """What the runtime itself tells on the event stream. One that gets lost is no dead letter, and causes none."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class DeadLetter(StreamEvent):
    """A message that nobody will handle. For diagnosis only: nothing may be delivered by it.

    Attributes:
        message: what was sent.
        recipient: to whom, by name.
        reason: ``dead`` (the recipient has ended), ``overflow`` (its mailbox was full), ``restart_overflow`` (too much
            came while it was being restarted), ``expired`` (nobody waits for the answer any more), ``stash`` (it
            ended with the message put aside), ``unrouted`` (nobody has the name it was sent to).
        sender: the actor in whose turn it was sent, by name; ``outside`` if it was sent in none.

    Source: SEMANTICS DL1, DL3.
    """

    message: object
    recipient: str
    reason: Undelivered
    sender: str = "outside"


@dataclass(frozen=True, slots=True)
class ActorStarted(StreamEvent):
    """The first incarnation of an actor has started."""

    ref: ActorRef[Any]


@dataclass(frozen=True, slots=True)
class ActorFailed(StreamEvent):
    """An incarnation has failed; what becomes of the actor is not decided yet."""

    ref: ActorRef[Any]
    incarnation: int
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class ActorRestarted(StreamEvent):
    """An actor has been born again, and its incarnation has started.

    Attributes:
        ref: who.
        incarnation: the new one.
        reason: why the one before ended.
    """

    ref: ActorRef[Any]
    incarnation: int
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class ActorEnded(StreamEvent):
    """An actor has ended for good; its names are free."""

    ref: ActorRef[Any]
    incarnation: int
    reason: ExitReason
