"""One command for each operation of the wire, for tests that are about all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from relay_actors.actors.action_kinds import ACTION_HANDLES
from relay_actors.actors.actions import Action
from relay_actors.actors.verbs.base import OnCompleted
from relay_actors.protocol import commands
from relay_actors.protocol.commands import ActionCommand

__all__ = ["LAST_WORDS", "OPERATIONS", "begin", "command_for", "last_words"]

_MEDIA: Final = [{"type": "silence", "duration": 1}]

OPERATIONS: Final[Mapping[str, tuple[type[ActionCommand], dict[str, Any]]]] = {
    "calling.ai": (commands.AI, {}),
    "calling.collect": (commands.Collect, {"digits": {"max": 1}}),
    "calling.detect": (commands.Detect, {"detect": {"type": "machine", "params": {}}}),
    "calling.pay": (commands.Pay, {"payment_connector_url": "https://pay.example.com"}),
    "calling.play": (commands.Play, {"media": _MEDIA}),
    "calling.play_and_collect": (commands.PlayAndCollect, {"media": _MEDIA, "collect": {"digits": {"max": 1}}}),
    "calling.receive_fax": (commands.ReceiveFax, {}),
    "calling.record": (commands.Record, {}),
    "calling.send_fax": (commands.SendFax, {"document": "https://files.example.com/invoice.pdf"}),
    "calling.stream": (commands.Stream, {"url": "wss://media.example.com/audio"}),
    "calling.tap": (
        commands.Tap,
        {
            "tap": {"type": "audio", "params": {"direction": "both"}},
            "device": {"type": "rtp", "params": {"addr": "203.0.113.10", "port": 5004}},
        },
    ),
    "calling.transcribe": (commands.Transcribe, {}),
}
"""From each starting method to its command's class and the arguments without which it cannot be made."""

LAST_WORDS: Final[Mapping[str, dict[str, Any]]] = {
    "calling.ai": {"state": "finished"},
    "calling.collect": {"result": {"type": "digit", "params": {"digits": "1", "terminator": ""}}},
    "calling.detect": {"detect": {"type": "machine", "params": {"event": "HUMAN"}}},
    "calling.pay": {"for": "payment-completed", "result": "success"},
    "calling.play": {"state": "finished"},
    "calling.play_and_collect": {"result": {"type": "digit", "params": {"digits": "1", "terminator": ""}}},
    "calling.receive_fax": {"fax": {"type": "finished", "params": {"success": True}}},
    "calling.record": {"state": "no_input"},
    "calling.send_fax": {"fax": {"type": "finished", "params": {"success": False}}},
    "calling.stream": {"state": "finished"},
    "calling.tap": {"state": "finished"},
    "calling.transcribe": {"state": "finished"},
}
"""From each starting method to what a real server says last of such an operation (PROTOCOL 11)."""


def command_for(method: str, control_id: str | None = None) -> ActionCommand:
    """Return a command that starts such an operation."""
    kind, arguments = OPERATIONS[method]
    return kind(**arguments, control_id=control_id)


def begin(call: Any, method: str, control_id: str | None = None, on_completed: OnCompleted = None) -> Action:
    """Start an operation on a call from outside, whatever its verb is called."""
    action: Action = call._begin(ACTION_HANDLES[method], command_for(method, control_id), on_completed)
    return action


def last_words(action: Action) -> dict[str, Any]:
    """Return the params of the event that completes an operation, without those that name the call."""
    return {"control_id": action.control_id, **LAST_WORDS[action.command.method]}
