"""The asyncio API of RELAY applications: all names of the official client, on top of the same actors. Layer: door.

An application that imports from ``signalwire.relay`` imports the same names from here. Source: PROTOCOL 20.
"""

from relay_actors.actors.actions import *
from relay_actors.client.call import Call
from relay_actors.client.message import Message
from relay_actors.client.relay_client import RelayClient
from relay_actors.errors import RelayError
from relay_actors.protocol.constants import *
from relay_actors.protocol.events import *

__all__ = [
    "CALL_STATE_ANSWERED", "CALL_STATE_CREATED", "CALL_STATE_ENDED", "CALL_STATE_ENDING", "CALL_STATE_RINGING",
    "CONNECT_STATE_CONNECTED", "CONNECT_STATE_CONNECTING", "CONNECT_STATE_DISCONNECTED", "CONNECT_STATE_FAILED",
    "EVENT_CALLING_ERROR", "EVENT_CALL_COLLECT", "EVENT_CALL_CONNECT", "EVENT_CALL_DENOISE", "EVENT_CALL_DETECT",
    "EVENT_CALL_DIAL", "EVENT_CALL_ECHO", "EVENT_CALL_FAX", "EVENT_CALL_PAY", "EVENT_CALL_PLAY",
    "EVENT_CALL_QUEUE", "EVENT_CALL_RECEIVE", "EVENT_CALL_RECORD", "EVENT_CALL_REFER", "EVENT_CALL_SEND_DIGITS",
    "EVENT_CALL_STATE", "EVENT_CALL_STREAM", "EVENT_CALL_TAP", "EVENT_CALL_TRANSCRIBE", "EVENT_CONFERENCE",
    "EVENT_MESSAGING_RECEIVE", "EVENT_MESSAGING_STATE", "MESSAGE_STATE_DELIVERED", "MESSAGE_STATE_FAILED",
    "MESSAGE_STATE_INITIATED", "MESSAGE_STATE_QUEUED", "MESSAGE_STATE_RECEIVED", "MESSAGE_STATE_SENT",
    "MESSAGE_STATE_UNDELIVERED", "AIAction", "Action", "Call", "CallReceiveEvent", "CallStateEvent",
    "CallingErrorEvent", "CollectAction", "CollectEvent", "ConferenceEvent", "ConnectEvent", "DenoiseEvent",
    "DetectAction", "DetectEvent", "DialEvent", "EchoEvent", "FaxAction", "FaxEvent", "HoldEvent", "Message",
    "MessageReceiveEvent", "MessageStateEvent", "PayAction", "PayEvent", "PlayAction", "PlayEvent", "QueueEvent",
    "RecordAction", "RecordEvent", "ReferEvent", "RelayClient", "RelayError", "RelayEvent", "SendDigitsEvent",
    "StandaloneCollectAction", "StreamAction", "StreamEvent", "TapAction", "TapEvent", "TranscribeAction",
    "TranscribeEvent", "parse_event",
]  # fmt: skip
