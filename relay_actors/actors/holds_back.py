"""What the connection does about commands that must not overtake one that may have been lost. Layer: hall.

Source: SEMANTICS K6, K7. The commands stand among the pending ones, and the journal knows of them, as of any other.
And what it does about last words that were not taken, which it says again (X7, K10).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from relay_actors.actors.frame_log import FrameLog
from relay_actors.actors.holding import Release, TakeBack
from relay_actors.actors.outgoing import LastWord, Outgoing
from relay_actors.actors.wire import Wire
from relay_actors.errors import ConnectionLostError, NotSentError, RelayError
from relay_actors.protocol import happenings as h
from relay_actors.protocol.client import ClientProtocol
from relay_actors.runtime.actor import Actor

__all__ = ["HoldsBack"]


class HoldsBack(Actor):
    """A connection, as far as it holds commands back. In its turns."""

    _wire: Wire
    _protocol: ClientProtocol
    _frames: FrameLog

    def _do(self, happenings: Iterable[h.Happening]) -> None:
        """Do what the protocol says. For the connection to say how."""

    def _note_intent(self, request_id: str, outgoing: Outgoing) -> None:
        """Have the journal know of a request. For the connection to say how."""

    def _refuse(self, outgoing: Outgoing, error: NotSentError) -> None:
        """Say that a request was not sent; the journal is to know that its call has asked for it, and was told so."""
        if isinstance(outgoing, LastWord):
            self._keep_last_word(outgoing)
            return
        if outgoing.number:
            request_id = self.system.new_id()
            try:
                self._wire.journal.intended(request_id, outgoing)
                self._wire.journal.settled(request_id, outgoing, None, error)
            except BaseException:  # then nothing more is known of any call; who asks is told all the same
                outgoing.on_answer(None, error)
                raise
        outgoing.on_answer(None, error)

    def _send(self, outgoing: Outgoing) -> None:
        """Send a request. For the connection to say how."""

    def _keep_last_word(self, last_word: LastWord) -> None:
        """Say one that could not be sent after the next log in."""
        self._wire.last_words[last_word.subject] = last_word
        self._wire.journal.intended(self.system.new_id(), last_word)

    def _say_again(self, last_word: LastWord) -> None:
        """Say one that was not taken again: now, or after the next log in if there is no connection."""
        if self._protocol.is_ready:
            self._send(last_word)
        else:
            self._wire.last_words[last_word.subject] = last_word

    def _say_last_words(self) -> None:
        """There is a connection: say those that were not taken."""
        last_words = self._wire.last_words
        for call_id in list(last_words):
            self._send(last_words.pop(call_id))

    def _hold_back(self, outgoing: Outgoing) -> None:
        """Keep a command behind one that may have been lost; the journal knows of it as of any other."""
        holding = self._wire.holding
        if holding.is_full:
            text = f"Execute queue full: {len(holding)} requests wait, so {outgoing.method} was not sent"
            self._refuse(outgoing, NotSentError(text))
            return
        request_id = self.system.new_id()
        self._note_intent(request_id, outgoing)
        holding.take(request_id, outgoing.subject, self.system.clock.now())

    def _hold_back_queued(self) -> None:
        """Take out of the queue what would overtake a command that was just lost."""
        holding, now = self._wire.holding, self.system.clock.now()
        for request_id, outgoing in self._wire.pending.items():
            if holding.concerns(outgoing) and self._protocol.recall(request_id):
                holding.take(request_id, outgoing.subject, now)

    def _recall_queued(self, subject: str) -> list[str]:
        """Take out of the queue what a call has asked for; a last word on it stays, which is said when it has gone."""
        return [
            request_id
            for request_id, outgoing in self._wire.pending.items()
            if outgoing.number and outgoing.subject == subject and self._protocol.recall(request_id)
        ]

    def _release(self, release: Release) -> None:
        holding = self._wire.holding
        if release.is_over:
            over = [*holding.forget(release.subject), *self._recall_queued(release.subject)]
            self._fail_held(over, lambda method: NotSentError(f"{method} was not sent: its call is over"))
            return
        for request_id in holding.release(release.subject):
            outgoing = self._wire.pending[request_id]
            try:
                self._protocol.request(outgoing.method, outgoing.params, self.system.clock.now(), request_id)
            except (NotSentError, ValueError) as error:
                not_sent = error if isinstance(error, NotSentError) else NotSentError(f"{outgoing.method}: {error}")
                self._do([h.RequestFailed(request_id, not_sent)])
            else:
                self._frames.requested(outgoing.method, request_id)

    def _take_out(self, message: Release | TakeBack) -> None:
        """Let go of what is held back, or of what nobody waits for any more."""
        if isinstance(message, Release):
            self._release(message)
            return
        holding = self._wire.holding
        back = [
            request_id
            for request_id, outgoing in self._wire.pending.items()
            if message.concerns(outgoing) and (self._protocol.recall(request_id) or holding.recall(request_id))
        ]
        self._fail_held(back, lambda method: NotSentError(f"{method} was not sent: nobody waits for it any more"))

    def _fail_held(self, request_ids: Iterable[str], make_error: Callable[[str], RelayError]) -> None:
        pending = self._wire.pending
        self._do([h.RequestFailed(request_id, make_error(pending[request_id].method)) for request_id in request_ids])

    def _fail_overdue(self, now: float) -> None:
        why = "it was not sent, it is not known yet what came before it"
        overdue = self._wire.holding.expire(now)
        self._fail_held(overdue, lambda method: NotSentError(f"Request timeout for {method}: {why}"))

    def _fail_all_held(self) -> None:
        held = self._wire.holding.clear()
        self._fail_held(held, lambda _method: ConnectionLostError("Connection shut down", is_final=True))
