"""Which name of ours takes the place of which one of the official client. Layer: door.

The names are those of signalwire-sdk 3.7.5. It is not imported: migrating must work where it is not installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from relay_actors.protocol import constants, events

__all__ = [
    "BY_STAR",
    "CLIENT",
    "MISSING",
    "OFFICIAL",
    "OURS",
    "PRIVATE",
    "class_kind",
    "is_official",
    "names_in",
    "place_of",
]

OFFICIAL: Final = "signalwire.relay"

CLIENT: Final = "relay_actors.client"

OURS: Final[Mapping[str, str]] = {
    "signalwire.relay": CLIENT,
    "signalwire.relay.call": CLIENT,
    "signalwire.relay.client": CLIENT,
    "signalwire.relay.constants": "relay_actors.constants",
    "signalwire.relay.event": "relay_actors.events",
    "signalwire.relay.message": CLIENT,
}
"""From each official module to ours."""

_ACTIONS: Final = (
    "AIAction", "Action", "CollectAction", "DetectAction", "FaxAction", "PayAction", "PlayAction", "RecordAction",
    "StandaloneCollectAction", "StreamAction", "TapAction", "TranscribeAction",
)  # fmt: skip
_OTHER_CLASSES: Final[Mapping[str, str]] = {"RelayClient": "client", "Call": "call", "Message": "message"}
_NOT_IN_CLIENT: Final = (
    # Constants that the official package has in its module of constants only.
    "AGENT_STRING", "CALL_STATES", "DEFAULT_RELAY_HOST", "EVENT_AUTHORIZATION_STATE", "MESSAGE_TERMINAL_STATES",
    "PROTOCOL_VERSION",
    # Names of ours that it does not have.
    "EVENT_CLASS_MAP", "EVENT_TYPES",
)  # fmt: skip
_NOT_IN_CLIENT_BEGIN: Final = ("DETECT_", "END_", "METHOD_", "PLAY_", "RECONNECT_", "RECORD_", "ROOM_")

_IN_CLIENT: Final = frozenset(
    {
        *_OTHER_CLASSES,
        "RelayError",
        *_ACTIONS,
        *(
            name
            for name in (*constants.__all__, *events.__all__)
            if name not in _NOT_IN_CLIENT and not name.startswith(_NOT_IN_CLIENT_BEGIN)
        ),
    }
)

_NAMES: Final[Mapping[str, frozenset[str]]] = {
    CLIENT: _IN_CLIENT,
    "relay_actors.constants": frozenset(constants.__all__),
    "relay_actors.events": frozenset(events.__all__),
}

_A_HANDLER: Final = "it is only an annotation: write collections.abc.Callable"
_AN_ACTION: Final = "write Action, or the class of the action that is meant"
MISSING: Final[Mapping[str, str]] = {
    "CallHandler": _A_HANDLER,
    "EventHandler": _A_HANDLER,
    "MessageHandler": _A_HANDLER,
    "PausableAction": _AN_ACTION,
    "StoppableAction": _AN_ACTION,
    "VolumeAction": _AN_ACTION,
    "logger": 'write logging.getLogger("relay_actors.client")',
    "protocol_types_generated": "relay_actors.commands has a class for each method",
}
"""What to write in the place of names that we do not have."""

BY_STAR: Final[Mapping[str, str]] = {
    **{name: f"import {name}" for name in ("asyncio", "contextlib", "json", "os", "re", "uuid", "websockets")},
    **{name: f"from typing import {name}" for name in ("Any", "TYPE_CHECKING", "TypeVar")},
    **{name: f"from collections.abc import {name}" for name in ("Callable", "Coroutine")},
    **{name: f"from dataclasses import {name}" for name in ("dataclass", "field")},
    "get_logger": "from signalwire.core.logging_config import get_logger",
    "ssl_module": "import ssl as ssl_module",
}
"""How to import what ``import *`` gives of an official module because that imports it for its own use."""

PRIVATE: Final[Mapping[tuple[str, str], str]] = {
    ("client", "_calls"): "keep the calls that on_call is given",
    ("client", "_handle_event"): "listen with call.on(…)",
    ("client", "_max_active_calls"): "RelayClient(max_active_calls=…)",
    ("client", "_on_call_handler"): "client.on_call(handler)",
    ("client", "_on_message_handler"): "client.on_message(handler)",
    ("client", "_relay_protocol"): "client.relay_protocol",
    ("client", "_run_forever"): "client.run(), or await client.connect() in a loop of your own",
    ("client", "_send_request"): "await client.execute(method, params)",
    ("client", "_shutdown"): "await client.disconnect()",
    ("call", "_client"): "call.client",
    ("call", "_ended"): 'call.state == "ended", or await call.wait_for_ended()',
    ("call", "_execute"): 'await client.execute("calling.…", {"node_id": call.node_id, "call_id": call.call_id, …})',
    ("call", "_listeners"): "call.on(event_type, handler)",
    ("call", "_wait_for_state"): "await call.wait_for_answered(), or another of its kind",
    ("action", "_done"): "action.is_done, or await action.wait()",
    ("action", "_on_completed"): "on_completed=… of the method that starts the action",
    ("message", "_done"): "message.is_done, or await message.wait()",
    ("message", "_on_completed"): "client.send_message(…, on_completed=…)",
}
"""What to write in the place of private attributes, by whose they are."""


def is_official(module: str) -> bool:
    """Return whether a module is that of the official client, or one below it."""
    return module == OFFICIAL or module.startswith(f"{OFFICIAL}.")


def names_in(module: str) -> frozenset[str]:
    """Return which official names one of our modules has."""
    return _NAMES[module]


def place_of(module: str, name: str) -> str:
    """Return in which module of ours there is what an official module has under a name, or ""."""
    if module not in OURS:
        return ""
    if name == "*":
        return OURS[module]
    return next((place for place in (OURS[module], *_NAMES) if name in _NAMES[place]), "")


def class_kind(name: str) -> str:
    """Return what the instances of an official class are: ``client``, ``call``, ``message``, ``action``, ``event``."""
    if name in _ACTIONS:
        return "action"
    return "event" if name.endswith("Event") and name in events.__all__ else _OTHER_CLASSES.get(name, "")
