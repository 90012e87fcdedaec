"""Every command of the wire and what carries it out. Layer: simulator.

Source: PROTOCOL 8 to 14, 19.1, 19.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from relay_actors.protocol.readers import read_number, read_text, read_texts
from relay_actors.simulator.bindings import DigitBindings
from relay_actors.simulator.bridging import Bridge, DeviceBridge
from relay_actors.simulator.calls import Call, Params
from relay_actors.simulator.conferences import Conferences
from relay_actors.simulator.dialling import Device, Dial, Hunt, groups_of
from relay_actors.simulator.exchange import Exchange
from relay_actors.simulator.holding import denoise, hold, stop_denoising, unhold
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.messaging import Messaging
from relay_actors.simulator.operations.ai import Ai, AmazonBedrock, hold_ai, message_ai, unhold_ai
from relay_actors.simulator.operations.base import Operation
from relay_actors.simulator.operations.collect import Collect, PlayAndCollect
from relay_actors.simulator.operations.detect import Detect
from relay_actors.simulator.operations.echo import Echo
from relay_actors.simulator.operations.fax import ReceiveFax, SendFax
from relay_actors.simulator.operations.live import LiveTranscription, LiveTranslation
from relay_actors.simulator.operations.media_streams import Stream, Tap
from relay_actors.simulator.operations.pay import Pay
from relay_actors.simulator.operations.play import Play
from relay_actors.simulator.operations.record import Record
from relay_actors.simulator.operations.refer import Refer
from relay_actors.simulator.operations.send_digits import SendDigits
from relay_actors.simulator.operations.transcribe import Transcribe
from relay_actors.simulator.post import Post
from relay_actors.simulator.queue_bridging import QueueBridge, is_queue, queue_name
from relay_actors.simulator.queues import Queues
from relay_actors.simulator.replies import Reply, Result, accepted, not_simulated, refused
from relay_actors.simulator.rooms import Rooms
from relay_actors.simulator.scripts import UserEvent
from relay_actors.simulator.sessions import Session
from relay_actors.simulator.switchboard import Switchboard
from relay_actors.simulator.world import World

__all__ = ["Commands"]

OperationT = TypeVar("OperationT", bound=Operation)

_STARTS: Final[dict[str, type[Operation]]] = {
    "calling.ai": Ai,
    "calling.amazon_bedrock": AmazonBedrock,
    "calling.collect": Collect,
    "calling.detect": Detect,
    "calling.echo": Echo,
    "calling.pay": Pay,
    "calling.play": Play,
    "calling.play_and_collect": PlayAndCollect,
    "calling.receive_fax": ReceiveFax,
    "calling.record": Record,
    "calling.send_digits": SendDigits,
    "calling.send_fax": SendFax,
    "calling.stream": Stream,
    "calling.tap": Tap,
    "calling.transcribe": Transcribe,
}

_STOPS: Final[dict[str, type[Operation]]] = {
    f"{method}.stop": operation
    for method, operation in _STARTS.items()
    if method not in ("calling.amazon_bedrock", "calling.echo", "calling.send_digits")
}


class Commands:
    """Carries out commands of sessions that are logged in."""

    def __init__(
        self,
        *,
        world: World,
        post: Post,
        exchange: Exchange,
        switchboard: Switchboard,
        messaging: Messaging,
        manners: Manners,
    ) -> None:
        self._world = world
        self._post = post
        self._exchange = exchange
        self._switchboard = switchboard
        self._manners = manners
        self.conferences = Conferences(world, manners)
        self.queues = Queues(world.new_id)
        self.rooms = Rooms(world.new_id)
        self._tags: set[tuple[str, str]] = set()
        self._for_sessions: dict[str, Callable[[Session, Params], Reply]] = {
            "calling.begin": self._begin,
            "calling.dial": self._dial,
            "calling.receive": self._receive,
            "messaging.send": messaging.send,
            "signalwire.reauthenticate": self._reauthenticate,
            "signalwire.receive": self._receive,
            "signalwire.unreceive": self._unreceive,
        }
        self._for_calls: dict[str, Callable[[Call, Params], Reply]] = {
            "calling.ai_hold": hold_ai,
            "calling.ai_message": message_ai,
            "calling.ai_unhold": unhold_ai,
            "calling.answer": self._answer,
            "calling.bind_digit": lambda call, params: DigitBindings.of(call, self._run_bound).bind(params),
            "calling.clear_digit_bindings": lambda call, params: DigitBindings.of(call, self._run_bound).clear(params),
            "calling.collect.start_input_timers": self._start_input_timers,
            "calling.connect": self._connect,
            "calling.denoise": denoise,
            "calling.denoise.stop": stop_denoising,
            "calling.disconnect": self._disconnect,
            "calling.end": self._end,
            "calling.hold": hold,
            "calling.join_conference": self.conferences.join,
            "calling.join_room": self.rooms.join,
            "calling.leave_conference": self.conferences.leave,
            "calling.leave_room": self.rooms.leave,
            "calling.live_transcribe": LiveTranscription.control,
            "calling.live_translate": LiveTranslation.control,
            "calling.pass": self._pass,
            "calling.play.pause": self._pause_play,
            "calling.play.resume": self._resume_play,
            "calling.play.volume": self._set_play_volume,
            "calling.play_and_collect.volume": self._set_prompt_volume,
            "calling.queue.enter": self.queues.enter,
            "calling.queue.leave": self.queues.leave,
            "calling.record.pause": self._pause_record,
            "calling.record.resume": self._resume_record,
            "calling.refer": self._refer,
            "calling.transfer": self._transfer,
            "calling.unhold": unhold,
            "calling.user_event": self._user_event,
        }

    def is_known(self, method: str) -> bool:
        """Whether this server has the method at all."""
        return method in self._for_sessions or self._on_a_call(method) is not None

    def target(self, session: Session, params: Params) -> Call | None:
        """Return the living leg of ``session`` that a command names, or None."""
        call_id, node_id = read_text(params.get("call_id")), read_text(params.get("node_id"))
        return self._exchange.find(call_id or "", node_id or "", session)

    def is_for_a_call(self, method: str) -> bool:
        """Whether the command needs a leg."""
        return self._on_a_call(method) is not None

    def run(self, session: Session, method: str, params: Params) -> Reply:
        """Carry out a command and return its answer; the events that it causes go to the post.

        Args:
            session: whose it is.
            method: is known.
            params: name a living leg, if it needs one.
        """
        if (for_session := self._for_sessions.get(method)) is not None:
            return for_session(session, params)
        for_call, call = self._on_a_call(method), self.target(session, params)
        assert for_call is not None
        assert call is not None
        if method not in _STARTS or not (control_id := read_text(params.get("control_id"))):
            return for_call(call, params)
        # A client that has not had the answer may send it again, and nobody must hear a prompt twice.
        if control_id in call.control_ids:
            return refused("409", f"control_id {control_id} is, or was, in use on this call")
        reply = for_call(call, params)
        if isinstance(reply, Result) and reply.is_success:
            call.control_ids.add(control_id)
        return reply

    def clear(self) -> None:
        """Forget conferences, queues, rooms and dials."""
        self.conferences.clear()
        self.queues.clear()
        self.rooms.clear()
        self._tags.clear()

    def _on_a_call(self, method: str) -> Callable[[Call, Params], Reply] | None:
        if (handler := self._for_calls.get(method)) is not None:
            return handler
        if (operation := _STARTS.get(method)) is not None:
            return lambda call, params: operation(call, self._control_id(params), params).begin()
        if (stopped := _STOPS.get(method)) is not None:
            return lambda call, params: self._stop(call, stopped, params)
        return None

    def _run_bound(self, call: Call, method: str, params: Params) -> Reply:
        """Carry out what a digit binding triggers, for the owner of the leg."""
        handler = self._on_a_call(method)
        return not_simulated(method) if handler is None else handler(call, params)

    def _control_id(self, params: Params) -> str:
        return read_text(params.get("control_id")) or self._world.new_id()

    # The call itself.

    def _answer(self, call: Call, params: Params) -> Reply:
        if call.direction != "inbound":
            return refused("409", "An outbound call is answered at the other end")
        if not call.is_answered:  # a client that has not had the answer may send it again
            call.answer()
            self._limit(call, params)
        return accepted("Answered")

    def _limit(self, call: Call, params: Params) -> None:
        """End a call that is answered now, when it has lasted as long as it may."""
        if (minutes := read_number(params.get("max_duration")) or 0.0) > 0:
            self._world.after(minutes * 60.0, lambda: call.end("max_duration"))

    def _end(self, call: Call, params: Params) -> Reply:
        call.end(read_text(params.get("reason")) or "hangup")
        return accepted("Disconnecting call")

    def _pass(self, call: Call, params: Params) -> Reply:
        if call.direction != "inbound" or call.is_answered:
            return refused("409", "Only an unanswered inbound call can be passed on")
        self._switchboard.pass_on(call)
        return accepted("Passing call", call_id=call.call_id)

    def _transfer(self, call: Call, params: Params) -> Reply:
        self._switchboard.transfer(call, read_text(params.get("dest")) or "")
        return accepted("Transferring", call_id=call.call_id)

    def _connect(self, call: Call, params: Params) -> Reply:
        if call.joint is not None:
            return refused("409", "Peer call already exists")
        if (place := self.queues.place_of(call)) is not None:
            return refused("409", f"The call waits in queue {place.queue.name}: it has to leave that first")
        groups = groups_of(params.get("devices"))
        if not groups:
            return refused("400", "There is no device to connect to")
        queues = [device for group in groups for device in group if is_queue(device)]
        bridge: Bridge
        if not queues:
            bridge = DeviceBridge(self._world, self._exchange, self._manners, first=call, groups=groups, params=params)
        elif groups == [queues[:1]] and (name := queue_name(queues[0])):
            queue = self.queues.queue(name)
            bridge = QueueBridge(self._world, self._manners, first=call, queue=queue, device=queues[0], params=params)
        else:
            return refused("400", "A queue has to be the only device, and its params have to say its queue_name")
        bridge.start()
        return accepted("Connecting")

    def _refer(self, call: Call, params: Params) -> Reply:
        return Refer(call, self._control_id(params), params, exchange=self._exchange, manners=self._manners).begin()

    def _user_event(self, call: Call, params: Params) -> Reply:
        free = {key: value for key, value in params.items() if key not in ("call_id", "node_id", "event")}
        self._world.scripts.user_events.append(UserEvent(call.call_id, params.get("event"), free))
        if call.ear is not None:
            call.ear.on_change(f"user event {params.get('event')}")
        return accepted("Event sent", call_id=call.call_id)

    def _disconnect(self, call: Call, params: Params) -> Reply:
        if call.joint is None:
            return refused("409", "There is no peer call")
        call.joint.part()
        return accepted("Disconnecting")

    # Dialling.

    def _dial(self, session: Session, params: Params) -> Reply:
        groups = groups_of(params.get("devices"))
        if not groups:
            return refused("400", "There is no device to dial")
        tag = read_text(params.get("tag")) or self._world.new_id()
        if (session.name, tag) in self._tags:
            return refused("409", "A dial with this tag is under way")
        self._tags.add((session.name, tag))
        Dial(
            self._world,
            self._exchange,
            self._manners,
            session=session,
            tag=tag,
            groups=groups,
            max_duration_s=60.0 * (read_number(params.get("max_duration")) or 0.0),
            emit=lambda event_type, fields: self._post.send(session, event_type, fields),
            on_over=lambda: self._tags.discard((session.name, tag)),
        ).start()
        return accepted("Dialing")

    def _begin(self, session: Session, params: Params) -> Reply:
        """Dial a single device; the answer names the leg. Source: PROTOCOL 9.4."""
        legs: list[Call] = []

        def make_leg(device: Device) -> Call:
            leg = self._exchange.new_call(
                session=session,
                direction="outbound",
                device=device,
                created_by="dial",
                tag=read_text(params.get("tag")) or "",
            )
            legs.append(leg)
            leg.report_state()
            return leg

        def answer(leg: Call, _cancel_others: Callable[[], None]) -> None:
            leg.answer()
            self._limit(leg, params)

        groups = groups_of([[params.get("device")]])
        if not groups:
            return refused("400", "There is no device to dial")
        Hunt(
            self._world,
            self._exchange,
            groups,
            ring_s=self._manners.ring_s,
            make_leg=make_leg,
            on_group=lambda: None,
            on_answered=answer,
            on_failed=lambda _reason: None,
        ).start()
        return accepted("Call started", call_id=legs[0].call_id, node_id=legs[0].node_id)

    # Operations that run.

    def _stop(self, call: Call, operation: type[Operation], params: Params) -> Reply:
        return self._with(call, operation, params, "Stopping", lambda running: running.stop())

    def _pause_play(self, call: Call, params: Params) -> Reply:
        return self._with(call, Play, params, "Pausing", lambda play: play.pause())

    def _resume_play(self, call: Call, params: Params) -> Reply:
        return self._with(call, Play, params, "Resuming", lambda play: play.resume())

    def _set_play_volume(self, call: Call, params: Params) -> Reply:
        return self._with(call, Play, params, "Setting volume", lambda _play: None)

    def _set_prompt_volume(self, call: Call, params: Params) -> Reply:
        return self._with(call, PlayAndCollect, params, "Setting volume", lambda _prompt: None)

    def _pause_record(self, call: Call, params: Params) -> Reply:
        behavior = read_text(params.get("behavior")) or "skip"
        return self._with(call, Record, params, "Pausing", lambda record: record.pause(behavior))

    def _resume_record(self, call: Call, params: Params) -> Reply:
        return self._with(call, Record, params, "Resuming", lambda record: record.resume())

    def _start_input_timers(self, call: Call, params: Params) -> Reply:
        is_prompt = isinstance(call.running.get(read_text(params.get("control_id")) or ""), PlayAndCollect)
        kind: type[Collect] | type[PlayAndCollect] = PlayAndCollect if is_prompt else Collect
        return self._with(call, kind, params, "Starting input timers", lambda collect: collect.start_timers())

    def _with(
        self, call: Call, kind: type[OperationT], params: Params, message: str, act: Callable[[OperationT], None]
    ) -> Reply:
        control_id = read_text(params.get("control_id")) or ""
        running = call.running.get(control_id)
        # Of this very kind: what receives a fax is not stopped as one that sends it, and no more on a real server.
        if not isinstance(running, kind) or type(running) is not kind:
            return refused("404", f"Nothing runs under control_id {control_id}")
        act(running)
        return accepted(message, call_id=call.call_id, control_id=control_id)

    # The session.

    def _receive(self, session: Session, params: Params) -> Reply:
        one = read_text(params.get("context"))
        session.subscribe([*(read_texts(params.get("contexts")) or []), *([one] if one else [])])
        self._switchboard.contexts_changed(session)
        return accepted("Receiving all inbound related to the requested relay contexts")

    def _unreceive(self, session: Session, params: Params) -> Reply:
        session.unsubscribe(read_texts(params.get("contexts")) or [])
        return accepted("Unreceiving events")

    def _reauthenticate(self, session: Session, params: Params) -> Reply:
        return accepted("Reauthenticated", authorization={"project": session.project, "expires_at": None})
