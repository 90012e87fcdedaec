"""What the kits for one call's and for one text's actor have in common. Layer: door.

Everything is the framework's own: the application, its connection, the wire. Only at the far end, in place of a server,
stands a script. All of it runs on the thread of the test, from one seed, in virtual time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar, cast

from relay_actors.actors.call_ref import CallRef
from relay_actors.app import RelayApp
from relay_actors.config import Limits, Timing
from relay_actors.errors import ConfigError
from relay_actors.protocol import checks
from relay_actors.protocol.commands import RelayCommand
from relay_actors.protocol.events import RelayEvent
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef, cell_of
from relay_actors.runtime.clock import Random
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.reasons import ActorFailed, ActorStarted
from relay_actors.runtime.residue import residue_of
from relay_actors.runtime.system import System
from relay_actors.simulator.replies import accepted, refused
from relay_actors.testing.environment import bare_environment
from relay_actors.testing.expecting import Expecting, shown
from relay_actors.testing.lab import MOST_AT_ONCE, discard
from relay_actors.testing.probe import TestProbe
from relay_actors.testing.scripted_wire import ScriptedWire

__all__ = ["CALLER", "OURS", "ActorKit"]

A = TypeVar("A", bound=Actor)

CALLER: Final = "+15550001111"
"""Who calls or texts, unless a test says it."""

OURS: Final = "+15559990000"
"""Who is called or texted."""

SETTLES_S: Final = 60.0
"""Virtual seconds in which what has been told that its call is over ends; longer than any call's actor lingers."""


class ActorKit(Expecting, Generic[A]):
    """What `CallKit` and `TextKit` have in common. It is a stream of commands: `expect` and `fish` read them.

    Attributes:
        app: the application around the actor: it may be given services before the actor begins.
        system: its actors, for a `TestProbe`.
        commands: every command so far, oldest first, looked at or not.
        wire: the far end.
    """

    _what = "command"

    def __init__(self, actor_class: type[A], *, seed: int, timing: Timing | None, limits: Limits | None) -> None:
        dispatcher = DeterministicDispatcher(Random(seed), most_at_once=lambda: MOST_AT_ONCE)
        super().__init__(dispatcher)
        self._dispatcher = dispatcher
        self._actor_class = actor_class
        self.system = System(dispatcher=dispatcher, random=Random(seed + 1), name="kit")
        self.commands: list[RelayCommand] = []
        self.wire = ScriptedWire(dispatcher, self.system.new_id, self._sent)
        self.app = RelayApp("test-project", "test-token", host="relay.example.com", timing=timing, limits=limits)
        self._news: TestProbe | None = None
        self._crashes_seen = 0

    def __repr__(self) -> str:
        if not hasattr(self, "commands"):  # in the report of a test that gave it the wrong class
            return f"<{type(self).__name__}>"
        return f"<{type(self).__name__} of {self._actor_class.__name__}: {len(self.commands)} commands>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        left = self._close()
        if error is not None:
            return
        if left:
            raise AssertionError("\n".join([f"of {self._actor_class.__name__} something was left over:", *left]))
        if unseen := self._crashes()[self._crashes_seen :]:
            raise AssertionError(
                f"{self._actor_class.__name__} has raised {shown(unseen[0])}, and the test has not looked at crashes"
            ) from unseen[0]

    def close(self) -> None:
        """End the call, if it is up, and the application. Idempotent; ``with`` does it.

        Raises:
            AssertionError: something of the actor is left over then, or it has crashed unnoticed.
        """
        self.__exit__(None, None, None)

    # -- what the server answers -------------------------------------------------------------------------------------

    def rejects_next(self, command: object, code: str = "500", message: str = "refused by the test") -> None:
        """Refuse the next command that is what ``command`` says; whatever nothing is said of is accepted.

        Args:
            command: a class of commands (``Play``), a function that accepts one, or a command that it must equal.
            code: the server's, such as ``404``.
            message: the server's.

        Raises:
            ConfigError: no command is like that.
        """
        self.wire.answers_next(_of_commands(command), refused(code, message))

    def accepts_next(self, command: object, **facts: object) -> None:
        """Accept the next such command, with more in the answer than usual, for example the ``url`` of a recording."""
        self.wire.answers_next(_of_commands(command), accepted("Accepted", **facts))

    def leaves_unanswered(self, command: object) -> None:
        """Never answer the next such command."""
        self.wire.answers_next(_of_commands(command), None)

    # -- what happens ------------------------------------------------------------------------------------------------

    def tells(self, message: object) -> None:
        """Have somebody else tell the actor something, and let everything happen that follows at once."""
        self.ref.tell(message)
        self.settle()

    def advance(self, seconds: float) -> None:
        """Let so much virtual time pass, and everything happen in it.

        Raises:
            ConfigError: it is no number of seconds, or time would go back.
        """
        if not checks.is_number(seconds) or seconds < 0:
            raise ConfigError(f"advance({seconds!r}): give a number of seconds; time only goes on")
        self._dispatcher.advance(seconds)

    def settle(self) -> None:
        """Let everything happen that can happen at this moment. What tells the actor something does it by itself."""
        self._dispatcher.settle()

    # -- what it does ------------------------------------------------------------------------------------------------

    def _expect(self, matcher: object, deadline: float) -> Any:
        __tracebackhide__ = True
        return super()._expect(_of_commands(matcher), deadline)

    def expect_no_command(self, for_s: float | None = None) -> None:
        """Let ``for_s`` virtual seconds pass, 0.1 by default, in which no command is sent.

        Raises:
            AssertionError: one is, or was and has not been looked at.
        """
        __tracebackhide__ = True
        self._expect_nothing(for_s)

    @property
    def ref(self) -> ActorRef[Any]:
        """The actor under test.

        Raises:
            ConfigError: it was given nothing to do yet.
        """
        for event in self._news.waiting if self._news is not None else ():
            if issubclass(event.ref.actor_class, self._actor_class):
                return cast("ActorRef[Any]", event.ref)
        raise ConfigError(f"no {self._actor_class.__name__} has begun yet: say first what arrives")

    @property
    def crashes(self) -> list[BaseException | None]:
        """What its handlers have raised so far, in order; it may have been restarted since.

        A crash at which no test looks here makes the end of the block fail.
        """
        crashes = self._crashes()
        self._crashes_seen = len(crashes)
        return crashes

    @property
    def timers(self) -> dict[Hashable, float]:
        """From the key of each timer that it has started, and that is pending, to the seconds until it is due."""
        now = self._clock.now()
        return {key: due - now for key, due in cell_of(self.ref).timers.pending().items()}

    @property
    def has_stopped(self) -> bool:
        """Whether the actor has ended."""
        return not self.ref.is_alive()

    # -- its life ----------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._news is not None:
            raise ConfigError(f"one {self._actor_class.__name__} is tested by this kit: make another kit for the next")
        with bare_environment():
            self.app.start(
                wait_s=10.0, system=self.system, connector=self.wire.connector, jwt_token="", scheme="wss", ca_file=""
            )
        self._news = TestProbe(self.system)
        self.system.events.subscribe(self._news.ref, ActorStarted, ActorFailed)

    def _until(self, is_so: Callable[[], object], within_s: float) -> bool:
        """Let everything happen until that is so; return whether it is."""
        return self._dispatcher.wait_until(lambda: bool(is_so()), _never, within_s)

    def _end(self) -> list[str]:
        """Let all calls be over, and then what is under test; return what is not. For subclasses to extend."""
        for leg in [cell.ref.kept.leg for cell in self.system.living if isinstance(cell.ref, CallRef)]:
            if leg.call_id and not leg.is_ended:
                params = {**leg.ids, "tag": leg.tag, "call_state": "ended", "end_reason": "hangup"}
                self.wire.tells({"event_type": "calling.call.state", "params": params})
        self.settle()
        has_stopped = self._until(lambda: self.has_stopped, SETTLES_S)
        return [] if has_stopped else [f"{self.ref} has not ended within {SETTLES_S:g} s"]

    def _crashes(self) -> list[BaseException | None]:
        news = self._news.waiting if self._news is not None else []
        return [event.reason.cause for event in news if isinstance(event, ActorFailed) and event.ref == self.ref]

    def _close(self) -> list[str]:
        if self._dispatcher.is_stuck:  # of that the test was told where it waited; a stop would never end
            self.app.abandon()
            discard(self.system)
            return []
        left = self._end() if self._news is not None and self.app.is_running else []
        is_clean = self.app.stop()
        left += residue_of(self.system).values()
        return left if is_clean or left else ["it was killed when the application stopped"]

    def _sent(self, command: RelayCommand) -> None:
        self.commands.append(command)
        self._inbox.put((command, None))

    def _hints(self) -> str:
        lines = [f"\nthe actor has raised {shown(crash)}" for crash in self._crashes()]
        lines += [f"\nthe server could not read: {why}" for why in self.wire.nonsense]
        return "".join(lines)


def _never(_timeout: float | None) -> bool:
    raise AssertionError("a deterministic dispatcher never blocks")


def _of_commands(matcher: object) -> object:
    """Return what may accept a command, as it is given."""
    if isinstance(matcher, str):
        raise ConfigError(f"{matcher!r} is text, which no command equals: give a class of commands, such as Play")
    if isinstance(matcher, type) and issubclass(matcher, RelayEvent):
        raise ConfigError(
            f"{matcher.__name__} is an event, which no actor sends: give a class of commands, such as Play"
        )
    return matcher
