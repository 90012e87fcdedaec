"""A caller of the demo at work: a thread with a telephone, that lives through a story. Layer: door.

A story that does not go as told is reported, not raised: the others go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from relay_actors.simulator.lines import Line, StoryError
from relay_actors.simulator.phones import Phone
from relay_actors.simulator.simulator import Simulator

__all__ = ["Caller", "Part", "Stage"]


class Stage:
    """What all callers share.

    Args:
        simulator: whose phones they use.
        pace: how long a simulated second is.
        patience_s: how long anybody waits for anything, in real seconds.
    """

    def __init__(self, simulator: Simulator, *, pace: float, patience_s: float) -> None:
        self.simulator = simulator
        self.pace = pace
        self.patience_s = patience_s
        self.is_cut = threading.Event()
        """The socket is down from now on."""
        self.is_back = threading.Event()
        """The application has come back after the cut."""
        self.is_over = threading.Event()
        """Everybody stops: the demo was interrupted."""
        self._ready: dict[str, threading.Event] = {}

    def ready(self, name: str) -> threading.Event:
        """Return the event by which a part tells that it is where the cut is to find it."""
        return self._ready.setdefault(name, threading.Event())


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller, as the seed has it.

    Attributes:
        name: for people who watch.
        number: of the phone; ``anonymous`` withholds it.
        part: which story it is.
        arrives_at_s: simulated seconds after the beginning.
        seed: of all that this caller chooses on the way.
    """

    name: str
    number: str
    part: str
    arrives_at_s: float
    seed: str


class Part:
    """A caller at work: lives through the story in a thread of its own, and remembers how it went.

    Args:
        caller: who it is.
        stage: what is shared with the others.
        story: what happens; it is given this part, and tells it with the methods below.

    Attributes:
        caller: who it is.
        phone: the caller's.
        is_told: whether the story has come to its end as told.
        failure: what went otherwise; "" if nothing did.
    """

    def __init__(self, caller: Caller, stage: Stage, story: Callable[[Part], None]) -> None:
        self.caller = caller
        self.stage = stage
        self._story = story
        self.phone: Phone = stage.simulator.phone(caller.number)
        self.is_told = False
        self.failure = ""
        self._reacted_to = 0
        self.random = Random(caller.seed)
        self._thread = threading.Thread(target=self._play, name=f"caller {caller.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the story is over."""
        self._thread.join()

    def _play(self) -> None:
        try:
            self.waits(self.caller.arrives_at_s)
            self._story(self)
            self.is_told = True
        except StoryError as error:
            self.failure = str(error)
        except _Interrupted:
            self.failure = "interrupted"

    # -- what stories are told with ------------------------------------------------------------------------------------

    @property
    def line(self) -> Line:
        """The caller's latest line."""
        return self.phone.line

    def waits(self, simulated_s: float) -> None:
        """Let time pass."""
        if self.stage.is_over.wait(simulated_s * self.stage.pace):
            raise _Interrupted

    def awaits(self, event: threading.Event, what: str) -> None:
        """Wait for something that is not on the line."""
        if not event.wait(self.stage.patience_s):
            raise StoryError(f"{self.caller.name} waited in vain: {what}")

    def dials(self, context: str) -> None:
        """Call an application."""
        self.phone.dials(context=context)
        self._reacted_to = 0

    def hears(self, what: str) -> None:
        """Wait for something to be heard."""
        self.line.hears(what, self.stage.patience_s)

    def presses(self, keys: str, *, thinks_s: float | None = None) -> None:
        """Press keys, after a moment of thought (simulated seconds)."""
        self.waits(self.random.uniform(0.5, 4.0) if thinks_s is None else thinks_s)
        self._acts()
        self.line.presses(keys)

    def follows(self, reactions: Mapping[str, Callable[[], object]], *, until: str = "") -> None:
        """React to what is heard, as often as it is heard: a prompt may come again.

        Args:
            reactions: what to do, by part of a prompt. What is heard meanwhile is not reacted to any more.
            until: part of the prompt with which it is enough; else when the call has ended.

        Raises:
            StoryError: the call ended before, or nothing more was heard for too long.
        """
        begun_at = self._reacted_to
        while True:
            line, known = self.line, self._reacted_to
            self.stage.simulator.wait_until(
                lambda line=line, known=known: len(line.heard) > known or line.is_over,  # type: ignore[misc]  # bound early
                self.stage.patience_s,
            )
            heard = [str(sound).casefold() for sound in line.heard]
            if until and any(until in sound for sound in heard[begun_at:]):
                return
            if len(heard) == known:
                if line.is_over and not until:
                    return
                wanted = f"waiting for {until!r}" if until else "waiting to be hung up"
                raise StoryError(f"{self.caller.name} has heard enough, {wanted}\n{line.story()}")
            self._reacted_to = len(heard)
            for part, react in reactions.items():
                if part in heard[-1]:
                    react()

    def _acts(self) -> None:
        """What was heard up to now is answered by what follows, and by nothing more."""
        self._reacted_to = len(self.line.heard)

    def says(self, words: str) -> None:
        """Say something."""
        self._acts()
        self.line.says(words)

    def talks_to(self, number: str) -> None:
        """Wait until somebody else is on the line, and can hear."""
        self.line.talks_to(self.stage.simulator.phone(number), self.stage.patience_s)

    def is_hung_up(self) -> None:
        """Wait until the other side has hung up."""
        self.line.is_hung_up(self.stage.patience_s)


class _Interrupted(Exception):  # noqa: N818  # no error
    """The demo is stopped."""
