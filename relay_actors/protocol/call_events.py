"""Events about a call as a whole: its states, its legs, its bridges. Layer: protocol, pure.

Attributes are the wire's own names unless said otherwise. A null, missing or unusable value is the field's default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.readers import read_code, read_flag, read_object, read_text
from relay_actors.protocol.relay_event import RelayEvent, wire

__all__ = [
    "CallReceiveEvent",
    "CallStateEvent",
    "CallingErrorEvent",
    "ConferenceEvent",
    "ConnectEvent",
    "DenoiseEvent",
    "DialEvent",
    "EchoEvent",
    "HoldEvent",
    "QueueEvent",
    "ReferEvent",
    "SendDigitsEvent",
    "device_number",
]


@dataclass(frozen=True, slots=True)
class CallStateEvent(RelayEvent):
    """``calling.call.state``: a leg has changed its state.

    Attributes:
        call_state: where the leg is now.
        end_reason: ``hangup``, ``cancel``, ``busy``, ``noAnswer``, ``decline``, ``error``, …; only at the end.
        direction: ``inbound`` or ``outbound``.
        device: ``{type, params}`` of the other party.

    Source: PROTOCOL 8.2.
    """

    call_state: str = ""
    end_reason: str = ""
    direction: str = ""
    device: JsonObject = field(default_factory=dict)

    @property
    def from_number(self) -> str:
        """Who calls: a number, or a SIP address."""
        return device_number(self.device, "from")

    @property
    def to_number(self) -> str:
        """Who is called: a number, or a SIP address."""
        return device_number(self.device, "to")

    @property
    def created_by(self) -> str:
        """What made the leg: ``dial``, ``connect`` or ``receive``."""
        return self._text("created_by")

    @property
    def peer(self) -> JsonObject:
        """The leg that this one is bridged to: ``{call_id, node_id}``, or empty."""
        return self._object("peer")

    @property
    def parent(self) -> JsonObject:
        """The leg for which ``connect`` made this one: ``{device_type, node_id, call_id}``, or empty."""
        return self._object("parent")

    @property
    def start_time_ms(self) -> int:
        """When the leg began, in milliseconds since the epoch; 0 when not said."""
        return self._whole_number("start_time")

    @property
    def answer_time_ms(self) -> int:
        """When it was answered, in milliseconds since the epoch; 0 when not reached."""
        return self._whole_number("answer_time")

    @property
    def end_time_ms(self) -> int:
        """When it ended, in milliseconds since the epoch; 0 when not reached."""
        return self._whole_number("end_time")


@dataclass(frozen=True, slots=True)
class CallReceiveEvent(RelayEvent):
    """``calling.call.receive``: somebody calls one of our contexts.

    Attributes:
        call_state: ``created``, or ``ringing`` from some servers.
        direction: ``inbound``.
        device: ``{type, params}`` of the other party.
        project_id: of the project that is called.
        context: the routing label by which it came in.

    Source: PROTOCOL 8.3.
    """

    call_state: str = ""
    direction: str = ""
    device: JsonObject = field(default_factory=dict)
    node_id: str = ""
    project_id: str = wire("", "params.project_id", "project_id")
    context: str = wire("", "params.context", "params.protocol", "context")
    segment_id: str = ""
    tag: str = ""

    @property
    def from_number(self) -> str:
        """Who calls: a number, or a SIP address."""
        return device_number(self.device, "from")

    @property
    def to_number(self) -> str:
        """Who is called: a number, or a SIP address."""
        return device_number(self.device, "to")


@dataclass(frozen=True, slots=True)
class ConnectEvent(RelayEvent):
    """``calling.call.connect``: the bridge from this leg to another.

    Attributes:
        connect_state: how far the bridge is.
        peer: the other leg: ``{call_id, node_id, …}``, or empty.

    Source: PROTOCOL 12.
    """

    connect_state: str = ""
    peer: JsonObject = field(default_factory=dict)

    @property
    def peer_call_id(self) -> str:
        """The other leg, or ``""``."""
        return read_text(self.peer.get("call_id")) or ""

    @property
    def peer_node_id(self) -> str:
        """The node of the other leg, or ``""``; it can differ from ours."""
        return read_text(self.peer.get("node_id")) or ""

    @property
    def peer_device(self) -> JsonObject:
        """What the other leg is: ``{type, params}``, or empty."""
        return read_object(self.peer.get("device")) or {}

    @property
    def peer_number(self) -> str:
        """Who was called on the other leg: a number, or a SIP address; ``""`` when not said."""
        return device_number(self.peer_device, "to")

    @property
    def peer_queue_id(self) -> str:
        """The queue from which the other leg came, or ``""``."""
        return read_text(self.peer.get("queue_id")) or ""

    @property
    def peer_queue_name(self) -> str:
        """The name of that queue, or ``""``."""
        return read_text(self.peer.get("queue_name")) or ""

    @property
    def failed_reason(self) -> str:
        """Why it failed; only on ``failed``."""
        return self._text("failed_reason")


@dataclass(frozen=True, slots=True)
class DialEvent(RelayEvent):
    """``calling.call.dial``: how far a dial is. The leg is in ``call``, not in ``call_id``.

    Attributes:
        dial_state: how far it is.
        call: the leg that it is about: ``{call_id, node_id, …}``, or empty.

    Source: PROTOCOL 9.2.
    """

    tag: str = ""
    dial_state: str = ""
    call: JsonObject = field(default_factory=dict)

    @property
    def winner_call_id(self) -> str:
        """The leg that was answered; ``""`` unless answered."""
        return read_text(self.call.get("call_id")) or ""

    @property
    def winner_node_id(self) -> str:
        """The node of the leg that was answered; ``""`` unless answered."""
        return read_text(self.call.get("node_id")) or ""

    @property
    def dial_winner(self) -> bool:
        """Whether ``call`` is the winner: it says so, or the dial is answered and says nothing (PROTOCOL 9.2)."""
        said = read_flag(self.call.get("dial_winner"))
        return self.dial_state == "answered" if said is None else said

    @property
    def reason(self) -> str:
        """Why it failed, when the server says."""
        return self._text("reason")

    @property
    def source(self) -> str:
        """Where it failed, when the server says."""
        return self._text("source")


@dataclass(frozen=True, slots=True)
class SendDigitsEvent(RelayEvent):
    """``calling.call.send_digits``: the tones are over.

    Attributes:
        state: ``finished``.
    """

    control_id: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class ReferEvent(RelayEvent):
    """``calling.call.refer``: how a SIP REFER goes. Response codes are text, for example ``202``.

    Attributes:
        state: ``inProgress``, and then ``success``, ``cancel``, ``busy``, ``noAnswer`` or ``error``.
        sip_refer_to: whither.
        sip_refer_response_code: what the phone has answered.
        sip_notify_response_code: what became of its call there.
    """

    state: str = ""
    sip_refer_to: str = ""
    sip_refer_response_code: str = wire("", read=read_code)
    sip_notify_response_code: str = wire("", read=read_code)


@dataclass(frozen=True, slots=True)
class DenoiseEvent(RelayEvent):
    """``calling.call.denoise``: noise reduction was switched on or off.

    Attributes:
        denoised: whether it is on.
    """

    denoised: bool = False


@dataclass(frozen=True, slots=True)
class HoldEvent(RelayEvent):
    """``calling.call.hold``: the call was put on hold or taken off it.

    Attributes:
        state: ``hold`` or ``unhold``.
    """

    state: str = ""


@dataclass(frozen=True, slots=True)
class EchoEvent(RelayEvent):
    """``calling.call.echo``: the echo test began or ended.

    Attributes:
        state: ``echoing`` or ``finished``.
    """

    state: str = ""


@dataclass(frozen=True, slots=True)
class QueueEvent(RelayEvent):
    """``calling.call.queue``: the call's place in a queue. The wire says ``id`` and ``name`` for the queue's own.

    Attributes:
        status: ``enqueue``, ``waiting``, ``dequeue`` (somebody takes the call) or ``leave``.
        queue_id: the server's id of the queue.
        queue_name: as the call has entered it.
        position: 1 is next.
        size: how many calls wait.
    """

    control_id: str = ""
    status: str = ""
    queue_id: str = wire("", "params.id")
    queue_name: str = wire("", "params.name")
    position: int = 0
    size: int = 0

    @property
    def avg_time_s(self) -> float:
        """How long calls wait in this queue on average, in seconds; 0.0 when not said."""
        return self._number("avg_time")

    @property
    def enqueue_time_us(self) -> int:
        """When the call came into the queue, in microseconds since the epoch; 0 when not said."""
        return self._whole_number("enqueue_ts")

    @property
    def dequeue_time_us(self) -> int:
        """When the call was fetched from the queue, in microseconds since the epoch; 0 when not reached."""
        return self._whole_number("dequeue_ts")

    @property
    def leave_time_us(self) -> int:
        """When the call left the queue unfetched, in microseconds since the epoch; 0 when not reached."""
        return self._whole_number("leave_ts")


@dataclass(frozen=True, slots=True)
class ConferenceEvent(RelayEvent):
    """``calling.conference``: something happened in a conference.

    It comes to the call named by ``call_id``; what concerns all of them may lack one. Whom it is about says
    `participant_call_id`.

    Attributes:
        conference_id: as `leave_conference` wants it.
        name: as the call has joined it.
        status: ``conference-start``, ``participant-join``, ``participant-leave``, ``conference-end``, …

    Source: PROTOCOL 13.7.
    """

    conference_id: str = ""
    name: str = ""
    status: str = ""

    @property
    def participant_call_id(self) -> str:
        """Whom it is about: another member, when the server says so as the simulator does, or else the call itself."""
        return self._text("participant_call_id") or self.call_id

    @property
    def size(self) -> int:
        """How many participants there are; 0 when not said."""
        return self._whole_number("size")

    @property
    def muted(self) -> bool:
        """Whether the participant is muted."""
        return self._flag("muted")

    @property
    def hold(self) -> bool:
        """Whether the participant is on hold."""
        return self._flag("hold")

    @property
    def coaching(self) -> bool:
        """Whether the participant is heard by one other only."""
        return self._flag("coaching")

    @property
    def start_on_join(self) -> bool:
        """Whether the conference starts when the participant joins."""
        return self._flag("start_on_join")

    @property
    def end_on_leave(self) -> bool:
        """Whether the conference ends when the participant leaves."""
        return self._flag("end_on_leave")

    @property
    def reason_ended(self) -> str:
        """Why the conference ended, for example ``last-participant-left``; only on ``conference-end``."""
        return self._text("reason_ended")

    @property
    def call_id_ending_conf(self) -> str:
        """The participant with which the conference ended, or ``""``."""
        return self._text("call_id_ending_conf")

    @property
    def recording_url(self) -> str:
        """Where the recording of the conference lies, or ``""``."""
        return self._text("recording_url")

    @property
    def recording_duration(self) -> float:
        """How long the recording is, in seconds; 0.0 when not said."""
        return self._number("recording_duration")

    @property
    def recording_file_size(self) -> int:
        """How large the recording is, in bytes; 0 when not said."""
        return self._whole_number("recording_file_size")


@dataclass(frozen=True, slots=True)
class CallingErrorEvent(RelayEvent):
    """``calling.error``: a problem on the call. It ends neither the call nor an action.

    Attributes:
        code: of the server's own.
        message: what is wrong.
    """

    code: str = wire("", read=read_code)
    message: str = ""


def device_number(device: Mapping[str, object], side: str) -> str:
    """Return one side of a device: a phone's ``from_number``/``to_number``, a SIP device's ``from``/``to``, or ``""``.

    Args:
        device: ``{type, params}``, perhaps empty.
        side: ``from`` or ``to``.

    Source: PROTOCOL 13.2.
    """
    params = read_object(device.get("params")) or {}
    return read_text(params.get(f"{side}_number")) or read_text(params.get(side)) or ""
