"""How an event is damaged on purpose: a field is missing, or is of a wrong type. Layer: simulator, pure.

Source: SEMANTICS V4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from relay_actors.protocol import json_codec

__all__ = ["BECOMES", "Becomes", "Damage"]

Becomes: TypeAlias = Literal["missing", "other", "number", "text", "flag", "list", "object", "null"]

BECOMES: Final[Mapping[str, object]] = {
    "number": 17,
    "text": "seventeen",
    "flag": True,
    "list": [17],
    "object": {"of": "a wrong type"},
    "null": None,
}
"""What stands in place of a field that is of a wrong type."""


@dataclass(frozen=True, slots=True)
class Damage:
    """What happens to one event.

    Attributes:
        field: its name, or names with dots between them; looked for among the event's own params, then in its envelope.
        becomes: what it is afterwards; ``other`` turns text into a number, and all else into text.
        copy: the event itself stays whole, and a damaged copy goes before it, in a frame of its own.
    """

    field: str
    becomes: Becomes
    copy: bool = False

    def fits(self, params: Mapping[str, object], outer: Mapping[str, object]) -> bool:
        """Whether an event has the field."""
        return _holder(params, self.field) is not None or _holder(outer, self.field) is not None

    def applied(self, text: bytes, *, frame_id: str = "") -> bytes:
        """Return the frame with the damage done; under another id if one is given."""
        frame = json_codec.loads(text)
        assert isinstance(frame, dict)  # it is an event of our own
        outer = frame["params"]
        holder = _holder(outer["params"], self.field)
        if holder is None:
            holder = _holder(outer, self.field)
        if holder is not None:
            self._spoil(holder)
        if frame_id:
            frame["id"] = frame_id
        return json_codec.dumps(frame)

    def _spoil(self, holder: dict[str, object]) -> None:
        name = self.field.rpartition(".")[2]
        if self.becomes == "missing":
            del holder[name]
        elif self.becomes == "other":
            holder[name] = BECOMES["number" if isinstance(holder[name], str) else "text"]
        else:
            holder[name] = BECOMES[self.becomes]


def _holder(outermost: Mapping[str, object], field: str) -> dict[str, object] | None:
    """Return the object that has the field, or None."""
    *way, name = field.split(".")
    holder: object = outermost
    for step in way:
        holder = holder.get(step) if isinstance(holder, dict) else None
    return holder if isinstance(holder, dict) and name in holder else None
