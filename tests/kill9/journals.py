"""Journals as the simulator would write them, when all goes as it should: for tests, which then spoil them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tests.kill9.cast import Person
from tests.kill9.scripts import say

__all__ = ["Records", "good_journal", "good_story"]

Records = list[dict[str, Any]]


def good_journal(cast: Iterable[Person]) -> Records:
    """Return the records of a run in which nothing goes wrong."""
    people = list(cast)
    records = [{"at": 0.0, "what": "planned", "person": person.to_record()} for person in people]
    for person in people:
        records += good_story(person)
    return [*records, {"at": 99.0, "what": "over", "up": [], "legs": 0, "failures": [], "violations": 0}]


def good_story(person: Person) -> Records:
    """Return what happens on one telephone."""
    return [
        {"at": 1.0, "number": person.number, "line": 0, "call": f"call-{person.label}", **rest}
        for rest in _story(person)
    ]


def _story(person: Person) -> Iterator[dict[str, Any]]:
    yield {"what": "changed", "text": "answered"}
    told, heard = "", []
    for step in person.steps:
        text = say(step, person.label, told)
        heard.append((text, 5.0, 5.0))
        yield {"what": "heard", "kind": "tts", "text": text}
        told = person.keys.get(step, "") or person.words.get(step, "")
        for digit in person.keys.get(step, ""):
            yield {"what": "pressed", "digit": digit, "taken": True}
        if words := person.words.get(step):
            yield {"what": "said", "words": words, "taken": True}
    for words in person.hears:
        yield {"what": "heard", "kind": "voice", "text": words}
    for _ in range(person.recordings):
        yield {"what": "heard", "kind": "beep", "text": ""}
    by = "person" if person.hangs_up else "other side"
    yield {"what": "ended", "reason": "hangup", "by": by, "heard": heard}
