"""What belongs to what: methods and commands, event types and events, operations and theirs. Layer: protocol, pure.

Tables only. Whoever adds a method or an event adds it here, and a test compares these with the whole of the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from relay_actors.protocol import commands
from relay_actors.protocol.commands.command import ActionCommand, RelayCommand
from relay_actors.protocol.completion import COMPLETION_RULES, CompletionRule
from relay_actors.protocol.events import EVENT_TYPES
from relay_actors.protocol.relay_event import RelayEvent

__all__ = ["ACTIONS", "COMMANDS", "EVENTS", "NOT_COMMANDS", "SUB_COMMAND_CLASSES", "ActionKind"]


class ActionKind(NamedTuple):
    """One kind of running operation.

    Attributes:
        command: the class of the command that starts it.
        rule: which events belong to it, and when it is over.
        sub_commands: what can be done to it: from the verb to the command's class.
    """

    command: type[ActionCommand]
    rule: CompletionRule
    sub_commands: Mapping[str, type[commands.SubCommand]]


SUB_COMMAND_CLASSES: Final[Mapping[str, type[commands.SubCommand]]] = MappingProxyType(
    {
        "stop": commands.Stop,
        "pause": commands.Pause,
        "resume": commands.Resume,
        "volume": commands.SetVolume,
        "start_input_timers": commands.StartInputTimers,
    }
)
"""From each verb on a running operation to its class."""

_ACTION_COMMANDS: Final[Mapping[str, type[ActionCommand]]] = {
    "calling.ai": commands.AI,
    "calling.collect": commands.Collect,
    "calling.detect": commands.Detect,
    "calling.pay": commands.Pay,
    "calling.play": commands.Play,
    "calling.play_and_collect": commands.PlayAndCollect,
    "calling.receive_fax": commands.ReceiveFax,
    "calling.record": commands.Record,
    "calling.send_fax": commands.SendFax,
    "calling.stream": commands.Stream,
    "calling.tap": commands.Tap,
    "calling.transcribe": commands.Transcribe,
}

COMMANDS: Final[Mapping[str, type[RelayCommand]]] = MappingProxyType(
    {
        **_ACTION_COMMANDS,
        "calling.ai_hold": commands.AIHold,
        "calling.ai_message": commands.AIMessage,
        "calling.ai_unhold": commands.AIUnhold,
        "calling.amazon_bedrock": commands.AmazonBedrock,
        "calling.answer": commands.Answer,
        "calling.bind_digit": commands.BindDigit,
        "calling.clear_digit_bindings": commands.ClearDigitBindings,
        "calling.connect": commands.Connect,
        "calling.denoise": commands.Denoise,
        "calling.denoise.stop": commands.DenoiseStop,
        "calling.dial": commands.Dial,
        "calling.disconnect": commands.Disconnect,
        "calling.echo": commands.Echo,
        "calling.end": commands.Hangup,
        "calling.hold": commands.Hold,
        "calling.join_conference": commands.JoinConference,
        "calling.join_room": commands.JoinRoom,
        "calling.leave_conference": commands.LeaveConference,
        "calling.leave_room": commands.LeaveRoom,
        "calling.live_transcribe": commands.LiveTranscribe,
        "calling.live_translate": commands.LiveTranslate,
        "calling.pass": commands.Pass,
        "calling.queue.enter": commands.QueueEnter,
        "calling.queue.leave": commands.QueueLeave,
        "calling.refer": commands.Refer,
        "calling.send_digits": commands.SendDigits,
        "calling.transfer": commands.Transfer,
        "calling.unhold": commands.Unhold,
        "calling.user_event": commands.UserEvent,
        "messaging.send": commands.SendMessage,
        **{
            method: SUB_COMMAND_CLASSES[verb]
            for verbs in commands.SUB_COMMANDS.values()
            for verb, method in verbs.items()
        },
    }
)
"""From each wire method to the command that says it."""

NOT_COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "signalwire.connect": "logging in belongs to the protocol machine",
        "signalwire.disconnect": "only the server says it",
        "signalwire.event": "only the server says it",
        "signalwire.execute": "an old wrapper; methods are sent bare (PROTOCOL 2.1)",
        "signalwire.ping": "keeping alive belongs to the protocol machine",
        "signalwire.reauthenticate": "outside this API; say it with execute() (PROTOCOL 3.7)",
        "signalwire.receive": "subscribing belongs to the protocol machine, which repeats it at each log-in",
        "signalwire.unreceive": "subscribing belongs to the protocol machine, which repeats it at each log-in",
        "calling.begin": "an old way to dial; say it with execute() (PROTOCOL 9.4)",
        "calling.call": "an alias without fields that nobody sends",
        "calling.receive": "an old way to subscribe (PROTOCOL 4)",
    }
)
"""From each wire method that has no command to the reason."""

EVENTS: Final[Mapping[str, type[RelayEvent]]] = EVENT_TYPES
"""From each event type to its class."""

ACTIONS: Final[Mapping[str, ActionKind]] = MappingProxyType(
    {
        method: ActionKind(
            command,
            COMPLETION_RULES[method],
            {verb: SUB_COMMAND_CLASSES[verb] for verb in commands.SUB_COMMANDS[method]},
        )
        for method, command in _ACTION_COMMANDS.items()
    }
)
"""From each operation's starting method to all that belongs to it."""
