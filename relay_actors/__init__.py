"""Every phone call is its own supervised actor: a framework for SignalWire RELAY."""

from relay_actors._version import __version__
from relay_actors.actors.actions import (
    Action,
    AIAction,
    CollectAction,
    DetectAction,
    FaxAction,
    PayAction,
    PlayAction,
    RecordAction,
    StandaloneCollectAction,
    StreamAction,
    TapAction,
    TranscribeAction,
)
from relay_actors.actors.call import CallActor
from relay_actors.actors.call_handle import CallHandle
from relay_actors.actors.message import MessageActor, MessageHandle
from relay_actors.actors.notices import (
    ActionCompleted,
    CommandFailed,
    ConnectionLost,
    ConnectionRestored,
    DialFailed,
)
from relay_actors.actors.waits import Reply, Wait
from relay_actors.app import RelayApp
from relay_actors.config import Limits, Timing
from relay_actors.errors import CallEnded, RelayActorsError, RelayError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.async_handler import interleave
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import ChildFailed, DeadLetter, Down, ExitReason
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.waiting import Raced, gather, race

__all__ = [
    "AIAction",
    "Action",
    "ActionCompleted",
    "Actor",
    "ActorRef",
    "Backoff",
    "CallActor",
    "CallEnded",
    "CallHandle",
    "ChildFailed",
    "ChildSpec",
    "CollectAction",
    "CommandFailed",
    "ConnectionLost",
    "ConnectionRestored",
    "DeadLetter",
    "DetectAction",
    "DialFailed",
    "Down",
    "ExitReason",
    "FaxAction",
    "Limits",
    "MessageActor",
    "MessageHandle",
    "PayAction",
    "PlayAction",
    "Raced",
    "RecordAction",
    "RelayActorsError",
    "RelayApp",
    "RelayError",
    "Reply",
    "Restart",
    "StandaloneCollectAction",
    "StreamAction",
    "TapAction",
    "Timing",
    "TranscribeAction",
    "Wait",
    "__version__",
    "gather",
    "interleave",
    "race",
]
