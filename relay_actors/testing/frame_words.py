"""Tells frames in words that people can read, and that are the same in every run. Layer: door.

Ids are drawn anew for each seed. Here calls, dials and operations are numbered as they appear, so that two runs can be
compared. Of params only what is named here is told, so no credential and no state of an authorization ever is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from relay_actors.protocol.readers import read_object, read_text
from relay_actors.simulator.wire_log import LoggedFrame

__all__ = ["FrameWords", "short", "without_addresses"]

LONGEST: Final = 60
"""Letters of a prompt or a reason: enough to know it again."""

_ADDRESS: Final = re.compile(r" (?:object )?at 0x[0-9a-fA-F]+")

_STATES: Final = (
    "call_state",
    "connect_state",
    "dial_state",
    "message_state",
    "state",
    "status",
    "name",
    "end_reason",
    "reason",
    "error",
)
"""What of an event says how things are, in this order."""

_DETAILS: Final = ("dest", "to_number", "digits", "reason", "name", "volume", "restart")
"""What of a command says what is asked for."""


class FrameWords:
    """Tells the frames of one run, one after the other: what an id stands for is learned on the way."""

    def __init__(self) -> None:
        self._requests: dict[str, str] = {}
        self._numbers: dict[str, dict[str, int]] = {}

    def of(self, logged: LoggedFrame) -> str:
        """Return what a frame says. Frames are to be given in the order in which they crossed the wire."""
        frame = logged.frame
        if not frame:
            return f"something that is no frame ({len(logged.text)} bytes)"
        session = self._number("session", logged.session)
        words = self._answer(frame, logged.direction) if "method" not in frame else self._request(frame, logged)
        return f"{words} (session {session})" if session > 1 else words

    def _request(self, frame: Mapping[str, object], logged: LoggedFrame) -> str:
        method, params = read_text(frame.get("method")) or "?", read_object(frame.get("params")) or {}
        if method == "signalwire.event":
            what = event = read_text(params.get("event_type")) or "an event without a type"
            inner = read_object(params.get("params")) or {}
            told = self._event_details(event, inner)
            params = inner
        else:
            what = method
            told = _details(params)
            if method == "signalwire.connect":
                told = [*told, *(["to resume"] if params.get("protocol") else [])]
        self._requests[f"{logged.direction} {frame.get('id')}"] = f"{what}{self._whom(params)}"
        return " ".join([f"{what}{self._whom(params)}", *told])

    def _answer(self, frame: Mapping[str, object], direction: str) -> str:
        asked = "sent" if direction == "received" else "received"
        what = self._requests.get(f"{asked} {frame.get('id')}", "something that was asked before")
        if direction == "received":
            return f"acknowledges {what}" if "error" not in frame else f"refuses {what}"
        body = read_object(frame.get("error")) or read_object(frame.get("result")) or {}
        code = body.get("code", "200")
        return f"answers {what}: {code}" + (f" {short(body.get('message'))}" if str(code)[:1] != "2" else "")

    def _event_details(self, event: str, params: Mapping[str, Any]) -> list[str]:
        if event.startswith("signalwire."):
            return []
        words = [str(params[key]) for key in _STATES if isinstance(params.get(key), str) and params[key]]
        if event.endswith(".receive"):
            words += [f"from {_caller(params)}", f"context {params.get('context')}"]
        for key in ("result", "detect"):
            found = read_object(params.get(key)) or {}
            inner = read_object(found.get("params")) or {}
            told = inner.get("digits") or inner.get("text") or inner.get("event")
            words += [str(part) for part in (found.get("type"), told) if isinstance(part, str) and part]
        peer = read_object(params.get("peer")) or read_object(params.get("call")) or {}
        if other := read_text(peer.get("call_id")):
            words.append(f"with call {self._number('call', other)}")
        return [short(word) for word in words]

    def _whom(self, params: Mapping[str, Any]) -> str:
        words = ""
        if call_id := read_text(params.get("call_id")):
            words += f" call {self._number('call', call_id)}"
        elif tag := read_text(params.get("tag")):
            words += f" dial {self._number('dial', tag)}"
        elif message_id := read_text(params.get("message_id")):
            words += f" message {self._number('message', message_id)}"
        if control_id := read_text(params.get("control_id")):
            words += f" control {self._number('control', control_id)}"
        return words

    def _number(self, of_what: str, identifier: str) -> int:
        if not identifier:
            return 0
        numbers = self._numbers.setdefault(of_what, {})
        return numbers.setdefault(identifier, len(numbers) + 1)


def without_addresses(words: str) -> str:
    """Return words without the addresses of objects, which differ from run to run."""
    return _ADDRESS.sub("", words)


def short(words: object) -> str:
    """Return words on one line, not too many of them, and without addresses of objects."""
    text = without_addresses(" ".join(str(words if words is not None else "").split()))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _details(params: Mapping[str, Any]) -> list[str]:
    words = [repr(medium) for medium in _media(params.get("play"))[:1]]
    words += [f"{key} {short(params[key])}" for key in _DETAILS if isinstance(params.get(key), str | int | float)]
    if called := _called(params.get("devices")):
        words.append(f"to {called}")
    contexts = params.get("contexts")
    if isinstance(contexts, list) and contexts:
        words.append(f"contexts {', '.join(map(str, contexts))}")
    return words


def _media(play: object) -> list[str]:
    items = [read_object(item) or {} for item in play] if isinstance(play, list) else []
    params = [read_object(item.get("params")) or {} for item in items]
    return [
        short(inner.get("text") or str(inner.get("url") or "").partition("?")[0] or item.get("type"))
        for item, inner in zip(items, params, strict=True)
    ]


def _caller(params: Mapping[str, Any]) -> str:
    device = read_object(params.get("device")) or {}
    inner = read_object(device.get("params")) or {}
    return str(inner.get("from_number") or inner.get("from") or params.get("from_number") or "?")


def _called(devices: object) -> str:
    if isinstance(devices, list):
        return ", ".join(filter(None, map(_called, devices)))
    inner = read_object((read_object(devices) or {}).get("params")) or {}
    return str(inner.get("to_number") or inner.get("to") or "")
