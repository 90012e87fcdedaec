"""The faults that are put into our own code, one at a time. Each has to be noticed by the seeds: ``make mutants``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MUTATIONS", "Mutation", "apply"]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One fault.

    Attributes:
        name: for the table.
        statement: the code of what it violates, in SEMANTICS, or the section of PROTOCOL.
        breaks: what of it is broken.
        file: below ``relay_actors``.
        old: which text is replaced; it occurs exactly once.
        new: by what.
    """

    name: str
    statement: str
    breaks: str
    file: str
    old: str
    new: str


def apply(mutation: Mutation, package: Path) -> None:
    """Put a fault into a copy of the package.

    Raises:
        ValueError: its text is not there, or more than once: the code has changed, and the list has to follow.
    """
    path = package / mutation.file
    text = path.read_text()
    times = len(re.findall(re.escape(mutation.old), text))
    if times != 1:
        raise ValueError(f"mutation {mutation.name}: its text occurs {times} times in {mutation.file}, and must once")
    path.write_text(text.replace(mutation.old, mutation.new))


MUTATIONS: tuple[Mutation, ...] = (
    # -- the protocol ------------------------------------------------------------------------------------------------
    Mutation(
        "ack-forgotten",
        "J1",
        "an event is never acknowledged",
        "protocol/client.py",
        "frames.acknowledgements(self._events.settle(frame_ids))",
        "frames.acknowledgements(self._events.settle(frame_ids)[1:])",
    ),
    Mutation(
        "ack-at-once",
        "J1",
        "an event is acknowledged when it arrives, and once more when it is durable",
        "protocol/client.py",
        "            if not is_new:\n",
        "            self._answer(frame_id)\n            if not is_new:\n",
    ),
    Mutation(
        "event-delivered-twice",
        "K3",
        "an event that comes again is delivered again",
        "protocol/event_ledger.py",
        "if key in self._settled and self._settled[key] in (fingerprint, _ANY):",
        "if key in self._settled and self._settled[key] is _ANY:",
    ),
    Mutation(
        "resume-forgotten",
        "K1",
        "after a lost connection a new session is begun, and the calls of the former one are lost",
        "protocol/session.py",
        "        if self.relay_protocol:\n",
        "        if self.relay_protocol and not self.identity:\n",
    ),
    Mutation(
        "contexts-forgotten",
        "PROTOCOL 3.5",
        "a new session after a lost one asks for no calls",
        "protocol/client.py",
        "self._session.connect_params(self._credentials, self._subscriptions.effective, self._agent)",
        "self._session.connect_params(\n            self._credentials, () if self._has_been_ready else self._subscriptions.effective, self._agent\n        )",
    ),
    Mutation(
        "lost-request-pending",
        "K6",
        "who waits for an answer is not told that the connection was lost",
        "protocol/client.py",
        "failed = [RequestFailed(request.id, ConnectionLostError()) for request in lost]",
        "failed: list[Happening] = []",
    ),
    Mutation(
        "queue-loses-one",
        "K7",
        "of what has waited for a connection the oldest is not sent",
        "protocol/client.py",
        "for request in self._requests.take_queue(now):",
        "for request in self._requests.take_queue(now)[1:]:",
    ),
    Mutation(
        "backoff-too-long",
        "K2",
        "the first attempt to connect again comes as late as the seventh",
        "protocol/backoff.py",
        "        self._failures += 1\n",
        "        self._failures += 7\n",
    ),
    # -- the connection and the journal ------------------------------------------------------------------------------
    Mutation(
        "ack-not-durable",
        "J1",
        "what is written is never made durable, and acknowledged all the same",
        "actors/journaling.py",
        "            self._store.commit()\n            self._is_dirty = False",
        "            self._is_dirty = False",
    ),
    Mutation(
        "event-not-kept",
        "J1",
        "events of operations are acknowledged without being written",
        "actors/journaling.py",
        "            self._keep(EventReceived, subject or SESSION, {",
        '            if "control_id" not in str(arrived.payload):\n                self._keep(EventReceived, subject, {',
    ),
    Mutation(
        "gate-open",
        "J2",
        "a command leaves before its intent is durable",
        "actors/connection.py",
        "            journal.commit()\n        transport = self._transport\n        if transport is None:\n",
        "        transport = self._transport\n        if transport is None:\n            journal.commit()\n",
    ),
    Mutation(
        "intent-not-kept",
        "J2",
        "the journal is not told of a command",
        "actors/connection.py",
        "                wire.journal.intended(request_id, outgoing)\n            except BaseException as error:",
        "                pass\n            except BaseException as error:",
    ),
    Mutation(
        "answer-not-kept",
        "J5",
        "the journal is not told the answer to a command",
        "actors/connection.py",
        "        if outgoing is not None:\n            self._wire.journal.settled(request_id, outgoing, result, error)",
        "        if outgoing is None:\n            self._wire.journal.commit()",
    ),
    Mutation(
        "overtaken",
        "K6",
        "commands overtake one that may have been lost",
        "actors/holding.py",
        "return outgoing.on_late is not None and not outgoing.is_repeat and outgoing.subject in self.in_doubt",
        "return False",
    ),
    # -- the router --------------------------------------------------------------------------------------------------
    Mutation(
        "early-events-dropped",
        "K4",
        "what came before its owner was known is thrown away when that is known",
        "actors/router.py",
        "            for event in self._wire.parking.take(name):\n                cell.tell_control(event)",
        "            self._wire.parking.take(name)",
    ),
    Mutation(
        "early-events-turned-round",
        "K4",
        "what came before its owner was known is handed over in the wrong order",
        "actors/router.py",
        "for event in self._wire.parking.take(name):",
        "for event in reversed(self._wire.parking.take(name)):",
    ),
    Mutation(
        "receipt-lost",
        "X17",
        "the receipt of a text is not told",
        "actors/router.py",
        "            self._deliver(ref, message_id, event)\n        elif message_id in self._wire.gone:",
        '            if event.message_state != "delivered":\n                self._deliver(ref, message_id, event)\n        elif message_id in self._wire.gone:',
    ),
    Mutation(
        "text-not-forgotten",
        "J4",
        "a text that was handled is handled again by the next process",
        "actors/router.py",
        "        wire.journal.forget(message_id)\n        if turn is not None:",
        "        if turn is not None:",
    ),
    # -- calls -------------------------------------------------------------------------------------------------------
    Mutation(
        "stale-state",
        "X1",
        "a state that the call has left is taken for news",
        "actors/leg.py",
        "        if new == self.state:\n",
        "        if new == self.state == CallState.CREATED:\n",
    ),
    Mutation(
        "state-as-an-edge",
        "PROTOCOL 8.4",
        "who waits for a state that is there already waits for ever",
        "actors/leg_actor.py",
        "                if order.is_reached(leg):\n",
        "                if leg.is_ended:\n",
    ),
    Mutation(
        "hung-up-twice",
        "X7",
        "each hang-up that is asked for is sent",
        "actors/leg_actor.py",
        "        if first is not None and first.error is None:\n",
        "        if first is not None and first.error is not None:\n",
    ),
    Mutation(
        "left-in-silence",
        "X7",
        "a call that is given up is not hung up",
        "actors/given_up_call.py",
        "            case HangUp(reason=reason):\n                self.leave(reason)",
        "            case HangUp():\n                pass",
    ),
    Mutation(
        "no-successor",
        "X7",
        "a call whose actor has crashed too often is given up by nobody",
        "runtime/restarting.py",
        "elif successor is not None and child.actor_class is not successor and not record.is_gone:",
        "elif successor is not None and child.actor_class is successor and not record.is_gone:",
    ),
    Mutation(
        "command-after-the-end",
        "X4",
        "a command for a call that has ended is sent",
        "actors/leg_actor.py",
        "        if leg.state == _ENDED and not isinstance(order, Listen):\n",
        "        if leg.is_let_go and not isinstance(order, Listen):\n",
    ),
    Mutation(
        "rings-on",
        "X9",
        "phones ring on when the dial has been given up",
        "actors/dialling.py",
        "        self.is_given_up = True\n        return self._to_end(list(self._legs))",
        "        return []",
    ),
    # -- operations --------------------------------------------------------------------------------------------------
    Mutation(
        "told-twice",
        "X5",
        "an operation that is over is told of again",
        "actors/leg_life.py",
        "            leg.actions.pop(action.control_id, None)\n            if not leg.actions:",
        "            if not leg.actions:",
    ),
    Mutation(
        "stop-after-the-end",
        "X5",
        "a stop is sent for an operation that is over",
        "actors/leg_actor.py",
        "                if action.is_followed and not action.is_over:\n                    self.drive_action(action, action.on_order, order)",
        "                if action.is_followed:\n                    self.send_order(order)",
    ),
    Mutation(
        "not-repeated",
        "K6",
        "a command that was lost with the connection is not sent again",
        "actors/reconcile.py",
        "        if self._may_be_repeated(order, known):\n",
        "        if self.leg.is_ended and self._may_be_repeated(order, known):\n",
    ),
    Mutation(
        "repeated-without-a-name",
        "J5",
        "a command that must not be repeated is repeated",
        "actors/reconcile.py",
        "SendDigits.method: _Rule(_presses, is_repeatable=False),",
        "SendDigits.method: _Rule(_nothing_shows),",
    ),
    Mutation(
        "doubt-for-ever",
        "K6",
        "what was in doubt when the connection was lost stays so",
        "actors/outbound_leg.py",
        "        self.go_on_with_doubts()\n",
        "",
    ),
    # -- the runtime -------------------------------------------------------------------------------------------------
    Mutation(
        "restarts-one-less",
        "S6",
        "one restart less is allowed",
        "runtime/restart_policy.py",
        "return len(self._at) <= self.max_restarts or",
        "return len(self._at) < self.max_restarts or",
    ),
    Mutation(
        "restarts-one-more",
        "S6",
        "one restart more is allowed",
        "runtime/restart_policy.py",
        "        self.max_restarts = max_restarts\n",
        "        self.max_restarts = max_restarts = max_restarts + 1\n",
    ),
    Mutation(
        "stash-lost",
        "P1",
        "what was put aside is lost with a restart",
        "runtime/cell.py",
        "            self._extras.stash.release()  # in front of the mailbox (SEMANTICS P1)",
        "            self._extras.stash.__init__()",
    ),
    Mutation(
        "stash-turned-round",
        "P2",
        "what was put aside comes back in the wrong order",
        "runtime/stash.py",
        "deque(sorted([*(self._ready or ()), *waiting[:count]], key=_number))",
        "deque(sorted([*(self._ready or ()), *waiting[:count]], key=_number, reverse=True))",
    ),
    Mutation(
        "old-tick",
        "T2",
        "an incarnation is told the ticks of the one before",
        "runtime/cell.py",
        "        if self._timers is not None:\n            self._timers.cancel_all(keep_durable=for_restart)\n",
        "        if self._timers is not None:\n            for_restart or self._timers.cancel_all(keep_durable=False)\n",
    ),
    Mutation(
        "mailbox-turned-round",
        "M1",
        "the newest message is handled first",
        "runtime/turns.py",
        "                    envelope = user.pop(0)\n",
        "                    envelope = user.pop()\n",
    ),
    Mutation(
        "dead-letter-lost",
        "M5",
        "what waits in the mailbox of an actor that ends is thrown away",
        "runtime/cell.py",
        '        for envelope in envelopes:\n            self.refuse(envelope, "dead")\n',
        "",
    ),
    # -- recovery ----------------------------------------------------------------------------------------------------
    Mutation(
        "session-not-kept",
        "C3",
        "a new process begins a new session, and the calls are lost to it",
        "actors/recovery.py",
        "    if session.protocol:\n",
        "    if not session:\n",
    ),
    Mutation(
        "replay-sends",
        "J3",
        "what was asked for before the end of the process is asked for again",
        "actors/leg_actor.py",
        "        if replay is None:\n            self.give_command(asking, method, params)",
        "        if replay is None or replay.is_silent is False:\n            self.give_command(asking, method, params)",
    ),
    Mutation(
        "intent-forgotten",
        "J5",
        "a command of which nobody knows what became of it is left so",
        "actors/replaying.py",
        "            actor.found_unanswered(asking)\n",
        "            pass\n",
    ),
    Mutation(
        "cancelled-timer-kept",
        "T2",
        "a durable timer that was cancelled fires after the end of the process",
        "runtime/actor_timers.py",
        "        timer = self._timers.pop(key, None)\n        if timer is None:\n            return False\n        if timer.handle",
        "        timer = self._timers.get(key)\n        if timer is None:\n            return False\n        if timer.handle",
    ),
    Mutation(
        "chance-not-kept",
        "J4",
        "a flow that is run again draws other lots",
        "actors/recovery.py",
        'course.seed = str(started.settings.get("seed", ""))',
        'course.seed = ""',
    ),
    Mutation(
        "time-not-kept",
        "J4",
        "a flow that is run again is told the present time",
        "actors/replaying.py",
        '            return float(item.values["value"])',
        "            return float(actor.system.clock.wall())",
    ),
    Mutation(
        "effect-again",
        "J3",
        "a side effect is done again",
        "actors/replaying.py",
        "                self._settle_result(actor, values)\n",
        "                pass\n",
    ),
)
"""One after the other, by where they are."""
