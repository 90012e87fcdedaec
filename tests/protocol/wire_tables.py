"""The tables of the wire that the vocabulary is compared with, and strategies for what a server might say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

DATA = Path(__file__).parents[1] / "data"


def _load(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


METHODS: list[dict[str, Any]] = _load("methods.json")["methods"]
EVENTS_TABLE: dict[str, Any] = _load("events.json")
EVENTS: list[dict[str, Any]] = EVENTS_TABLE["events"]
CONSTANTS: dict[str, Any] = _load("constants.json")
FRAMES: list[dict[str, Any]] = [
    json.loads(line) for line in (DATA / "frames.jsonl").read_text(encoding="utf-8").splitlines()
]
EVENT_FRAMES: list[tuple[str, dict[str, Any]]] = [
    (line["name"], line["frame"]["params"])
    for line in FRAMES
    if isinstance(line["frame"], dict) and line["frame"].get("method") == "signalwire.event"
]
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    (line["name"], line["frame"]["method"], line["frame"].get("params", {}))
    for line in FRAMES
    if line["direction"] == "client->server" and isinstance(line["frame"], dict) and "method" in line["frame"]
]
PAYLOAD = dict(EVENT_FRAMES)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
