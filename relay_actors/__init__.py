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
from relay_actors.actors.give_up import Apologise, HandTo, HangUp, LeaveUp, TransferTo
from relay_actors.actors.leaving import LeaveForNext
from relay_actors.actors.message import MessageActor
from relay_actors.actors.message_handle import MessageHandle
from relay_actors.actors.notices import (
    ActionCompleted,
    CallStalled,
    CommandFailed,
    ConnectionLost,
    ConnectionRestored,
    DialFailed,
)
from relay_actors.actors.waits import Reply, Wait
from relay_actors.app import RelayApp
from relay_actors.config import Limits, Timing
from relay_actors.errors import CallEnded, FlowChanged, RelayActorsError, RelayError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.actor_registry import ActorRegistry
from relay_actors.runtime.actor_timers import DurableTimer
from relay_actors.runtime.asking import FOREVER, NoReplyYet, ReplyToken
from relay_actors.runtime.async_handler import interleave
from relay_actors.runtime.child_record import Child, ChildCounts, ChildInfo, ChildState
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.directives import Directive
from relay_actors.runtime.failures import AskTimeout
from relay_actors.runtime.future import Future, get_all
from relay_actors.runtime.inspection import ActorNode, ActorStats
from relay_actors.runtime.partitioned_supervisor import PartitionedRef, PartitionedSupervisor
from relay_actors.runtime.piping import PipeFailed
from relay_actors.runtime.pool import Pool, PoolRef
from relay_actors.runtime.reasons import (
    ActorEnded,
    ActorFailed,
    ActorRestarted,
    ActorStarted,
    ChildFailed,
    DeadLetter,
    Down,
    ExitReason,
    WatchedRestarted,
)
from relay_actors.runtime.receive_timeout import ReceiveTimeout
from relay_actors.runtime.registry import KeyRegistered, KeyReleased, KeysFound
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.restart_record import RestartRecord
from relay_actors.runtime.routers import Router
from relay_actors.runtime.state_machine import EventTimeout, NamedTimeout, StateMachine, StateTimeout, Transition
from relay_actors.runtime.state_rules import in_any_state, in_state, on_enter
from relay_actors.runtime.strategies import AutoShutdown, Strategy
from relay_actors.runtime.supervisor import DynamicSupervisor, Supervisor
from relay_actors.runtime.supervisor_ref import DynamicSupervisorRef, SupervisorRef
from relay_actors.runtime.tracing import Trace, TraceRecord
from relay_actors.runtime.via_ref import ViaRef
from relay_actors.runtime.waiting import Raced, gather, race

__all__ = [
    "FOREVER",
    "AIAction",
    "Action",
    "ActionCompleted",
    "Actor",
    "ActorEnded",
    "ActorFailed",
    "ActorNode",
    "ActorRef",
    "ActorRegistry",
    "ActorRestarted",
    "ActorStarted",
    "ActorStats",
    "Apologise",
    "AskTimeout",
    "AutoShutdown",
    "Backoff",
    "CallActor",
    "CallEnded",
    "CallHandle",
    "CallStalled",
    "Child",
    "ChildCounts",
    "ChildFailed",
    "ChildInfo",
    "ChildSpec",
    "ChildState",
    "CollectAction",
    "CommandFailed",
    "ConnectionLost",
    "ConnectionRestored",
    "DeadLetter",
    "DetectAction",
    "DialFailed",
    "Directive",
    "Down",
    "DurableTimer",
    "DynamicSupervisor",
    "DynamicSupervisorRef",
    "EventTimeout",
    "ExitReason",
    "FaxAction",
    "FlowChanged",
    "Future",
    "HandTo",
    "HangUp",
    "KeyRegistered",
    "KeyReleased",
    "KeysFound",
    "LeaveForNext",
    "LeaveUp",
    "Limits",
    "MessageActor",
    "MessageHandle",
    "NamedTimeout",
    "NoReplyYet",
    "PartitionedRef",
    "PartitionedSupervisor",
    "PayAction",
    "PipeFailed",
    "PlayAction",
    "Pool",
    "PoolRef",
    "Raced",
    "ReceiveTimeout",
    "RecordAction",
    "RelayActorsError",
    "RelayApp",
    "RelayError",
    "Reply",
    "ReplyToken",
    "Restart",
    "RestartRecord",
    "Router",
    "StandaloneCollectAction",
    "StateMachine",
    "StateTimeout",
    "Strategy",
    "StreamAction",
    "Supervisor",
    "SupervisorRef",
    "TapAction",
    "Timing",
    "Trace",
    "TraceRecord",
    "TranscribeAction",
    "TransferTo",
    "Transition",
    "ViaRef",
    "Wait",
    "WatchedRestarted",
    "__version__",
    "gather",
    "get_all",
    "in_any_state",
    "in_state",
    "interleave",
    "on_enter",
    "race",
]
