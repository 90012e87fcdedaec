"""`CallKit`: one call's actor in a unit test. Layer: door."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from relay_actors.actors.call import CallActor
from relay_actors.actors.call_handle import CallHandle
from relay_actors.config import Limits, Timing
from relay_actors.errors import ConfigError
from relay_actors.protocol import checks
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import ActionCommand, Hangup
from relay_actors.protocol.completion import COMPLETION_RULES, is_continuous, is_terminal
from relay_actors.protocol.events import EVENT_CLASS_MAP, RelayEvent, parse_event
from relay_actors.protocol.near_miss import near_miss
from relay_actors.protocol.relay_event import payload_of
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.simulator.lines import check_keys
from relay_actors.testing.actor_kit import CALLER, OURS, ActorKit
from relay_actors.testing.expecting import describe, matches, shown
from relay_actors.testing.scripted_wire import NODE

__all__ = ["CallKit"]

END_REASONS: Final = (
    "hangup", "cancel", "busy", "noAnswer", "decline", "error", "abandoned", "max_duration", "not_found",
)  # fmt: skip
"""By which calls end on the wire; a server may have others."""


class CallKit(ActorKit[CallActor]):
    """One call's actor, alone: a test says what happens to the call, and looks at the commands that follow.

    ::

        with CallKit(Support) as kit:
            kit.arrives(from_number="+15550001111")
            kit.expect(Answer)
            kit.answered()
            kit.expect(PlayAndCollect)
            kit.presses("1")
            assert kit.expect(Transfer).dest == "context:sales"

    Nothing follows from a command but its answer: that an answered call is answered, or that a prompt has come to its
    end, is for the test to say. At the end of the block the call is over, and nothing of its actor may be left.

    Args:
        actor_class: message style, flow or states.
        seed: from which all chance follows.
        timing: of the application.
        limits: of the application.

    Raises:
        ConfigError: it is no class of calls.
    """

    def __init__(
        self,
        actor_class: type[CallActor],
        *,
        seed: int = 0,
        timing: Timing | None = None,
        limits: Limits | None = None,
    ) -> None:
        if not (isinstance(actor_class, type) and issubclass(actor_class, CallActor)):
            raise ConfigError(f"CallKit({actor_class!r}): give a subclass of CallActor; for texts there is TextKit")
        super().__init__(actor_class, seed=seed, timing=timing, limits=limits)
        self._call: CallHandle | None = None
        self._completed: set[str] = set()

    # -- what happens ------------------------------------------------------------------------------------------------

    def arrives(self, *, context: str = "office", from_number: str = CALLER, to_number: str = OURS) -> None:
        """Let somebody call. The call is not answered: the actor may do that.

        Args:
            context: by which it comes in.
            from_number: who calls.
            to_number: who is called.

        Raises:
            ConfigError: there was a call already.
        """
        self.app.calls(context)(self._actor_class)
        self._start()
        call_id = self.system.new_id()
        device = {"type": "phone", "params": {"from_number": from_number, "to_number": to_number}}
        self._tells(
            "calling.call.receive",
            {
                "node_id": NODE,
                "call_id": call_id,
                "segment_id": call_id,
                "context": context,
                "direction": "inbound",
                "call_state": "created",
                "device": device,
            },
            context=context,
        )
        self._until(lambda: self.app.call(call_id), 1.0)
        self._call = self.app.call(call_id)
        self.settle()

    def is_dialled(self, *, to_number: str = CALLER, from_number: str = OURS, **data: Any) -> None:
        """Let the application dial, with the class under test for the call; `answered` says that somebody answers.

        Args:
            to_number: who is called.
            from_number: who calls.
            data: becomes ``self.data`` of the actor.

        Raises:
            ConfigError: there was a call already.
        """
        self._start()
        device = {"type": "phone", "params": {"from_number": from_number, "to_number": to_number}}
        self._call = self.app.dial(self._actor_class, device, **data)
        self.settle()

    def receives(self, event: RelayEvent | type[RelayEvent], **params: object) -> None:
        """Let the server report something, and everything happen that follows at once.

        Args:
            event: an event, ``CallStateEvent("calling.call.state", call_state="ending")``; or its class, if the
                ``params`` say the rest: ``receives(CallStateEvent, call_state="ending")``. Which call it is about is
                added, unless it says so itself.
            params: further members of the event's params, by their names on the wire.

        Raises:
            ConfigError: the class is none of an event on the wire.
        """
        payload = payload_of(event) if isinstance(event, RelayEvent) else {"event_type": _type_of(event), "params": {}}
        said = cast("JsonObject", payload.pop("params"))
        self._tells(str(payload.pop("event_type")), {**said, **params}, **payload)
        self.settle()

    def answered(self) -> None:
        """Let the call be answered: the caller and the application hear each other from now on."""
        leg = self.call.leg
        if leg.dialling is not None and not leg.call_id:
            call_id = self.system.new_id()
            winner = {
                "call_id": call_id,
                "node_id": NODE,
                "tag": leg.tag,
                "device": leg.dialling.command.to_params()["devices"][0][0],  # type: ignore[index]  # as `is_dialled`
                "dial_winner": True,
                "call_state": "answered",
                "direction": "outbound",
                "segment_id": call_id,
            }
            self._tells(
                "calling.call.dial", {"node_id": NODE, "tag": leg.tag, "dial_state": "answered", "call": winner}
            )
            self.settle()
        self._moves_to("answered")

    def ended(self, reason: str = "hangup") -> None:
        """Let the call be over, as when the caller has hung up.

        Args:
            reason: ``hangup``, ``cancel``, ``busy``, ``noAnswer``, ``decline``, ``error``, or any other.

        Raises:
            ConfigError: it is nearly one of the wire, but none.
        """
        if (meant := near_miss(reason, END_REASONS)) is not None:
            raise ConfigError(f"no call ends by {reason!r}; it probably means {meant!r}")
        self._moves_to("ended", end_reason=reason)

    def completes(
        self, action: ActionCommand | type[ActionCommand], event: RelayEvent | None = None, **params: object
    ) -> None:
        """Let a running operation come to its end.

        Args:
            action: the command that has started it, as `expect` gives it; or its class, for the latest one that runs.
            event: what completes it; by default one that says ``finished``.
            params: in place of it, the params of that event, by their names on the wire.

        Raises:
            ConfigError: no such operation runs, or the event would not complete it.
        """
        command = self._running(action)
        rule = COMPLETION_RULES[command.method]
        if event is not None:
            payload = payload_of(event)
        else:
            payload = {"event_type": rule.completing, "params": params or {"state": "finished"}}
        said = {**cast("JsonObject", payload["params"]), "control_id": command.control_id}
        reported = parse_event({**payload, "params": said})
        if not is_terminal(command.method, reported):
            raise ConfigError(f"{command.method} is not completed by {shown(reported)}. {rule.judge.__doc__}")
        if not is_continuous(command.method, command.to_params()):
            self._completed.add(command.control_id or "")
        self._tells(str(payload["event_type"]), said)
        self.settle()

    def presses(self, digits: str, *, terminator: str = "") -> None:
        """Let the operation that collects come to its end by keys: the latest one that runs.

        Args:
            digits: the keys, without the one that ends the input.
            terminator: that one.

        Raises:
            ConfigError: nothing collects, or there is a key that no phone has.
        """
        check_keys(digits)
        check_keys(terminator)
        self._collected("digit", {"digits": digits, "terminator": terminator})

    def says(self, text: str, *, confidence: float = 90.0) -> None:
        """Let the operation that collects come to its end by what was said; otherwise as `presses`.

        Raises:
            ConfigError: nothing collects, or ``text`` is none.
        """
        checks.required(checks.any_text, text=text)
        self._collected("speech", {"text": text, "confidence": confidence})

    # -- what it does ------------------------------------------------------------------------------------------------

    @property
    def call(self) -> CallHandle:
        """The call as others hold it: ``kit.call.state``, ``kit.call.from_number``.

        Raises:
            ConfigError: there was none yet.
        """
        if self._call is None:
            raise ConfigError(f"{self!r}: say first what happens: kit.arrives() or kit.is_dialled()")
        return self._call

    @property
    def ref(self) -> ActorRef[Any]:
        """The call's actor, also after it has ended.

        Raises:
            ConfigError: there was no call yet.
        """
        return self.call.ref

    @property
    def data(self) -> dict[str, Any]:
        """The call's ``data``."""
        return self.call.leg.data

    @property
    def is_hung_up(self) -> bool:
        """Whether the actor has asked for the end of the call."""
        return any(isinstance(command, Hangup) for command in self.commands)

    # -- parts -------------------------------------------------------------------------------------------------------

    def _tells(self, event_type: str, params: JsonObject, **outer: object) -> None:
        if self._call is not None and event_type.startswith("calling.") and event_type != "calling.call.dial":
            params = {**self._call.leg.ids, **params}
        self.wire.tells({**outer, "event_type": event_type, "params": params})

    def _moves_to(self, state: str, **more: object) -> None:
        leg = self.call.leg
        self._tells(
            "calling.call.state",
            {"call_state": state, "direction": leg.direction, "device": leg.device, "tag": leg.tag, **more},
        )
        self.settle()

    def _collected(self, kind: str, params: JsonObject) -> None:
        commands = ("calling.collect", "calling.play_and_collect")
        running = [command for command in self._all_running() if command.method in commands]
        if not running:
            raise ConfigError(f"nothing collects what is pressed or said; {self._told_running()}")
        self.completes(running[-1], result={"type": kind, "params": params})

    def _running(self, action: ActionCommand | type[ActionCommand]) -> ActionCommand:
        running = [one for one in self._all_running() if matches(action, one)]
        if not running:
            raise ConfigError(f"{describe(action)} does not run; {self._told_running()}")
        return running[-1]

    def _all_running(self) -> Sequence[ActionCommand]:
        return [
            command
            for command in self.commands
            if isinstance(command, ActionCommand) and command.control_id not in self._completed
        ]

    def _told_running(self) -> str:
        running = self._all_running()
        return "what runs: " + (", ".join(map(shown, running)) or "nothing")

    def _end(self) -> list[str]:
        return super()._end() if self._call is not None else []


def _type_of(event_class: type[RelayEvent]) -> str:
    for event_type, known in EVENT_CLASS_MAP.items():
        if known is event_class:
            return event_type
    raise ConfigError(f"{event_class!r} is no class of events on the wire: give an event with an event_type")
