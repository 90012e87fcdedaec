"""Commands on a running operation: stop, pause, resume, volume, input timers. Layer: protocol, pure.

They are generic: the wire method is the operation's own with a word behind it. Source: PROTOCOL 10.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import ClassVar, Final

from relay_actors.errors import ArgumentError
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.commands.arguments import AnyText, Text, Volume
from relay_actors.protocol.commands.command import RelayCommand

__all__ = ["SUB_COMMANDS", "Pause", "Resume", "SetVolume", "StartInputTimers", "Stop", "SubCommand"]

SUB_COMMANDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "calling.play": {
            "stop": "calling.play.stop",
            "pause": "calling.play.pause",
            "resume": "calling.play.resume",
            "volume": "calling.play.volume",
        },
        "calling.record": {
            "stop": "calling.record.stop",
            "pause": "calling.record.pause",
            "resume": "calling.record.resume",
        },
        "calling.collect": {
            "stop": "calling.collect.stop",
            "start_input_timers": "calling.collect.start_input_timers",
        },
        "calling.play_and_collect": {
            "stop": "calling.play_and_collect.stop",
            "volume": "calling.play_and_collect.volume",
            "start_input_timers": "calling.collect.start_input_timers",
            # Not in the wire schema: expect the server to refuse them (PROTOCOL D30).
            "pause": "calling.play_and_collect.pause",
            "resume": "calling.play_and_collect.resume",
        },
        "calling.detect": {"stop": "calling.detect.stop"},
        "calling.send_fax": {"stop": "calling.send_fax.stop"},
        "calling.receive_fax": {"stop": "calling.receive_fax.stop"},
        "calling.tap": {"stop": "calling.tap.stop"},
        "calling.stream": {"stop": "calling.stream.stop"},
        "calling.transcribe": {"stop": "calling.transcribe.stop"},
        "calling.pay": {"stop": "calling.pay.stop"},
        "calling.ai": {"stop": "calling.ai.stop"},
    }
)
"""From each operation to what can be done to it, and under which wire method."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SubCommand(RelayCommand):
    """A command on one running operation.

    Attributes:
        action_method: how the operation was started, for example ``calling.play``.
        control_id: which one.

    Raises:
        ArgumentError: that kind of operation does not know this command.
    """

    name: ClassVar[str]

    action_method: Text = field(metadata={"sent": False})
    control_id: Text

    def __post_init__(self) -> None:
        known = SUB_COMMANDS.get(self.action_method, {}) if isinstance(self.action_method, str) else {}
        if self.name not in known:
            able = [method for method, names in SUB_COMMANDS.items() if self.name in names]
            raise ArgumentError(f"{self.action_method!r} has no {self.name!r}: only {', '.join(able)}")
        RelayCommand.__post_init__(self)

    @property
    def method(self) -> str:
        """The wire method, for example ``calling.play.stop``."""
        return SUB_COMMANDS[self.action_method][self.name]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Stop(SubCommand):
    """End the operation. What completes it is the event that follows, not the answer."""

    name: ClassVar[str] = "stop"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pause(SubCommand):
    """Halt the operation; ``behavior`` ``skip`` or ``silence`` is for recordings only."""

    name: ClassVar[str] = "pause"

    behavior: AnyText | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Resume(SubCommand):
    """Let a halted operation go on."""

    name: ClassVar[str] = "resume"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SetVolume(SubCommand):
    """Change the volume of what is played, in decibels. No event tells of it."""

    name: ClassVar[str] = "volume"

    volume: Volume


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StartInputTimers(SubCommand):
    """Start the clock of ``initial_timeout``, of a collect that was started without."""

    name: ClassVar[str] = "start_input_timers"
