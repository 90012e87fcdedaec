"""An actor's mailbox: three lanes, a bound, and one atomic decision between enqueue and close. Layer: pillar."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, Literal, TypeVar

from pykka.messages import ProxyCall, ProxyGetAttr, ProxySetAttr, _ActorStop

from relay_actors.errors import MailboxFull
from relay_actors.runtime.context import here
from relay_actors.runtime.signals import Signal

__all__ = [
    "FOR_PYKKA",
    "NO_LANE",
    "SHORT",
    "STOP",
    "Envelope",
    "Fresh",
    "Mailbox",
    "Overflow",
    "WaitUntil",
    "withdraw_from",
]

T = TypeVar("T")

Overflow = Literal["fail", "drop_new", "drop_old", "block"]
"""What a full mailbox does with a message. Source: SEMANTICS M4."""

WaitUntil = Callable[[Callable[[], bool], Callable[[float | None], bool], float | None], bool]
"""How a sender waits for room: `Dispatcher.wait_until`."""

# Guards what happens rarely to lanes, of all mailboxes: the making of one that an actor has not needed before, the
# moving of a long one, and the closing. Re-entrant, as every lock here that allocates while it is held: the garbage
# collector may then run somebody's finaliser, and that may send.
_lanes = threading.RLock()

SHORT: Final = 64
"""A lane is a list, because an empty `deque` is as large as all the rest of an idle actor; and up to this length
taking the first of a list costs no more. What waits in longer ones is moved to a `deque`."""

NO_LANE: Final = ()
"""In place of a user lane to which nobody has sent yet: an empty list is 56 bytes, and most calls get no message."""

_LONG: Final = 1000
"""Up to this length all of a list is taken from the front, as by any other taker."""


class _StopMessage:
    """The user lane's own stop: behind everything that was sent before (SEMANTICS M3), and never dropped (M4)."""

    def __repr__(self) -> str:
        return "stop"


STOP: Final = _StopMessage()

FOR_PYKKA: Final = frozenset({_ActorStop, ProxyCall, ProxyGetAttr, ProxySetAttr})
"""The classes of messages that pykka handles by itself; nobody has any that are derived from these."""


class Envelope:
    """A message and, for an ask, the future of its reply. Has the shape of pykka's own envelope.

    Attributes:
        sender: in whose turn it was made; None outside of all turns.
        carried: what the sender's turn belongs to, where turns are traced.
        seen_at: when it was put, where somebody observes the system; else when an inspection first came upon it.
    """

    # Two of the slots are left empty, which costs nothing, unless somebody looks: see `inspection` and `observed`.
    __slots__ = ("carried", "message", "reply_to", "seen_at", "sender")

    carried: Any
    seen_at: float

    def __init__(self, message: object, reply_to: Any = None) -> None:
        self.message = message
        self.reply_to = reply_to
        self.sender = here.turn

    def __repr__(self) -> str:
        return f"Envelope({self.message!r}, reply_to={self.reply_to!r})"


class Fresh(Envelope):
    """An envelope that whoever makes it fills in: ``message``, ``reply_to`` and ``sender``.

    Every message comes in one, and Python code in a constructor would double what it costs.
    """

    __slots__ = ()

    __init__ = object.__init__  # takes nothing, and sets nothing


class _Older:
    """What lies in front of lanes that were long: where the first is taken quickly, however many there are.

    Attributes:
        system: what came before all that is in `Mailbox.system`.
        control: likewise.
        user: likewise.
    """

    __slots__ = ("control", "system", "user")

    def __init__(self) -> None:
        self.system: deque[Signal] = deque()
        self.control: deque[Envelope] = deque()
        self.user: deque[Envelope] = deque()


class _Room(threading.Condition):
    """The bound of a user lane: guards it, and is waited on for room.

    Args:
        capacity: how many messages may wait.
        overflow: what happens beyond that.
        block_s: how long ``block`` waits for room before it fails, in seconds.
    """

    def __init__(self, capacity: int, overflow: Overflow, block_s: float) -> None:
        super().__init__()
        self.capacity = capacity
        self.overflow = overflow
        self.block_s = block_s


class Mailbox:
    """Where an actor's messages wait.

    Lanes: *system* (stop, restart, what children report) before *control* (timers, flows, downs) before *user*.
    Each lane keeps the order in which one sender sent (M1).

    Any thread may put; only the thread that has the actor's turn takes. Without a bound there is no lock on that way:
    appending to a list and popping from it are atomic. Enqueue and close are one decision (M5) by the order of two
    steps: a sender appends and then looks whether the mailbox is closed; the closer closes and then drains. Whichever
    comes second sees the other, and an envelope can be taken out only once, so each is handled, refused or drained.
    What a late sender appends behind the closer's back is left for him to take out again: so to everybody the control
    and user lanes are ones that are used by one thread at a time (V8).

    `Post` and `Turns` do what `offer`, `put_control` and the ``take_…`` do in their own lines: every message comes
    that way, and a call costs as much as all the rest of it.

    Args:
        capacity: bound of the user lane, exact; None is unbounded. The other lanes are never bounded.
        overflow: what happens beyond the bound.
        block_s: how long ``block`` waits for room before it fails, in seconds.

    Attributes:
        system: the lane of signals; None before it is needed.
        control: the lane ahead of users' messages; None before it is needed.
        older: what came before all that is in the lanes, if one of them was long; only who has the turn moves it there.
        user: the lane of users' messages; `NO_LANE` before the first one, and then always the same object.
        is_closed: whether nothing is taken any more.
        room: guards the user lane of a bounded mailbox, so that the bound is exact; senders wait on it for room. None
            where there is no bound.
    """

    __slots__ = ("control", "is_closed", "older", "room", "system", "user")

    carries: ClassVar[bool] = False
    """Whether it notes on each envelope what it carries, so that putting is left to its own methods."""

    def __init__(self, capacity: int | None = None, overflow: Overflow = "fail", block_s: float = 1.0) -> None:
        self.system: list[Signal] | None = None
        self.control: list[Any] | None = None  # of envelopes, and of messages that need none
        self.older: _Older | None = None
        self.user: Any = NO_LANE
        self.is_closed = False
        self.room: _Room | None = None
        if capacity is not None:
            self.room = _Room(capacity, overflow, block_s)
            self.user = deque()  # long from the first, if it is ever

    @property
    def user_length(self) -> int:
        """How many messages of the user wait."""
        older = self.older
        return len(self.user) + (len(older.user) if older is not None else 0)

    def put_system(self, signal: Signal) -> bool:
        """Put a signal of the runtime; False if closed, and then it was not and will not be handled."""
        if self.is_closed:
            return False
        lane = self.system
        if lane is None:
            lane = self._open_system()
        lane.append(signal)
        return not self._closed_by_now() or not withdraw_from(lane, signal)

    def put_control(self, envelope: Envelope) -> bool:
        """Put ahead of user messages; False if closed, and then it was not and will not be handled."""
        if self.is_closed:
            return False
        lane = self.control
        if lane is None:
            lane = self.open_control()
        lane.append(envelope)
        return not self._closed_by_now() or not withdraw_from(lane, envelope)

    def put_user(self, envelope: Envelope, wait_until: WaitUntil) -> tuple[bool, Envelope | None]:
        """Put a user's message; `STOP` is exempt from the bound.

        Args:
            envelope: what to put.
            wait_until: how to wait for room, where the policy is ``block``.

        Returns:
            Whether it was taken, and the envelope that was dropped by the bound, if any: this one or the oldest.

        Raises:
            MailboxFull: the bound is reached and the policy is ``fail``, or ``block`` has waited long enough.
        """
        if self.room is not None:
            return self._put_within_bound(envelope, self.room, wait_until)
        return (False if self.is_closed else bool(self.offer(envelope))), None

    def offer(self, envelope: Envelope) -> bool | None:
        """Put a user's message if there is room; True if taken, False if closed, None if there is none.

        It neither waits nor drops another one, whatever the policy says.
        """
        if self.room is not None:
            with self.room:
                return self.put_if_room(envelope)
        lane = self.user
        if lane is NO_LANE:
            lane = self.open_user()
        lane.append(envelope)
        return not self.is_closed or not self.take_back(envelope)

    def take_back(self, envelope: Envelope) -> bool:
        """Take out of the user lane what was put when it was closed; False if the closer has it, and sees to it."""
        return withdraw_from(self.user, envelope)

    def take_system(self) -> Signal | None:
        """Return and remove the next signal, or None."""
        older, lane = self.older, self.system
        if older is not None and (first := _popleft(older.system)) is not None:
            return first
        return _pop(lane) if lane else None  # also when closed: who takes it then refuses it

    def take_control(self) -> Envelope | None:
        """Return and remove the next control message, or None."""
        older, lane = self.older, self.control
        if older is not None and (first := _popleft(older.control)) is not None:
            return first
        return _pop(lane) if lane and not self.is_closed else None

    def take_user(self) -> Envelope | None:
        """Return and remove the next user message, or None."""
        lane = self.user
        if self.room is not None:
            if not lane or self.is_closed:
                return None
            with self.room:
                envelope: Envelope | None = lane.popleft() if lane else None
                self.room.notify()
            return envelope
        if self.older is not None or len(lane) > SHORT:
            self.settle()
        older = self.older
        if older is not None and (first := _popleft(older.user)) is not None:
            return first
        return _pop(lane) if lane and not self.is_closed else None

    def settle(self) -> None:
        """Move what waits in lanes that are long to where the first is taken quickly.

        Only who has the turn. With the lock held, so that the closer finds each envelope once. A sender may append
        meanwhile; one that then finds the mailbox closed may not find its envelope, and then the closer has it.
        """
        with _lanes:
            older = self.older
            if older is None:
                older = self.older = _Older()  # at once, since the closer is to find what is moved there
            # The garbage collector may run a finaliser while a lane is copied, and that may close the mailbox. None
            # runs between the look at that and the end of the move, as nothing is called and nothing made there.
            if (system := self.system) and len(system) > SHORT and not older.system:
                signals, copied = _copy(system)
                if not self.is_closed:
                    older.system = signals
                    del system[copied]
            if (control := self.control) and len(control) > SHORT and not older.control:
                envelopes, copied = _copy(control)
                if not self.is_closed:
                    older.control = envelopes
                    del control[copied]
            user = self.user
            if self.room is None and len(user) > SHORT and not older.user:
                envelopes, copied = _copy(user)
                if not self.is_closed:
                    older.user = envelopes
                    del user[copied]
            self.older = older if older.system or older.control or older.user else None

    def look_for(
        self, lane: Literal[0, 1], start: int, wanted: Callable[[Envelope], bool]
    ) -> tuple[Envelope | None, int]:
        """Return the first wanted envelope of the control (0) or user (1) lane, and where it lies; it stays there.

        Only the thread that has the turn. What lies before ``start`` was looked at before, and is not again: so a long
        lane is looked through once. A lane that drops its oldest moves meanwhile, and is looked through every time.

        Returns:
            The envelope, or None; and how much of the lane need not be looked at again.
        """
        older: Sequence[Envelope] = () if self.older is None else self.older.user if lane else self.older.control
        envelopes: Sequence[Envelope] = self.user if lane else self.control or ()
        at = 0 if lane and self.room is not None and self.room.overflow == "drop_old" else start
        while True:
            try:
                # Only the closer makes the older ones fewer meanwhile: what is passed over then is not to be handled.
                envelope = older[at] if at < len(older) else envelopes[at - len(older)]
            except IndexError:
                break
            if wanted(envelope):
                return envelope, at
            at += 1
        return None, at

    def newest(self) -> tuple[Envelope | None, Envelope | None]:
        """Return what came last in the control and in the user lane, if it is still there. Any thread."""
        older = self.older
        if older is None:
            return _last(self.control), _last(self.user)
        return _last(self.control) or _last(older.control), _last(self.user) or _last(older.user)

    def withdraw(self, envelope: Envelope) -> bool:
        """Take out an envelope that `look_for` has found; False if it is gone: dropped, or drained by the closer."""
        older = self.older
        if older is not None and (withdraw_from(older.control, envelope) or withdraw_from(older.user, envelope)):
            return True
        if self.control is not None and withdraw_from(self.control, envelope):
            return True
        if self.room is None:
            return self.user is not NO_LANE and withdraw_from(self.user, envelope)
        with self.room:
            self.room.notify()
            return withdraw_from(self.user, envelope)

    def close(self, *, in_turn: bool = False) -> tuple[list[Signal], list[Envelope]]:
        """Take nothing more, and return what was waiting: signals, and messages of the other lanes in order.

        Args:
            in_turn: whether it is who has the turn that closes: then nobody can be about to move a long lane.
        """
        if self.room is None:
            if in_turn:
                self.is_closed = True  # first; then look
                if self.control or self.user or self.system or self.older is not None:
                    return self._close()
                return [], []
            with _lanes:
                return self._close()
        with self.room, _lanes:  # the bound is of one lane only: the others may be long, and be about to be moved
            self.room.notify_all()
            return self._close()

    def _close(self) -> tuple[list[Signal], list[Envelope]]:
        self.is_closed = True
        older = self.older if self.older is not None else _Older()
        return [*_popped(older.system), *_drain(self.system)], [
            *_popped(older.control),
            *_drain(self.control),
            *_popped(older.user),
            *(_drain(self.user) if self.room is None else _popped(self.user)),
        ]

    def has_signals(self) -> bool:
        """Return whether the system lane has something."""
        return bool(self.system or (self.older is not None and self.older.system))

    def has_messages(self) -> bool:
        """Return whether the control or the user lane has something."""
        older = self.older
        return bool(self.control or self.user or (older is not None and (older.control or older.user)))

    def empty(self) -> bool:
        """Return whether nothing waits (pykka's inbox contract)."""
        return not (self.has_messages() or self.has_signals())

    def lengths(self) -> tuple[int, int, int]:
        """Return how many wait per lane: system, control, user."""
        system, control, older = len(self.system or ()), len(self.control or ()), self.older
        if older is None:
            return system, control, len(self.user)
        return system + len(older.system), control + len(older.control), len(self.user) + len(older.user)

    def oldest(self) -> list[Envelope]:
        """Return the first message of each lane that has one, the system's apart. Any thread."""
        older = self.older
        control: Any = self.control
        user: Any = self.user
        if older is not None:
            control, user = older.control or control, older.user or user
        found: list[Envelope] = []
        for lane in (control, user):
            try:
                if lane:
                    found.append(lane[0])
            except IndexError:  # taken in this moment
                continue
        return found

    def _closed_by_now(self) -> bool:
        # A call, because a type checker takes for granted that an attribute stays what it was two lines above.
        return self.is_closed

    def _open_system(self) -> list[Signal]:
        with _lanes:
            if self.system is None:
                self.system = []
            return self.system

    def open_control(self) -> list[Envelope]:
        """Return the control lane, made at the first call. Any thread."""
        with _lanes:
            if self.control is None:
                self.control = []
            return self.control

    def open_user(self) -> Any:
        """Return the user lane, made at the first call. Any thread."""
        with _lanes:
            if self.user is NO_LANE:
                self.user = []
            return self.user

    def _put_within_bound(self, envelope: Envelope, room: _Room, wait_until: WaitUntil) -> tuple[bool, Envelope | None]:
        with room:
            if self.is_closed:
                return False, None
            if envelope.message is STOP or self._has_room():
                self.user.append(envelope)
                return True, None
            if room.overflow == "drop_new":
                return True, envelope
            if room.overflow == "drop_old":
                oldest = next((waiting for waiting in self.user if waiting.message is not STOP), None)
                if oldest is None:  # nothing but stops wait: the message would come after them anyway
                    return True, envelope
                self.user.remove(oldest)
                self.user.append(envelope)
                return True, oldest
        if room.overflow == "block":
            attempt = _Attempt(self, envelope, room)
            if wait_until(attempt.look, attempt.block, room.block_s):
                return not attempt.is_refused, None
        raise MailboxFull(
            f"{room.capacity} messages wait, which is the bound; {type(envelope.message).__name__} was refused. "
            "Send less, or raise mailbox_capacity"
        )

    def put_if_room(self, envelope: Envelope) -> bool | None:
        """Put, with the bound's lock held: True if taken, False if closed, None if there is no room. For `_Attempt`."""
        if self.is_closed:
            return False
        if not self._has_room():
            return None
        self.user.append(envelope)
        return True

    def _has_room(self) -> bool:
        return self.room is None or len(self.user) < self.room.capacity


class _Attempt:
    """A sender that waits for room. Waiting is over when the message is in, or the mailbox is closed."""

    def __init__(self, mailbox: Mailbox, envelope: Envelope, room: threading.Condition) -> None:
        self._mailbox = mailbox
        self._envelope = envelope
        self._room = room
        self._outcome: bool | None = None

    @property
    def is_refused(self) -> bool:
        """Whether the mailbox was closed first."""
        return self._outcome is False

    def look(self) -> bool:
        """Put if that is possible now; return whether waiting is over."""
        with self._room:
            return self._try()

    def block(self, timeout_s: float | None) -> bool:
        """Sleep until waiting is over, or ``timeout_s`` seconds are."""
        with self._room:
            return self._room.wait_for(self._try, timeout_s)

    def _try(self) -> bool:
        if self._outcome is None:
            self._outcome = self._mailbox.put_if_room(self._envelope)
        return self._outcome is not None


def _pop(lane: list[T]) -> T | None:
    try:
        return lane.pop(0)
    except IndexError:
        return None


def _last(lane: Sequence[T] | None) -> T | None:
    try:
        return lane[-1] if lane else None
    except IndexError:
        return None


def _drain(lane: list[T] | None) -> list[T]:
    """Take all that waits, one by one: a turn on another thread may be taking the first, and each is taken once."""
    taken: list[T] = []
    if not lane:
        return taken
    if len(lane) <= _LONG:
        while (item := _pop(lane)) is not None:
            taken.append(item)
        return taken
    while lane:  # too many to take them from the front
        try:
            taken.append(lane.pop())
        except IndexError:
            break
    return taken[::-1]


def _copy(lane: list[T]) -> tuple[deque[T], slice]:
    """Return what waits in a lane, and which part of it that is: senders may go on to append.

    No slice of it: CPython 3.11 looks how long a list is, may then run a finaliser, and would read what is gone.
    """
    copy = deque(lane)
    return copy, slice(len(copy))


def _popleft(lane: deque[T]) -> T | None:
    try:
        return lane.popleft() if lane else None
    except IndexError:  # it is being closed
        return None


def _popped(lane: deque[T] | None) -> list[T]:
    taken: list[T] = []
    while lane:
        try:
            taken.append(lane.popleft())
        except IndexError:
            break
    return taken


def withdraw_from(lane: Any, item: object) -> bool:
    """Take ``item`` out of a lane again; False if somebody, the closer, has already taken it and sees to it."""
    try:
        lane.remove(item)
    except ValueError:
        return False
    return True
