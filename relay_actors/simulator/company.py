"""With whom a person is, and where: what a `Line` waits for when calls meet. Layer: simulator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self, TypeVar

from relay_actors.simulator.calls import Call
from relay_actors.simulator.conference import Participation
from relay_actors.simulator.near_words import NearWords
from relay_actors.simulator.queues import Place
from relay_actors.simulator.rooms import Stay
from relay_actors.simulator.world import World

__all__ = ["InCompany"]

RunningT = TypeVar("RunningT")


class InCompany(NearWords, ABC):
    """What can be asked of a line about others: who hears its person, and where that is."""

    _call: Call
    _world: World

    @abstractmethod
    def _expect(self, is_so: Callable[[], bool], complaint: str, within: float | None) -> None:
        """Wait until ``is_so()``, which is called with the lock held, or complain."""

    @property
    def is_on_hold(self) -> bool:
        """Whether the person hears music and nobody else: ``calling.hold``, or a moderator's."""
        with self._world.look():
            return self._call.is_on_hold or any(part.is_on_hold for part in _all(self._call, Participation))

    @property
    def is_denoised(self) -> bool:
        """Whether background noise is taken out of what the person says: ``calling.denoise``."""
        return self._call.is_denoised

    def talks_to(self, other: object, within: float | None = None) -> Self:
        """Wait until this person and ``other`` (a phone or a line) can hear each other: connected, or in company.

        Who is on hold, muted, or waiting for a conference to start, talks to nobody.

        Raises:
            StoryError: they could not in time.
        """
        number = str(getattr(other, "number", other))

        def is_joined() -> bool:
            return any(leg.own_number == number and self._call in leg.heard_by for leg in self._call.heard_by)

        self._expect(is_joined, f"does not talk to {number}", within)
        return self

    def is_in_conference(self, name: str, within: float | None = None) -> Self:
        """Wait until the person is in the conference ``name``, started or not.

        Raises:
            StoryError: they were not in time.
        """

        def is_in() -> bool:
            return any(part.conference.name == name for part in _all(self._call, Participation))

        self._expect(is_in, f"is not in conference {name}", within)
        return self

    def is_in_room(self, name: str, within: float | None = None) -> Self:
        """Wait until the person is in the room ``name``.

        Raises:
            StoryError: they were not in time.
        """

        def is_in() -> bool:
            return any(stay.room.name == name for stay in _all(self._call, Stay))

        self._expect(is_in, f"is not in room {name}", within)
        return self

    def is_in_queue(self, name: str, position: int | None = None, within: float | None = None) -> Self:
        """Wait until the person waits in the queue ``name``; at ``position`` (1 is next), if it is given.

        Raises:
            StoryError: they did not in time.
        """

        def is_in() -> bool:
            places = [place for place in _all(self._call, Place) if place.queue.name == name]
            return any(position in (None, place.position) for place in places)

        where = f"in queue {name}" + ("" if position is None else f" at position {position}")
        self._expect(is_in, f"is not {where}", within)
        return self


def _all(call: Call, kind: type[RunningT]) -> list[RunningT]:
    """Return what runs on a leg, as far as it is of one kind."""
    return [running for running in call.running.values() if isinstance(running, kind)]
