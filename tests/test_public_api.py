"""The public names. All else may change; these may only grow, and by decision (STYLE, public API)."""

from __future__ import annotations

import importlib

import pytest

PUBLIC = {
    "relay_actors": """
        AIAction Action ActionCompleted Actor ActorRef Backoff CallActor CallEnded CallHandle ChildFailed ChildSpec
        CollectAction CommandFailed ConnectionLost ConnectionRestored DeadLetter DetectAction DialFailed Down ExitReason
        FaxAction Limits MessageActor MessageHandle PayAction PlayAction RecordAction RelayActorsError RelayApp
        RelayError Reply Restart StandaloneCollectAction StreamAction TapAction Timing TranscribeAction Wait __version__
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
        ActorDead ActorError ArgumentError CallEnded CommandRejectedError ConfigError ConnectFailedError
        ConnectionLimitError ConnectionLostError DialFailedError FlowError JournalError LOCAL_ERROR_CODE MailboxFull
        NameTaken NotSentError ParentStopping ProtocolError RelayActorsError RelayError RequestTimeoutError StartFailed
        StartTimeout TooManyChildren TransportError WouldDeadlock
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
