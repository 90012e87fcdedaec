"""What belongs to what: methods and commands, event types and events, operations and theirs. Layer: protocol, pure.

Tables only. Whoever adds a method or an event adds it here, and a test compares these with the whole of the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from relay_actors.protocol import commands as c
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
    sub_commands: Mapping[str, type[c.SubCommand]]


SUB_COMMAND_CLASSES: Final[Mapping[str, type[c.SubCommand]]] = MappingProxyType(
    {
        "stop": c.Stop,
        "pause": c.Pause,
        "resume": c.Resume,
        "volume": c.SetVolume,
        "start_input_timers": c.StartInputTimers,
    }
)
"""From each verb on a running operation to its class."""

_ACTION_COMMANDS: Final[Mapping[str, type[ActionCommand]]] = {
    "calling.ai": c.AI,
    "calling.collect": c.Collect,
    "calling.detect": c.Detect,
    "calling.pay": c.Pay,
    "calling.play": c.Play,
    "calling.play_and_collect": c.PlayAndCollect,
    "calling.receive_fax": c.ReceiveFax,
    "calling.record": c.Record,
    "calling.send_fax": c.SendFax,
    "calling.stream": c.Stream,
    "calling.tap": c.Tap,
    "calling.transcribe": c.Transcribe,
}

COMMANDS: Final[Mapping[str, type[RelayCommand]]] = MappingProxyType(
    {
        **_ACTION_COMMANDS,
        "calling.ai_hold": c.AIHold,
        "calling.ai_message": c.AIMessage,
        "calling.ai_unhold": c.AIUnhold,
        "calling.amazon_bedrock": c.AmazonBedrock,
        "calling.answer": c.Answer,
        "calling.bind_digit": c.BindDigit,
        "calling.clear_digit_bindings": c.ClearDigitBindings,
        "calling.connect": c.Connect,
        "calling.denoise": c.Denoise,
        "calling.denoise.stop": c.DenoiseStop,
        "calling.dial": c.Dial,
        "calling.disconnect": c.Disconnect,
        "calling.echo": c.Echo,
        "calling.end": c.Hangup,
        "calling.hold": c.Hold,
        "calling.join_conference": c.JoinConference,
        "calling.join_room": c.JoinRoom,
        "calling.leave_conference": c.LeaveConference,
        "calling.leave_room": c.LeaveRoom,
        "calling.live_transcribe": c.LiveTranscribe,
        "calling.live_translate": c.LiveTranslate,
        "calling.pass": c.Pass,
        "calling.queue.enter": c.QueueEnter,
        "calling.queue.leave": c.QueueLeave,
        "calling.refer": c.Refer,
        "calling.send_digits": c.SendDigits,
        "calling.transfer": c.Transfer,
        "calling.unhold": c.Unhold,
        "calling.user_event": c.UserEvent,
        "messaging.send": c.SendMessage,
        **{method: SUB_COMMAND_CLASSES[verb] for verbs in c.SUB_COMMANDS.values() for verb, method in verbs.items()},
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
            command, COMPLETION_RULES[method], {verb: SUB_COMMAND_CLASSES[verb] for verb in c.SUB_COMMANDS[method]}
        )
        for method, command in _ACTION_COMMANDS.items()
    }
)
"""From each operation's starting method to all that belongs to it."""
