"""Brings each event to its actor, and new calls and texts to their class. Layer: hall.

Source: PROTOCOL 7.3, 8.3, 14.3; SEMANTICS K3-K5, K10, X11. It works in the turns of the connection.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from typing import Any

from relay_actors.actors.leg import Leg
from relay_actors.actors.leg_actor import Kept
from relay_actors.actors.message import KeptMessage, TextMessage
from relay_actors.actors.notices import ConnectionLost, ConnectionRestored
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.wire import Wire
from relay_actors.errors import RelayActorsError
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.events import (
    CallReceiveEvent,
    CallStateEvent,
    DialEvent,
    MessageReceiveEvent,
    MessageStateEvent,
    RelayEvent,
)
from relay_actors.protocol.states import CallState
from relay_actors.runtime.reasons import DeadLetter

__all__ = ["Router"]

_log = logging.getLogger("relay_actors.router")


class Router:
    """Finds who is concerned: by call id, else dial tag, else control id, else message id.

    Args:
        wire: what the connection keeps.
        send: sends a request of the router's own.
    """

    def __init__(self, wire: Wire, send: Callable[[Outgoing], None]) -> None:
        self._wire = wire
        self._office = wire.office
        self._send = send

    def subject_of(self, event: RelayEvent) -> str:
        """Return what an event is about, for the journal; "" if it is about nothing that has a name."""
        if isinstance(event, MessageReceiveEvent | MessageStateEvent):
            return event.message_id
        return event.call_id or event.tag or event.control_id

    def route(self, event: RelayEvent, connection: Any) -> None:
        """Bring one event to its actor."""
        match event:
            case CallReceiveEvent(call_id=call_id) if call_id:
                self._on_inbound_call(event, connection)
            case MessageReceiveEvent(message_id=message_id) if message_id:
                self._on_inbound_message(event)
            case MessageStateEvent(message_id=message_id) if message_id:
                self._deliver(("message", message_id), message_id, event)
            case DialEvent(tag=tag):
                self._on_dial_event(tag, event)
            case RelayEvent(call_id=call_id) if call_id:
                self._on_call_event(call_id, event)
            case _ if event.control_id and (ref := self._office.find(("control", event.control_id))) is not None:
                ref.tell_ahead(event)
            case _:
                _log.debug("event without an owner dropped event=%s", event.event_type)

    def hand_parked(self, key: Hashable, ref: Any) -> None:
        """Hand an actor what came before it was known, in order."""
        for event in self._wire.parking.take(key):
            ref.tell_ahead(event)

    def expire(self, now: float) -> None:
        """Give up events that have waited long enough."""
        for event in self._wire.parking.expire(now):
            self._unrouted(event)

    def tell_lost(self) -> None:
        """Tell all calls that the connection is gone."""
        for ref in list(self._wire.live.values()):
            ref.tell_ahead(ConnectionLost())

    def tell_restored(self, *, resumed: bool, gap_s: float) -> None:
        """Tell all calls that the connection is back."""
        for ref in list(self._wire.live.values()):
            ref.tell_ahead(ConnectionRestored(resumed, gap_s))

    # -- calls -------------------------------------------------------------------------------------------------------

    def _on_inbound_call(self, event: CallReceiveEvent, connection: Any) -> None:
        wire = self._wire
        known = self._office.find(("call", event.call_id))
        if known is not None:
            known.tell_ahead(event)
            return
        actor_class = wire.calls.find(event.context)
        ids: JsonObject = {"node_id": event.node_id, "call_id": event.call_id}
        hooks = self._office.system.hooks
        if wire.drains:
            hooks.count("calls.declined")
            self._send(Outgoing("calling.end", {**ids, "reason": "decline"}, _log_failure, event.call_id))
        elif actor_class is None:
            hooks.count("calls.rejected")
            _log.warning("no class handles context %r: call declined call_id=%s", event.context, event.call_id)
            self._send(Outgoing("calling.end", {**ids, "reason": "decline"}, _log_failure, event.call_id))
        elif len(wire.live) >= wire.max_active_calls:
            hooks.count("calls.passed")
            _log.error("%d calls are up, which is the limit: call passed on call_id=%s", len(wire.live), event.call_id)
            self._send(Outgoing("calling.pass", ids, _log_failure, event.call_id))
        else:
            self._start_call(actor_class, event, connection)

    def _start_call(self, actor_class: Any, event: CallReceiveEvent, connection: Any) -> None:
        office = self._office
        if office.calls is None:
            return
        leg = Leg(direction="inbound")
        leg.received(event)
        ref = office.system.start_child(
            office.calls,
            actor_class,
            spec=actor_class.child_spec(office),
            keep=Kept(leg, office),
            keys=(("call", event.call_id),),
        )
        self._wire.live[event.call_id] = ref
        connection.watch(ref._cell)  # noqa: SLF001  # the connection's own cell watches; its actor may be restarted
        office.system.hooks.count("calls.received")
        ref.tell_ahead(event)
        self.hand_parked(event.call_id, ref)

    def _on_call_event(self, call_id: str, event: RelayEvent) -> None:
        ref = self._office.find(("call", call_id))
        if ref is None and event.tag:
            ref = self._office.find(("tag", event.tag))
            if ref is None and event.tag in self._wire.stale_tags:
                self._end_stale(event.node_id, call_id, event)
                return
        if ref is not None:
            self._deliver_to(ref, call_id, event)
        elif isinstance(event, CallStateEvent) and (event.created_by == "connect" or event.parent):
            _log.debug("event of a connected leg dropped call_id=%s", call_id)  # its own calls see it as peer
        else:
            self._park(call_id, event)

    def _on_dial_event(self, tag: str, event: DialEvent) -> None:
        ref = self._office.find(("tag", tag)) if tag else None
        if ref is not None:
            ref.tell_ahead(event)
        elif tag in self._wire.stale_tags and event.dial_state == "answered" and event.winner_call_id:
            self._end_call(event.winner_node_id or event.node_id, event.winner_call_id)
        else:
            _log.debug("dial event of an unknown tag dropped tag=%s", tag)

    def _end_stale(self, node_id: str, call_id: str, event: RelayEvent) -> None:
        if isinstance(event, CallStateEvent) and event.call_state == CallState.ANSWERED:
            self._end_call(node_id, call_id)

    def _end_call(self, node_id: str, call_id: str) -> None:
        """Hang up a leg that was answered after its dial was given up (PROTOCOL 9.3)."""
        self._office.system.hooks.count("calls.late_legs")
        params: JsonObject = {"node_id": node_id, "call_id": call_id, "reason": "cancel"}
        self._send(Outgoing("calling.end", params, _log_failure, call_id))

    # -- messages ----------------------------------------------------------------------------------------------------

    def _on_inbound_message(self, event: MessageReceiveEvent) -> None:
        office = self._office
        if office.find(("message", event.message_id)) is not None:
            return  # delivered again
        actor_class = self._wire.messages.find(event.context)
        if actor_class is None or office.messages is None:
            office.system.hooks.count("messages.unhandled")
            _log.warning("no class handles texts of context %r message_id=%s", event.context, event.message_id)
            return
        office.system.hooks.count("messages.received")
        ref = office.system.start_child(
            office.messages,
            actor_class,
            spec=actor_class.child_spec(office),
            keep=KeptMessage(TextMessage.received(event), office),
            keys=(("message", event.message_id),),
        )
        ref.tell_ahead(event)

    # -- events whose owner is not known ------------------------------------------------------------------------------

    def _deliver(self, key: Hashable, parked_as: Hashable, event: RelayEvent) -> None:
        ref = self._office.find(key)
        if ref is None:
            self._park(parked_as, event)
        else:
            self._deliver_to(ref, parked_as, event)

    def _deliver_to(self, ref: Any, parked_as: Hashable, event: RelayEvent) -> None:
        # The owner may have registered itself a moment ago: what was parked comes first, or the order would be lost.
        if parked_as in self._wire.parking:
            self.hand_parked(parked_as, ref)
        ref.tell_ahead(event)

    def _park(self, key: Hashable, event: RelayEvent) -> None:
        for given_up in self._wire.parking.park(key, event, self._office.system.clock.now()):
            self._unrouted(given_up)

    def _unrouted(self, event: RelayEvent) -> None:
        self._office.system.dead_letters.publish(DeadLetter(event, self.subject_of(event), "unrouted"))


def _log_failure(_result: JsonObject | None, error: RelayActorsError | None) -> None:
    if error is not None:
        _log.debug("a call could not be turned away: %s", error)
