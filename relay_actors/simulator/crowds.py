"""Many telephones that live the same story at once. Layer: simulator.

::

    crowd = sim.many(200).dials(context="support")
    crowd.hears("press 1").presses("1").is_hung_up()
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import overload

from relay_actors.errors import ConfigError
from relay_actors.simulator.lines import StoryError
from relay_actors.simulator.near_words import NearWords
from relay_actors.simulator.phones import Phone
from relay_actors.simulator.world import World

__all__ = ["FIRST", "Crowd", "numbers_from"]

FIRST = "+15550100000"
"""The number of the first one, if nobody says otherwise."""


class Crowd(NearWords, Sequence[Phone]):
    """Telephones of which each does and expects the same: what `Phone` has, for all of them.

    Each verb is done by everybody, also when some of them fail, and then tells how many failed, and the story of the
    first. Whoever waits does so at the same time as the others: ``within`` (seconds of the clock; the simulator's
    `patience_s` if None) is for all of them together. What has no verb here is done with `each`.

    It is a sequence of phones: ``crowd[0]`` is the first one, ``crowd[:100]`` a smaller crowd.

    Args:
        world: how late it is.
        phones: who is in it.
    """

    def __init__(self, world: World, phones: Sequence[Phone]) -> None:
        self._world = world
        self._phones = tuple(phones)

    @overload
    def __getitem__(self, place: int) -> Phone: ...
    @overload
    def __getitem__(self, place: slice) -> Crowd: ...
    def __getitem__(self, place: int | slice) -> Phone | Crowd:
        if isinstance(place, slice):
            return Crowd(self._world, self._phones[place])
        return self._phones[place]

    def __len__(self) -> int:
        return len(self._phones)

    def each(self, act: Callable[[Phone], object], *, told_as: str = "") -> Crowd:
        """Let everybody do this, one after the other: ``crowd.each(lambda phone: phone.is_in_queue("sales"))``.

        Args:
            act: gets each phone in turn.
            told_as: what it is called when it fails.

        Raises:
            StoryError: one of them could not, or more.
        """
        failures: list[StoryError] = []
        for phone in self._phones:
            try:
                act(phone)
            except StoryError as failure:
                failures.append(failure)
        if failures:
            what = f" ({told_as})" if told_as else ""
            raise StoryError(f"{len(failures)} of {len(self)} phones failed{what}; the first:\n{failures[0]}")
        return self

    # What everybody does.

    def dials(self, *, context: str | None = None, to: str | None = None) -> Crowd:
        """Do `Phone.dials` with each."""
        return self.each(lambda phone: phone.dials(context=context, to=to), told_as="dials")

    def answers(self) -> Crowd:
        """Do `Phone.answers` with each."""
        return self.each(lambda phone: phone.answers(), told_as="answers")

    def presses(self, digits: str) -> Crowd:
        """Do `Phone.presses` with each."""
        return self.each(lambda phone: phone.presses(digits), told_as=f"presses {digits!r}")

    def says(self, words: str) -> Crowd:
        """Do `Phone.says` with each."""
        return self.each(lambda phone: phone.says(words), told_as=f"says {words!r}")

    def hangs_up(self) -> Crowd:
        """Do `Phone.hangs_up` with each."""
        return self.each(lambda phone: phone.hangs_up(), told_as="hangs up")

    def texts(self, body: str, *, to: str | None = None, context: str | None = None) -> Crowd:
        """Do `Phone.texts` with each."""
        return self.each(lambda phone: phone.texts(body, to=to, context=context), told_as="texts")

    # What everybody waits for.

    def rings(self, within: float | None = None) -> Crowd:
        """Do `Phone.rings` with each."""
        return self._await("rings", within, lambda phone, left_s: phone.rings(left_s))

    def is_connected(self, within: float | None = None) -> Crowd:
        """Do `Phone.is_connected` with each."""
        return self._await("is connected", within, lambda phone, left_s: phone.is_connected(left_s))

    def is_asked(self, within: float | None = None) -> Crowd:
        """Do `Phone.is_asked` with each."""
        return self._await("is asked", within, lambda phone, left_s: phone.is_asked(left_s))

    def hears(self, what: str, within: float | None = None) -> Crowd:
        """Do `Phone.hears` with each."""
        return self._await(f"hears {what!r}", within, lambda phone, left_s: phone.hears(what, left_s))

    def is_transferred(self, to: str, within: float | None = None) -> Crowd:
        """Do `Phone.is_transferred` with each."""
        return self._await(f"is transferred to {to}", within, lambda phone, left_s: phone.is_transferred(to, left_s))

    def is_hung_up(self, within: float | None = None) -> Crowd:
        """Do `Phone.is_hung_up` with each."""
        return self._await("is hung up", within, lambda phone, left_s: phone.is_hung_up(left_s))

    def receives_text(self, what: str = "", within: float | None = None) -> Crowd:
        """Do `Phone.receives_text` with each."""
        return self._await(f"receives text {what!r}", within, lambda phone, left_s: phone.receives_text(what, left_s))

    def _await(self, what: str, within: float | None, act: Callable[[Phone, float], object]) -> Crowd:
        """Let everybody wait until the same moment: two hundred who wait in vain are not waited for one by one."""
        patience_s = self._world.patience(within)
        until = self._world.now() + patience_s

        def wait(phone: Phone) -> None:
            # To a hundredth, because it is read in the story of whoever waits in vain.
            act(phone, max(0.0, round(until - self._world.now(), 2)))

        return self.each(wait, told_as=f"{what} within {patience_s:g} s")


def numbers_from(first: object, count: object) -> list[str]:
    """Return so many numbers, one after the other.

    Raises:
        ConfigError: there is no such crowd.
    """
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise ConfigError(f"many({count!r}): give a whole number of phones, 1 or more")
    parts = re.fullmatch(r"(\+?)(\d+)", first) if isinstance(first, str) else None
    if parts is None:
        raise ConfigError(f'many(…, first={first!r}): give the first number as text, "{FIRST}"')
    plus, digits = parts.groups()
    return [f"{plus}{int(digits) + place:0{len(digits)}d}" for place in range(count)]
