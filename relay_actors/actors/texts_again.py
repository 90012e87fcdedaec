"""Takes up the texts that a former process had in hand. Layer: hall. Source: SEMANTICS J4, J5, K6, X17.

An inbound text whose handler was not over is handled again, and what that had begun is found (`text_turns`). A text
that the server has taken is followed until its last state. One of which nobody knows whether it was sent is in doubt:
an event that says the same settles it, those in the journal first, then those that come when the session is resumed. If
none comes, it is told of, and never sent again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from relay_actors.actors.history import History, Told
from relay_actors.actors.message import MessageRef
from relay_actors.actors.message_handle import KeptMessage, TextMessage
from relay_actors.actors.office import Office
from relay_actors.actors.routing import Claim, TextInDoubt
from relay_actors.actors.sent_texts import SentText, sent_text_of
from relay_actors.actors.text_turns import TEXT, TextTurn, cause_of
from relay_actors.actors.wire import Wire
from relay_actors.protocol.events import MessageReceiveEvent, MessageStateEvent

__all__ = ["TextsAgain"]


class TextsAgain:
    """The texts of a former process. Used once, by the thread that starts the application.

    Args:
        office: where everything is.
        start_text: starts the actor of a text: what became of it, and what it keeps.
        consult: has something done by the connection, and returns what that gives.
        on_record: filled with the names of the texts that were sent. Who finds one while the past of a call is run
            again puts there what it keeps.
    """

    def __init__(
        self,
        office: Office,
        start_text: Callable[[SentText, KeptMessage], MessageRef],
        consult: Callable[[Callable[[Wire], Any]], Any],
        on_record: dict[str, KeptMessage | None],
    ) -> None:
        self._office = office
        self._start_text = start_text
        self._consult = consult
        self._on_record = on_record
        self._turns: dict[str, TextTurn] = {}
        self._sent: list[SentText] = []
        self._states: dict[str, tuple[MessageStateEvent, ...]] = {}

    def note(self, subjects: Iterable[str]) -> None:
        """Note which texts were sent. Before the past of any call is run again."""
        self._on_record.update({subject: None for subject in subjects if subject.startswith(TEXT)})

    def take(self, history: History) -> bool:
        """Take the history of a text; False if it is of something else. One that came in is to be routed again."""
        events = [item.event for item in history.items if isinstance(item, Told)]
        sent = sent_text_of(history)
        if any(isinstance(event, MessageReceiveEvent) for event in events):
            turn = self._turns[history.subject] = TextTurn(history.subject)
            self._consult(lambda wire: wire.text_turns.update({turn.message_id: turn}))
        elif sent is not None:
            self._sent.append(sent)
        elif events and all(isinstance(event, MessageStateEvent) for event in events):
            self._states[history.subject] = tuple(event for event in events if isinstance(event, MessageStateEvent))
        else:
            return False
        return True

    def turn_of(self, message_id: str) -> TextTurn | None:
        """Return what belongs to the handling of an inbound text, if that is handled again."""
        return self._turns.get(message_id)

    def go_on(self) -> bool:
        """Follow what is not over, and tell of what is unknown; return whether there is anything to follow.

        After everything was taken, and before anything is routed.
        """
        is_followed = False
        known = [sent for sent in self._sent if not sent.is_unknown]
        states = {sent.name: self._states.pop(sent.message_id, ()) for sent in known}
        for sent in self._sent:
            now = self._look_into(sent) if sent.is_unknown else dataclasses.replace(sent, events=states[sent.name])
            is_followed |= self._go_on_with(now)
        for message_id in self._states:  # of what was over, or of a text of which nothing else is known
            self._forget(message_id)
        return is_followed

    def _look_into(self, sent: SentText) -> SentText:
        """Return what is known of a text of unknown outcome: states may have come before the process ended."""
        text = TextMessage.to_send(sent.params)
        for message_id, states in self._states.items():
            if text.is_told_of_by(states[0]):
                del self._states[message_id]
                return dataclasses.replace(sent, result={"message_id": message_id}, error=None, events=states)
        return sent

    def _go_on_with(self, sent: SentText) -> bool:
        turn, found = self._turns.get(cause_of(sent.name)), self._on_record.get(sent.name)
        if found is None and (sent.was_not_sent or (turn is None and sent.is_over)):
            self._forget(sent.name, sent.message_id)
            return False
        kept = found or KeptMessage(TextMessage.to_send(sent.params), self._office, name=sent.name)
        kept.cause = "" if turn is None else turn.message_id
        kept.is_held, kept.is_in_doubt, kept.is_wanted = turn is not None, sent.is_unknown, True
        kept.is_orphaned = sent.is_orphaned
        ref = self._start_text(sent, kept)
        if turn is not None:
            turn.former[sent.name] = ref
        for owned in filter(None, (sent.name, sent.message_id)):
            self._office.tell_connection(Claim(owned, ref, is_call=False))
        if sent.is_unknown:
            self._office.tell_connection(TextInDoubt(ref))
        return not sent.is_over

    def _forget(self, *subjects: str) -> None:
        for subject in filter(None, subjects):
            self._consult(partial(_forget, subject=subject))


def _forget(wire: Wire, subject: str) -> None:
    wire.journal.forget(subject)
