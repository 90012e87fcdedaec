"""The public names. All else may change; these may only grow, and by decision (STYLE, public API)."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

import pytest

import relay_actors
from tests.protocol.wire_tables import CONSTANTS

PUBLIC = {
    "relay_actors": """
        AIAction Action ActionCompleted Actor ActorEnded ActorFailed ActorNode ActorRef ActorRegistry
        ActorRestarted ActorStarted ActorStats Apologise AskTimeout AutoShutdown Backoff CallActor CallEnded
        CallHandle CallStalled Child ChildCounts ChildFailed ChildInfo ChildSpec ChildState CollectAction CommandFailed
        ConnectionLost ConnectionRestored DeadLetter DetectAction DialFailed Directive Down DurableTimer
        DynamicSupervisor DynamicSupervisorRef EventTimeout ExitReason FOREVER FaxAction FlowChanged Future HandTo
        HangUp KeyRegistered KeyReleased KeysFound LeaveForNext LeaveUp Limits MessageActor MessageHandle NamedTimeout
        NoReplyYet PartitionedRef PartitionedSupervisor PayAction PipeFailed PlayAction Pool PoolRef Raced
        ReceiveTimeout RecordAction RelayActorsError RelayApp RelayError Reply ReplyToken Restart RestartRecord Router
        ServiceActor StandaloneCollectAction StateMachine StateTimeout Strategy StreamAction Supervisor SupervisorRef
        TapAction Timing Trace TraceRecord TranscribeAction TransferTo Transition ViaRef Wait WatchedRestarted
        __version__ gather get_all in_any_state in_state interleave on_enter race
    """,
    "relay_actors.events": """
        CallReceiveEvent CallStateEvent CallingErrorEvent CollectEvent ConferenceEvent ConnectEvent DenoiseEvent
        DetectEvent DialEvent EVENT_CLASS_MAP EVENT_TYPES EchoEvent FaxEvent HoldEvent MessageReceiveEvent
        MessageStateEvent PayEvent PlayEvent QueueEvent RecordEvent ReferEvent RelayEvent SendDigitsEvent StreamEvent
        TapEvent TranscribeEvent parse_event
    """,
    "relay_actors.commands": """
        AI AIHold AIMessage AIUnhold ActionCommand AmazonBedrock Answer BindDigit ClearDigitBindings Collect Connect
        ControlCommand Denoise DenoiseStop Detect Dial Disconnect Echo Hangup Hold JoinConference JoinRoom
        LeaveConference LeaveRoom LiveTranscribe LiveTranslate Pass Pause Pay Play PlayAndCollect QueueEnter QueueLeave
        ReceiveFax Record Refer RelayCommand Resume SUB_COMMANDS SendDigits SendFax SendMessage SetVolume
        StartInputTimers Stop Stream SubCommand Tap Transcribe Transfer Unhold UserEvent
    """,
    "relay_actors.params": """
        audio digits phone recording ringtone rtp silence sip speech tap_audio tts websocket
    """,
    "relay_actors.errors": """
        ActorDead ActorError ArgumentError CallEnded ChildStateError CommandRejectedError ConfigError
        ConnectFailedError ConnectionLimitError ConnectionLostError DamagedJournalError DeathPact DialFailedError
        EndedWhileWaiting FlowChanged FlowError IllegalEvent JournalError LOCAL_ERROR_CODE LinkedActorFailed MailboxFull
        NameTaken NotSentError
        ParentStopping Poisoned ProtocolError RelayActorsError RelayError RequestTimeoutError StartFailed
        StartTimeout StashFull StateError TooManyChildren TransportError WouldDeadlock
    """,
}


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_names_are_these(name: str) -> None:
    """A name that is taken away breaks somebody's application."""
    module = importlib.import_module(name)
    assert sorted(module.__all__) == sorted(PUBLIC[name].split())


@pytest.mark.parametrize("name", [*PUBLIC, "relay_actors.testing"])
def test_every_public_name_is_there_and_told_once(name: str) -> None:
    """``__all__`` must not promise what is not there."""
    module = importlib.import_module(name)
    exported = getattr(module, "__all__", [])
    assert len(exported) == len(set(exported))
    for one in exported:
        assert getattr(module, one) is not None


def test_the_root_loads_each_name_from_where_type_checkers_are_told_that_it_is() -> None:
    """What a type checker knows and what runs are written down twice: they must not say different things."""
    told = {
        f"relay_actors.{place}": set(names.split())
        for place, names in relay_actors._PLACES.items()  # type: ignore[attr-defined]
    }
    checked: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(Path(relay_actors.__file__).read_text("utf-8"))):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for one in node.body:
                assert isinstance(one, ast.ImportFrom)
                checked.setdefault(str(one.module), set()).update(alias.name for alias in one.names)
    assert told == checked
    assert {name for names in told.values() for name in names} == set(relay_actors.__all__) - {"__version__"}


def test_the_root_gives_nothing_that_it_does_not_have() -> None:
    """A misspelt name is an error at once; and everything is shown to who asks for what there is."""
    with pytest.raises(AttributeError, match="module 'relay_actors' has no attribute 'CallActr'"):
        _ = relay_actors.CallActr
    with pytest.raises(ImportError, match="cannot import name 'CallActr'"):
        exec("from relay_actors import CallActr")
    assert set(relay_actors.__all__) <= set(dir(relay_actors))
    assert relay_actors.errors.RelayError is relay_actors.RelayError


# Where the names of the reference package are found here (DESIGN 1): the root, its windows, and the asyncio client.
WINDOWS = [
    "relay_actors",
    "relay_actors.events",
    "relay_actors.constants",
    "relay_actors.errors",
    "relay_actors.client",
]


def windows() -> list[Any]:
    return [importlib.import_module(name) for name in WINDOWS]


def test_every_name_of_the_reference_package_is_importable() -> None:
    """All 79: code that moves here only changes from where it imports."""
    names = CONSTANTS["package_all"]
    assert len(set(names)) == len(names) == CONSTANTS["package_all_count"] == 79
    found = {name for name in names for window in windows() if name in window.__all__}
    missing = sorted(set(names) - found)
    assert missing == [], f"in none of {WINDOWS}: {missing}"


def test_the_asyncio_client_has_the_names_of_the_reference_package_and_no_others() -> None:
    """So that applications change nothing but from where they import."""
    client = importlib.import_module("relay_actors.client")
    assert set(client.__all__) == set(CONSTANTS["package_all"])


def test_a_name_means_the_same_wherever_it_is_found() -> None:
    """Two windows may show one thing, but not two things by one name."""
    for name in CONSTANTS["package_all"]:
        shown = [getattr(window, name) for window in windows() if name in window.__all__]
        assert all(one is shown[0] for one in shown), name


def test_the_names_of_the_reference_package_are_what_they_are_there() -> None:
    """Classes are classes, the parser is a function, constants have their values."""
    values = CONSTANTS["package_constants"]
    for name in CONSTANTS["package_all"]:
        [shown, *_] = [getattr(window, name) for window in windows() if name in window.__all__]
        if name in values:
            assert shown == values[name], name
        else:
            assert isinstance(shown, type) == (name != "parse_event"), name
            assert shown.__name__ == name
