"""Every phone call is its own supervised actor: a framework for SignalWire RELAY.

Each name is loaded when it is first used, so that an import costs no more than what is imported. Layer: window.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

from relay_actors._version import __version__
from relay_actors.runtime.context import process_system

if TYPE_CHECKING:
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
    from relay_actors.actors.service import ServiceActor
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
    "ServiceActor",
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

_PLACES: Final = {
    "actors.actions": "Action AIAction CollectAction DetectAction FaxAction PayAction "
    "PlayAction RecordAction StandaloneCollectAction StreamAction TapAction TranscribeAction",
    "actors.call": "CallActor",
    "actors.call_handle": "CallHandle",
    "actors.give_up": "Apologise HandTo HangUp LeaveUp TransferTo",
    "actors.leaving": "LeaveForNext",
    "actors.message": "MessageActor",
    "actors.message_handle": "MessageHandle",
    "actors.notices": "ActionCompleted CallStalled CommandFailed ConnectionLost ConnectionRestored DialFailed",
    "actors.service": "ServiceActor",
    "actors.waits": "Reply Wait",
    "app": "RelayApp",
    "config": "Limits Timing",
    "errors": "CallEnded FlowChanged RelayActorsError RelayError",
    "runtime.actor": "Actor",
    "runtime.actor_ref": "ActorRef",
    "runtime.actor_registry": "ActorRegistry",
    "runtime.actor_timers": "DurableTimer",
    "runtime.asking": "FOREVER NoReplyYet ReplyToken",
    "runtime.async_handler": "interleave",
    "runtime.child_record": "Child ChildCounts ChildInfo ChildState",
    "runtime.child_spec": "ChildSpec",
    "runtime.directives": "Directive",
    "runtime.failures": "AskTimeout",
    "runtime.future": "Future get_all",
    "runtime.inspection": "ActorNode ActorStats",
    "runtime.partitioned_supervisor": "PartitionedRef PartitionedSupervisor",
    "runtime.piping": "PipeFailed",
    "runtime.pool": "Pool PoolRef",
    "runtime.reasons": "ActorEnded ActorFailed ActorRestarted ActorStarted ChildFailed "
    "DeadLetter Down ExitReason WatchedRestarted",
    "runtime.receive_timeout": "ReceiveTimeout",
    "runtime.registry": "KeyRegistered KeyReleased KeysFound",
    "runtime.restart_policy": "Backoff Restart",
    "runtime.restart_record": "RestartRecord",
    "runtime.routers": "Router",
    "runtime.state_machine": "EventTimeout NamedTimeout StateMachine StateTimeout Transition",
    "runtime.state_rules": "in_any_state in_state on_enter",
    "runtime.strategies": "AutoShutdown Strategy",
    "runtime.supervisor": "DynamicSupervisor Supervisor",
    "runtime.supervisor_ref": "DynamicSupervisorRef SupervisorRef",
    "runtime.tracing": "Trace TraceRecord",
    "runtime.via_ref": "ViaRef",
    "runtime.waiting": "Raced gather race",
}
"""Where each name is defined: the same as above, for when it runs."""

_SUBMODULES: Final = frozenset({"client", "commands", "config", "constants", "errors", "events", "params"})
"""What is public beside these names, and is there without an import of its own."""

_place_of: Final = {name: place for place, names in _PLACES.items() for name in names.split()}

if not TYPE_CHECKING:  # a type checker must go on to say that there is no such name

    def __getattr__(name: str) -> Any:
        """Load a name when it is asked for first; from then on it is an attribute like any other. Any thread."""
        if name in _SUBMODULES:
            return importlib.import_module(f"{__name__}.{name}")
        if name not in _place_of:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
        shown = getattr(importlib.import_module(f"{__name__}.{_place_of[name]}"), name)
        globals()[name] = shown
        return shown


def _process_system() -> Any:
    from relay_actors.runtime.system import default_system  # when an actor is started without an application

    process_system[:] = [default_system]
    return default_system()


process_system.append(_process_system)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBMODULES})
