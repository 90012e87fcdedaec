"""Actors that mind what becomes of others: watch, death pact, link, and the events of all. Needs no telephone."""

import logging
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from relay_actors import Actor, ActorFailed, ActorRef, ChildSpec, DeadLetter, Down, Restart, WatchedRestarted
from relay_actors.errors import ActorDead

logging.disable(logging.CRITICAL)  # the crashes are meant, and the log would show each of them

told: SimpleQueue[str] = SimpleQueue()


class Line(Actor):
    """Breaks at whatever it is told."""

    def on_receive(self, message: object) -> None:
        """Break."""
        raise OSError(f"the line broke at {message!r}")


class Exchange(Actor):
    """Has a line, and mends it once."""

    def on_start(self) -> None:
        """Start the line as a child."""
        self.line = self.spawn(Line, spec=ChildSpec(restart=Restart.TRANSIENT, max_restarts=1))

    def on_receive(self, message: object) -> ActorRef[Line] | None:
        """Give the line to who asks for it."""
        return self.line if message == "line" else None


# [watch]
class Monitor(Actor):
    """Tells what becomes of a line."""

    def __init__(self, line: ActorRef[Line]) -> None:
        super().__init__()
        self.line = line

    def on_start(self) -> None:
        """Be told of each restart, and of the end."""
        self.watch(self.line, on_restart=True)

    def on_receive(self, message: object) -> Any:
        """Take both kinds of news."""
        match message:
            case WatchedRestarted(incarnation=number, reason=reason):
                told.put(f"monitor: restarted, incarnation {number}, after {reason}")
            case Down(reason=reason):
                told.put(f"monitor: down, after {reason}")
            case _:
                return super().on_receive(message)
        return None
        # [/watch]


# [pact]
class Operator(Actor):
    """Is of no use without the line: it has nothing to say about its end, and so ends with it."""

    def __init__(self, line: ActorRef[Line]) -> None:
        super().__init__()
        self.line = line

    def on_start(self) -> None:
        """Bind itself to the line."""
        self.watch(self.line, death_pact=True)

    def on_failure(self, *about: Any) -> None:
        """Its own supervisor would restart it here, if it had one."""
        told.put(f"operator: failed with {type(about[1]).__name__}")
        # [/pact]


# [link]
class Interpreter(Actor):
    """Works in a pair: if one of the two fails, what the other says is worth nothing."""

    def on_receive(self, message: object) -> Any:
        """Be linked to the other one; or fail."""
        if isinstance(message, ActorRef):
            self.link(message)
            return None
        raise ValueError(f"what does {message!r} mean?")

    def on_failure(self, *about: Any) -> None:
        """Both come here."""
        told.put(f"interpreter: failed with {type(about[1]).__name__}")
        # [/link]


# [events]
class Reporter(Actor):
    """Hears of every failure and every lost message of the system."""

    def on_start(self) -> None:
        """Subscribe; a restart does so again."""
        self.system.events.subscribe(self.actor_ref, ActorFailed, DeadLetter)

    def on_receive(self, message: object) -> Any:
        """Take them as messages, one at a time."""
        match message:
            case ActorFailed(ref=ref, reason=reason):
                told.put(f"reporter: {ref.actor_class.__name__} failed: {reason.kind}")
            case DeadLetter(message=lost, recipient=who, reason=why):
                told.put(f"reporter: {lost!r} for {who} is lost: {why}")
            case _:
                return super().on_receive(message)
        return None
        # [/events]


def main() -> None:
    """Break a line twice, fail one of two interpreters, and send to the dead."""
    line = Exchange.start().ask("line", timeout=5)
    for ref in (Reporter.start(), Monitor.start(line), Operator.start(line)):
        ref.ask("have you started?", timeout=5)
    line.tell("first")
    line.tell("second")

    one, other = Interpreter.start(), Interpreter.start()
    one.ask(other, timeout=5)
    other.tell("gibberish")
    for _ in range(10):
        print(told.get(timeout=5))
    with suppress(ActorDead):  # or it is just about to end; lost is the message in any case
        one.tell("hello?")
    print(told.get(timeout=5))


if __name__ == "__main__":
    main()
