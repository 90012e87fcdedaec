"""What is printed of a verdict: the table, and of each call to which a promise was not kept its whole story. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.kill9.judge import Verdict
from tests.kill9.scripts import label_of

__all__ = ["faults_of", "table", "timeline", "worth_telling"]

MOST_STORIES = 5
MOST_FAULTS = 40
_MOMENTS = ("heard", "pressed", "said", "changed", "ended")


def table(verdict: Verdict) -> Iterator[str]:
    """Give the lines of the table."""
    for number, states in enumerate(verdict.kills, start=1):
        what = ", ".join(f"{count} {state}" for state, count in sorted(states.items(), key=lambda item: -item[1]))
        yield f"killed for the {number}. time with {sum(states.values())} legs up: {what or 'none'}"
    width = max(len(figure.name) for figure in verdict.figures)
    yield f"{'':{width}}  counted  expected"
    for figure in verdict.figures:
        expected = "" if figure.expected is None else f"{figure.expected:8d}  {'ok' if figure.is_right else 'WRONG'}"
        yield f"{figure.name:{width}}  {figure.counted:7d}  {expected}".rstrip()


def faults_of(verdict: Verdict) -> Iterator[str]:
    """Give a line for each fault, as far as there are not too many."""
    for fault in verdict.faults[:MOST_FAULTS]:
        yield f"call {fault.label}: {fault.what}: {fault.why}"
    if len(verdict.faults) > MOST_FAULTS:
        yield f"and {len(verdict.faults) - MOST_FAULTS} more"


def timeline(records: Iterable[Mapping[str, Any]], label: str) -> Iterator[str]:
    """Give the story of one person's calls: what was heard and done, and what went over the wire."""
    calls: set[str] = set()
    for record in records:
        what = record["what"]
        if what in _MOMENTS and label_of(record["number"]) == label:
            calls.add(record["call"])
        elif what == "killed":
            yield f"{record['at']:9.3f}  -- the application was killed"
            continue
        elif what not in ("sent", "received") or record["params"].get("call_id") not in calls:
            continue
        yield f"{record['at']:9.3f}  {_told(record)}"


def worth_telling(verdict: Verdict) -> list[str]:
    """Return whose stories are worth telling: for each kind of fault the first one who has it."""
    chosen: dict[str, None] = {}
    kinds: set[str] = set()
    for fault in verdict.faults:
        if fault.what not in kinds:
            kinds.add(fault.what)
            chosen[fault.label] = None
    return list(chosen)[:MOST_STORIES]


def _told(record: Mapping[str, Any]) -> str:
    hidden = ("at", "what", "number", "line", "call", "params", "id")
    rest = {key: value for key, value in record.items() if key not in hidden}
    match record["what"]:
        case "received":
            return f">> {rest.pop('method')} {_short(record['params'])}"
        case "sent":
            return f"<< {rest.pop('event')} {_short(record['params'])}"
        case "changed":
            return f"   {record['text']}"
        case what:
            return f"   {what} {json.dumps(rest)}"


def _short(params: Mapping[str, Any]) -> str:
    kept = {key: value for key, value in params.items() if key not in ("call_id", "node_id", "device", "segment_id")}
    text = json.dumps(kept)
    return text if len(text) <= 160 else f"{text[:160]}…"
