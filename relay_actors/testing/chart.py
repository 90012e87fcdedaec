"""Draws what server and application have said to each other as a sequence chart, for people. Layer: door; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from relay_actors.testing.said import ANSWER, COMMAND, EVENT, Said

__all__ = ["Row", "chart", "in_words"]

_BEFORE: Final = 8
_AFTER: Final = 5
_SERVER_CHARS: Final = 58
_DETAIL_CHARS: Final = 60
_VALUE_CHARS: Final = 40

_NOT_TOLD: Final = frozenset(
    {
        "answer_time", "call_id", "code", "confidence", "context", "created_by", "end_time", "message", "node_id",
        "segment_id", "start_time", "type",
    }
)  # fmt: skip
_AS_THEY_ARE: Final = frozenset(
    {"call_state", "connect_state", "control_id", "dial_state", "digits", "direction", "message_state", "state", "tag"}
)
"""What is told without its key: it says by itself what it is."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a chart.

    Attributes:
        at: seconds since the beginning.
        said: what was said.
        is_marked: whether something is wrong with it.
        remark: what is wrong with it, or how it was recorded, below the line; empty if there is nothing to say.
    """

    at: float
    said: Said
    is_marked: bool = False
    remark: str = ""


def chart(rows: Sequence[Row], *, around: int | None = None) -> str:
    """Return the chart.

    Args:
        rows: in order.
        around: show only what is near this row; all by default.
    """
    begin, end = (0, len(rows)) if around is None else (max(0, around - _BEFORE), min(len(rows), around + _AFTER + 1))
    lines = [f"  {'at':>9}   {'server':<{_SERVER_CHARS}}     application"]
    if begin:
        lines.append(f"  {'':>9}   … {begin} before")
    for row in rows[begin:end]:
        lines += _lines(row)
    if end < len(rows):
        lines.append(f"  {'':>9}   … {len(rows) - end} after")
    return "\n".join(line.rstrip() for line in lines)


def in_words(said: Said) -> str:
    """Return what was said in a few words."""
    if said.kind == ANSWER:
        return " ".join([f"{said.body.get('code', 'OK')} to command {said.number}", _told(said.body)]).strip()
    if said.kind in (EVENT, COMMAND):
        return " ".join(part for part in (said.name, said.call_id, _told(said.body)) if part)
    return f"refused command {said.number} with {said.body.get('code')}"


def _lines(row: Row) -> Iterator[str]:
    mark = ">" if row.is_marked else " "
    at = f"{mark} {row.at:9.3f}   "
    words = in_words(row.said)
    if row.said.kind == COMMAND:
        yield f"{at}{'':<{_SERVER_CHARS}} <-- {words}"
    elif len(words) <= _SERVER_CHARS:
        yield f"{at}{words:<{_SERVER_CHARS}} -->"
    else:
        yield f"{at}{words[: _SERVER_CHARS - 1]}… -->"
    for line in row.remark.splitlines():
        yield f"{mark} {'':>9}   {'':<{_SERVER_CHARS}}     {line}"


def _told(body: Mapping[str, Any]) -> str:
    first = sorted(_values(body, ""), key=lambda told: told[0] not in _AS_THEY_ARE)
    text = " ".join(dict.fromkeys(words for _key, words in first))
    return text if len(text) <= _DETAIL_CHARS else f"{text[: _DETAIL_CHARS - 1]}…"


def _values(value: object, key: str) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for name, item in value.items():
                if name not in _NOT_TOLD:
                    yield from _values(item, name)
        case list():
            for item in value:
                yield from _values(item, key)
        case None | "":
            return
        case str() if key in _AS_THEY_ARE:
            yield key, _short(value)
        case str() if key in ("body", "text"):
            yield key, json.dumps(_short(value), ensure_ascii=False)
        case _:
            told = value if isinstance(value, str) else json.dumps(value)
            yield key, f"{key.removesuffix('_number')}={_short(told)}"


def _short(text: str) -> str:
    text = "".join(char if char.isprintable() else "?" for char in text[: _VALUE_CHARS + 1])
    return text if len(text) <= _VALUE_CHARS else f"{text[: _VALUE_CHARS - 1]}…"
