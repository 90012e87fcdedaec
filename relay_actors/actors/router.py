"""Brings each event to its actor, and new calls and texts to their class. Layer: hall.

Source: PROTOCOL 7.3, 8.3, 14.3; SEMANTICS K3-K5, K10, X11. It works in the turns of the connection, and keeps nothing
of its own: all that it knows stands in the `Wire`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from relay_actors.actors.call_ref import Kept
from relay_actors.actors.calls_supervisor import clean_up
from relay_actors.actors.course import Note
from relay_actors.actors.leg import Leg
from relay_actors.actors.message import MessageRef
from relay_actors.actors.message_handle import KeptMessage, TextMessage
from relay_actors.actors.notices import ConnectionLost, ConnectionRestored
from relay_actors.actors.outgoing import LastWord, Outgoing
from relay_actors.actors.routing import Claim, DialOver
from relay_actors.actors.text_turns import TextHandled, TextTurn
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
from relay_actors.runtime.actor_ref import cell_of
from relay_actors.runtime.reasons import DeadLetter

__all__ = ["Router"]

_log = logging.getLogger("relay_actors.router")


_TEXTS: Final = (MessageReceiveEvent, MessageStateEvent)
_OF_THEIR_OWN: Final = frozenset((CallReceiveEvent, DialEvent, MessageReceiveEvent, MessageStateEvent))
"""Events that are not simply brought to the call that they name."""


class Router:
    """Finds who is concerned: by call id, else dial tag, else message id.

    Args:
        wire: what the connection keeps.
        send: sends a request of the router's own.
    """

    def __init__(self, wire: Wire, send: Callable[[Outgoing], None]) -> None:
        self._wire = wire
        self._office = wire.office
        self._find = wire.office.system.registry.find
        self._owners = wire.office.system.registry.owners
        self._send = send

    def subject_of(self, event: RelayEvent) -> str:
        """Return what an event is about, for the journal; "" if it is about nothing that has a name.

        A leg that is still one of several of a dial belongs to the dial.
        """
        call_id = event.call_id
        if isinstance(event, _TEXTS):
            return event.message_id
        cell = self._owners.get(("call", call_id)) if call_id else None
        if cell is not None and not cell.stopped and isinstance(cell.keep, Kept):
            return cell.keep.leg.subject
        tag = self._tag_of(event)
        if tag and self._wire.live.owns(tag) and not self._wire.live.owns(call_id):
            return tag
        return call_id or event.tag or event.control_id

    def _tag_of(self, event: RelayEvent) -> str:
        """Return the tag of the dial of whose leg an event tells, or "".

        Its states name it, and nothing else of a leg does. But its dial has to be told of that, and the journal has to
        have it where it is told, or the call could not be rebuilt (SEMANTICS J1).
        """
        call_id, tag, live = event.call_id, event.tag, self._wire.live
        if not tag:
            return self._wire.tags.get(call_id, "")
        if isinstance(event, CallStateEvent) and call_id and live.owns(tag) and not live.owns(call_id):
            self._wire.note_leg(call_id, tag)
        return tag

    def route(self, event: RelayEvent) -> None:
        """Bring one event to its actor."""
        call_id = event.call_id
        if call_id and type(event) not in _OF_THEIR_OWN:  # as nearly always; and of a call that is up
            cell = self._owners.get(("call", call_id))
            if cell is not None and not cell.stopped and not self._wire.parking.parked:
                cell.tell_control(event)
            else:
                self._on_call_event(call_id, event)
            return
        match event:
            case CallReceiveEvent(call_id=call_id) if call_id:
                self._on_inbound_call(event)
            case MessageReceiveEvent(message_id=message_id) if message_id:
                self._on_inbound_message(event)
            case MessageStateEvent(message_id=message_id) if message_id:
                self._on_message_state(message_id, event)
            case DialEvent(tag=tag):
                self._on_dial_event(tag, event)
            case RelayEvent(call_id=call_id) if call_id:  # an offer or a text without what it is named by
                self._on_call_event(call_id, event)
            case _:
                self._drop(event, "it names no owner")

    # -- who is up ---------------------------------------------------------------------------------------------------

    def claim(self, claim: Claim) -> None:
        """Note who owns something, and hand over what came before that was known, in order."""
        self._wire.tags.pop(claim.owned, None)  # it has won
        self._claim(claim.owned, cell_of(claim.ref), is_call=claim.is_call)

    def _claim(self, owned: str, cell: Any, *, is_call: bool) -> None:
        # First noted, then looked: who ends says so first, and then has the connection told, which may know it or not.
        if self._wire.live.add(owned, cell, is_call=is_call) and cell.tells_of_end:
            self._office.tell_over(cell)
        if self._wire.parking.parked:
            self._hand_parked(owned, cell)

    def forget(self, cell: Any) -> None:
        """An actor has ended: nothing of it is kept."""
        wire = self._wire
        left = wire.live.remove(cell)
        if left is None:  # not claimed yet, or forgotten already: see `claim`
            return
        kept: Kept | KeptMessage = cell.keep
        turn = kept.turn if isinstance(kept, KeptMessage) else None
        cause = kept.leg.cause if isinstance(kept, Kept) else kept.cause  # the text whose handler has begun it, if any
        for owned in left:
            wire.gone.add(owned)
            if turn is None:
                wire.forget(owned, cause)
            wire.forget_late(owned)
            for request_id in wire.holding.forget(owned):
                wire.pending.pop(request_id, None)  # who has asked is not there any more
        if isinstance(kept, Kept):
            leg = kept.leg
            if not (self._office.calls.is_alive() or leg.is_let_go):  # it has failed for good, and cannot do this
                clean_up(cell.ref, "its supervisor has ended", self._office.system.hooks)
            if leg.call_id and leg.is_ended and not leg.is_handed_on:
                wire.ended_calls.add(leg.call_id)
        elif turn is not None:
            # Behind what its handler has told the connection, which this may have overtaken. Not while the connection
            # leaves its calls: the handler may have been refused something, and is run again by the next process.
            if wire.leaving is None:
                self._office.tell_connection(TextHandled(turn.message_id))
        elif wire.texts_in_doubt:
            wire.texts_in_doubt = [ref for ref in wire.texts_in_doubt if cell_of(ref) is not cell]

    def tell_lost(self) -> None:
        """Tell all calls that the connection is gone."""
        for cell in self._wire.live.calls:
            cell.tell_control(ConnectionLost())

    def tell_restored(self, *, resumed: bool, gap_s: float) -> None:
        """Tell all calls that the connection is back; and texts that were sent, if nothing will be heard of them."""
        live = self._wire.live
        for cell in live.calls:
            cell.tell_control(ConnectionRestored(resumed and not cell.keep.leg.is_orphaned, gap_s))
        for cell in live.texts:
            kept = cell.keep
            is_resumed = resumed and not kept.is_orphaned
            if kept.is_in_doubt or (not is_resumed and kept.message.direction == "outbound"):
                cell.tell_control(ConnectionRestored(is_resumed, gap_s))

    def note_session_gone(self) -> None:
        """Have the journal know, together with the new session, of whom nothing more will be heard (SEMANTICS K8).

        They are told, and end; but the process may end before that is in the journal.
        """
        live = self._wire.live
        subjects = [leg.subject for leg in (cell.keep.leg for cell in live.calls) if not leg.waits_to_be_dialled]
        subjects += [cell.keep.name for cell in live.texts if cell.keep.message.direction == "outbound"]
        for subject in filter(None, subjects):
            self._wire.journal.noted(Note(subject, "orphaned", {}, 0))

    # -- calls -------------------------------------------------------------------------------------------------------

    def _on_inbound_call(self, event: CallReceiveEvent) -> None:
        wire, call_id = self._wire, event.call_id
        known = self._office.find(("call", call_id)) if ("call", call_id) in self._owners else None
        if known is not None:
            known.tell_ahead(event)
            return
        if call_id in wire.ended_calls or event.call_state == CallState.ENDED:  # of which no end would come any more
            self._drop(event, "that call has ended")
            return
        wire.gone.discard(call_id)  # it may have been passed on, and come back
        wire.last_words.pop(call_id, None)
        actor_class = wire.calls.find(event.context)
        hooks = self._office.system.hooks
        if wire.drains:
            hooks.count("calls.declined")
            self._turn_away(event, "calling.end", "decline")
        elif actor_class is None:
            hooks.count("calls.rejected")
            _log.warning("no class handles context %r: call declined call_id=%s", event.context, call_id)
            self._turn_away(event, "calling.end", "decline")
        elif self._is_full():
            hooks.count("calls.passed")
            _log.error("%d calls are up, which is the limit: call passed on call_id=%s", wire.max_active_calls, call_id)
            self._turn_away(event, "calling.pass")
        else:
            self._start_call(actor_class, event)

    def _is_full(self) -> bool:
        live, most = self._wire.live, self._wire.max_active_calls
        # Actors outlive their calls by a moment; that is no reason to refuse somebody.
        return live.call_count >= most and sum(cell.keep.leg.is_ours for cell in live.calls) >= most

    def _start_call(self, actor_class: Any, event: CallReceiveEvent) -> None:
        office = self._office
        leg = Leg(direction="inbound")
        leg.received(event)
        leg.course.is_kept = self._wire.journal.is_kept
        try:
            cell = office.system.begin_child(
                office.calls,
                actor_class,
                spec=office.spec_of(actor_class),
                keep=Kept(leg, office),
                keys=(("call", event.call_id),),
                first=event,
            )
        except Exception:
            # What the class says of itself is the user's: a bad number in it must not take the connection down.
            _log.exception("%s cannot be started: call declined call_id=%s", actor_class.__name__, event.call_id)
            office.system.hooks.count("calls.rejected")
            self._turn_away(event, "calling.end", "error")
            return
        office.system.hooks.count("calls.received")
        self._claim(event.call_id, cell, is_call=True)

    def _turn_away(self, event: CallReceiveEvent, method: str, reason: str = "") -> None:
        """Say so to the server: a call is never silently ignored (SEMANTICS K10, X11)."""
        self._wire.gone.add(event.call_id)
        params: JsonObject = {"node_id": event.node_id, "call_id": event.call_id}
        if reason:
            params["reason"] = reason
        self._send(LastWord(method, params, _log_failure, event.call_id))

    def _on_call_event(self, call_id: str, event: RelayEvent) -> None:
        wire = self._wire
        cell = self._find(("call", call_id))
        if cell is None and (tag := self._tag_of(event)):
            cell = self._find(("tag", tag))
        if cell is not None:
            if wire.parking.parked:  # it may have registered itself a moment ago: what was parked comes first
                self._hand_parked(call_id, cell)
            cell.tell_control(event)
        elif event.tag in wire.stale_tags:
            if self._is_late_leg(event):
                self._end_late_leg(event.node_id, call_id)
            else:
                self._drop(event, "its dial is over")
        elif call_id in wire.gone:
            self._drop(event, "that call is no longer here")
        elif isinstance(event, CallStateEvent) and (event.created_by == "connect" or event.parent):
            self._drop(event, "it is of a connected leg, which its own call knows as peer")
        else:
            self._park(call_id, event)

    def _on_dial_event(self, tag: str, event: DialEvent) -> None:
        ref = self._office.find(("tag", tag)) if tag else None
        if ref is not None:
            ref.tell_ahead(event)
        elif tag in self._wire.stale_tags and event.dial_state == "answered" and event.winner_call_id:
            self._end_late_leg(event.winner_node_id or event.node_id, event.winner_call_id)
        else:
            self._drop(event, "nobody dials with that tag")

    def dial_over(self, over: DialOver) -> None:
        """Note that nobody will be there for what is still to come of a dial."""
        wire = self._wire
        wire.stale_tags.add(over.tag)
        if over.is_given_up:
            wire.given_up_tags.add(over.tag)
        for call_id in over.ended:
            wire.ended_calls.add(call_id)

    def _is_late_leg(self, event: RelayEvent) -> bool:
        """Return whether a leg of a dial that is over has to be hung up.

        One that rings is left to the server, which stops it by itself; unless it does not know that the dial is over.
        """
        if not isinstance(event, CallStateEvent):
            return False
        rings = event.call_state in (CallState.CREATED, CallState.RINGING)
        return event.call_state == CallState.ANSWERED or (rings and event.tag in self._wire.given_up_tags)

    def _end_late_leg(self, node_id: str, call_id: str) -> None:
        """Hang up a leg that has come after the end of its dial (PROTOCOL 9.3)."""
        if call_id in self._wire.ended_calls:
            return  # the leg's own event and that of the dial both say it
        self._wire.ended_calls.add(call_id)
        self._wire.gone.add(call_id)
        self._office.system.hooks.count("calls.late_legs")
        params: JsonObject = {"node_id": node_id, "call_id": call_id, "reason": "cancel"}
        self._send(LastWord("calling.end", params, _log_failure, call_id))

    # -- texts -------------------------------------------------------------------------------------------------------

    def _on_inbound_message(self, event: MessageReceiveEvent) -> None:
        office, wire = self._office, self._wire
        # A name of its own: who texts himself gets it back, and a server may give it the same id. Not a key of the
        # registry: that is free as soon as the actor has ended, and `gone` knows of it when the connection is told so.
        name = f"inbound {event.message_id}"
        if wire.live.owns(name) or name in wire.gone:
            self._drop(event, "it was delivered already")
            return
        actor_class = wire.messages.find(event.context)
        if actor_class is None:
            office.system.hooks.count("messages.unhandled")
            _log.warning("no class handles texts of context %r message_id=%s", event.context, event.message_id)
            self.text_handled(event.message_id)
            self._drop(event, "no class handles its context")
            return
        turn = wire.text_turns.setdefault(event.message_id, TextTurn(event.message_id))
        try:
            cell = office.system.begin_child(
                office.messages,
                actor_class,
                spec=office.spec_of(actor_class),
                keep=KeptMessage(TextMessage.received(event), office, turn=turn),
                first=event,
            )
        except Exception:
            _log.exception("%s cannot be started message_id=%s", actor_class.__name__, event.message_id)
            office.system.hooks.count("messages.unhandled")
            self.text_handled(event.message_id)
            self._drop(event, "its actor cannot be started")
            return
        office.system.hooks.count("messages.received")
        self._claim(name, cell, is_call=False)

    def text_handled(self, message_id: str) -> None:
        """Forget an inbound text: the journal knows of all that its handler has begun."""
        wire = self._wire
        turn = wire.text_turns.pop(message_id, None)
        wire.journal.forget(message_id)
        if turn is not None:
            for subject in turn.subjects:
                wire.journal.forget(subject)
            for ref in turn.former.values():
                if isinstance(ref, MessageRef):
                    ref.let_end()

    def _on_message_state(self, message_id: str, event: MessageStateEvent) -> None:
        ref = self._office.find(("message", message_id))
        if ref is not None:
            self._deliver(ref, message_id, event)
        elif message_id in self._wire.gone:
            self._drop(event, "that text has its last state already")
        else:
            self._park(message_id, event)  # it may have come before the answer that names the text (PROTOCOL 14.2)
            self._look_who_sent(message_id, event)

    def text_in_doubt(self, ref: MessageRef) -> None:
        """A text was sent, perhaps. An event that shows it may have come already, or else may come."""
        wire = self._wire
        wire.texts_in_doubt.append(ref)
        for message_id, (_until, events) in tuple(wire.parking.parked.items()):
            event = events[0]
            if isinstance(event, MessageStateEvent) and isinstance(message_id, str):
                self._look_who_sent(message_id, event)

    def _look_who_sent(self, message_id: str, event: MessageStateEvent) -> None:
        """Let a text in doubt have its id, and what is parked for it, if an event shows that it was sent."""
        ref = self._who_sent(event)
        if ref is not None:
            ref.is_taken(message_id)
            self._wire.holding.forget(ref.kept.name)
            self._claim(message_id, cell_of(ref), is_call=False)

    def _who_sent(self, event: MessageStateEvent) -> MessageRef | None:
        """Return the text in doubt that an event tells of; None if that is not certain."""
        wire = self._wire
        wire.texts_in_doubt = [ref for ref in wire.texts_in_doubt if ref.kept.is_in_doubt]
        told_of = self._told_of(event) if wire.texts_in_doubt else []
        return told_of[0].ref if told_of and all(cell.keep.is_in_doubt for cell in told_of) else None

    def _told_of(self, event: MessageStateEvent) -> list[Any]:
        """Return the cells of the texts that an event may tell of: those that were sent, and have no name yet."""
        waiting = [cell for cell in self._wire.live.texts if cell.keep.name and not cell.keep.message.message_id]
        return [cell for cell in waiting if cell.keep.message.is_told_of_by(event)]

    # -- events whose owner is not known -----------------------------------------------------------------------------

    def _deliver(self, ref: Any, parked_as: str, event: RelayEvent) -> None:
        # The owner may have registered itself a moment ago: what was parked comes first, or the order would be lost.
        self._hand_parked(parked_as, cell_of(ref))
        ref.tell_ahead(event)

    def _hand_parked(self, name: str, cell: Any) -> None:
        if name in self._wire.parking:
            for event in self._wire.parking.take(name):
                cell.tell_control(event)

    def _park(self, name: str, event: RelayEvent) -> None:
        for given_up in self._wire.parking.park(name, event, self._office.system.clock.now()):
            self._unrouted(given_up)

    def expire(self, now: float) -> None:
        """Give up events that have waited long enough."""
        for event in self._wire.parking.expire(now):
            if isinstance(event, MessageStateEvent) and self._told_of(event):
                self._park(event.message_id, event)  # the answer that names the text may take longer (PROTOCOL 14.2)
            else:
                self._unrouted(event)

    def _unrouted(self, event: RelayEvent) -> None:
        self._office.system.dead_letters.publish(DeadLetter(event, self.subject_of(event), "unrouted"))
        self._forget_unowned(event)

    def _drop(self, event: RelayEvent, why: str) -> None:
        _log.debug("event dropped event=%s call_id=%s: %s", event.event_type, event.call_id, why)
        self._forget_unowned(event)

    def _forget_unowned(self, event: RelayEvent) -> None:
        """Keep nothing in the journal that nobody will ever ask for."""
        wire, subject = self._wire, self.subject_of(event)
        if not wire.live.owns(subject) and subject not in wire.parking and subject not in wire.text_turns:
            wire.journal.forget(subject)


def _log_failure(_result: JsonObject | None, error: RelayActorsError | None) -> None:
    if error is not None:
        _log.debug("a call could not be turned away: %s", error)
