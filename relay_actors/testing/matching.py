"""Compares what an application sends with what it sent when it was recorded. Layer: door; pure.

Commands are compared call by call, in their order; those that belong to no call, dials and texts, in any order. What
the application chooses anew in each run, control ids and tags, is bound to the recorded name when it is first seen, and
has to stay the same from then on. Times are not compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from relay_actors.testing.naming import NAME, chosen_here, with_texts
from relay_actors.testing.said import COMMAND, Said

__all__ = ["Change", "Matching", "lane_of"]

_NOTHING: Final = object()
_Place: TypeAlias = tuple[Any, ...]
"""The keys and numbers that lead to a value."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value of a command that is another one than was recorded.

    Attributes:
        path: where, for example ``play.0.params.text``.
        was: as recorded, written as JSON; empty if it was not there.
        now: as sent, likewise.
    """

    path: str
    was: str
    now: str

    def __str__(self) -> str:
        if not self.was:
            return f"{self.path} is {self.now}, and was not there"
        return f"{self.path} is {self.now}, and was {self.was}" if self.now else f"{self.path} is missing: {self.was}"


class Matching:
    """Finds the recorded command for each one that is sent.

    Args:
        said: the recording.

    Attributes:
        matched: the numbers of the recorded commands that were sent, in the order in which they were.
    """

    def __init__(self, said: Sequence[Said]) -> None:
        self.matched: list[int] = []
        self._commands = {one.number: one for one in said if one.kind == COMMAND}
        self._chosen = chosen_here(said)
        self._bound: dict[str, str] = {}

    def take(self, method: str, params: Mapping[str, Any], shown: Mapping[str, Any]) -> tuple[int, list[Change]] | None:
        """Return the number of the recorded command that this one is, and what has changed; None if there is none.

        Args:
            method: of the command.
            params: redacted like the recording.
            shown: the same params, as they are shown to people.
        """
        lane = lane_of(method, params)
        newest = max((number for number in self.matched if self.lane(number) == lane), default=0)
        open_ones = [
            one
            for number, one in self._commands.items()
            if one.name == method and number not in self.matched and self.lane(number) == lane
        ]
        # What comes next is likelier than what was left out before.
        open_ones.sort(key=lambda one: (one.number < newest, one.number))
        best: tuple[Said, list[_Place], dict[str, str]] | None = None
        for one in open_ones:
            bound = dict(self._bound)
            places = list(self._changed(one.body, params, (), bound))
            if best is None or not places:
                best = one, places, bound
            if not places:
                break
        if best is None:
            return None
        one, places, self._bound = best
        self.matched.append(one.number)
        return one.number, [
            Change(".".join(map(str, place)), _written(_at(one.body, place)), _written(_at(shown, place)))
            for place in places
        ]

    def lane(self, number: int) -> str:
        """Return to which call a recorded command belongs, see `lane_of`."""
        return lane_of(self._commands[number].name, self._commands[number].body)

    def is_passed(self, number: int) -> bool:
        """Return whether the call of a recorded command has gone on without it."""
        lane = self.lane(number)
        is_of_call = lane != self._commands[number].name
        return is_of_call and any(other > number for other in self.matched if self.lane(other) == lane)

    def is_complete(self, lane: str) -> bool:
        """Return whether all that a call has sent then was sent."""
        return all(number in self.matched for number in self._commands if self.lane(number) == lane)

    def to_live(self, value: Mapping[str, Any]) -> Any:
        """Return what was recorded with the ids of this run."""
        return with_texts(value, lambda _key, text: NAME.sub(lambda hit: self._bound.get(hit[0], hit[0]), text))

    def to_recorded(self, value: Mapping[str, Any]) -> Any:
        """Return what this run has sent with the ids of the recording."""
        names = {live: name for name, live in self._bound.items()}
        return with_texts(value, lambda _key, text: names.get(text, text))

    def not_chosen_yet(self, value: Mapping[str, Any]) -> str | None:
        """Return an id in ``value`` that the application has not chosen in this run; None if there is none."""
        found: list[str] = []

        def look(_key: str, text: str) -> str:
            found.extend(hit[0] for hit in NAME.finditer(text))
            return text

        with_texts(value, look)
        return next((name for name in found if name in self._chosen and name not in self._bound), None)

    def _changed(self, was: object, now: object, place: _Place, bound: dict[str, str]) -> Iterator[_Place]:
        match was, now:
            case dict(), dict():
                for key in dict.fromkeys([*was, *now]):
                    yield from self._changed(was.get(key, _NOTHING), now.get(key, _NOTHING), (*place, key), bound)
            case list(), list() if len(was) == len(now):
                for number, (one, other) in enumerate(zip(was, now, strict=True)):
                    yield from self._changed(one, other, (*place, number), bound)
            case str(), str() if self._is_same_text(was, now, bound):
                return
            case _ if was != now:
                yield place

    def _is_same_text(self, was: str, now: str, bound: dict[str, str]) -> bool:
        if was in self._chosen and was not in bound:
            bound[was] = now
        return NAME.sub(lambda hit: bound.get(hit[0], hit[0]), was) == now


def lane_of(method: str, params: Mapping[str, Any]) -> str:
    """Return the call that a command belongs to; its method if it belongs to none."""
    call_id = params.get("call_id")
    return call_id if isinstance(call_id, str) and call_id else method


def _at(value: Any, place: _Place) -> object:
    for key in place:
        if isinstance(value, dict):
            value = value.get(key, _NOTHING)
        else:
            value = value[key] if isinstance(value, list) and key < len(value) else _NOTHING
    return value


def _written(value: object) -> str:
    return "" if value is _NOTHING else json.dumps(value, ensure_ascii=False)
