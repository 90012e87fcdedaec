"""What the journal knows of a text that was sent, or was about to be."""

from __future__ import annotations

import pytest

from relay_actors.actors.history import history_of
from relay_actors.actors.sent_texts import SentText, sent_text_of
from relay_actors.errors import CommandRejectedError, ConnectionLostError
from relay_actors.events import MessageStateEvent
from relay_actors.journal.entries import CommandIntended, CommandSettled, Entry, Outcome

NAME = "text:in:1"
INTENT = CommandIntended(
    subject=NAME, at=1.0, request_id="r", method="messaging.send", params={"body": "hi"}, number=1, after=0
)


def sent(*entries: Entry) -> SentText | None:
    return sent_text_of(history_of(NAME, entries))


def settled(outcome: Outcome, **more: object) -> CommandSettled:
    return CommandSettled(subject=NAME, at=2.0, request_id="r", outcome=outcome, **more)  # type: ignore[arg-type]


def test_an_intent_without_an_outcome_is_unknown() -> None:
    """SEMANTICS J5. It is not over: an event may tell of it."""
    text = sent(INTENT)
    assert text is not None
    assert (text.name, text.params, text.message_id) == (NAME, {"body": "hi"}, "")
    assert isinstance(text.error, ConnectionLostError)
    assert (text.is_unknown, text.was_not_sent, text.is_over) == (True, False, False)


@pytest.mark.parametrize(
    ("outcome", "is_unknown", "was_not_sent"),
    [(Outcome.UNKNOWN, True, False), (Outcome.NOT_SENT, False, True), (Outcome.REJECTED, False, False)],
)
def test_an_outcome_says_whether_the_text_may_have_left(outcome: Outcome, is_unknown: bool, was_not_sent: bool) -> None:
    """SEMANTICS K6."""
    text = sent(INTENT, settled(outcome, code=422, result={"message": "no"}))
    assert text is not None
    assert (text.is_unknown, text.was_not_sent, text.is_over) == (is_unknown, was_not_sent, not is_unknown)
    assert isinstance(text.error, CommandRejectedError) is (outcome is Outcome.REJECTED)


def test_the_last_word_on_a_request_counts() -> None:
    """An answer may come after the time-out."""
    late = settled(Outcome.OK, result={"message_id": "m"})
    text = sent(INTENT, settled(Outcome.UNKNOWN, result={"error": "RequestTimeoutError"}), late)
    assert text is not None
    assert (text.message_id, text.is_unknown) == ("m", False)


@pytest.mark.parametrize(("state", "is_over"), [("sent", False), ("delivered", True), ("undelivered", True)])
def test_a_text_that_was_taken_is_over_with_its_last_state(state: str, is_over: bool) -> None:
    """PROTOCOL 14.2."""
    params = {"message_id": "m", "message_state": state}
    event = MessageStateEvent.from_payload({"event_type": "messaging.state", "params": params})
    assert SentText(name=NAME, params={}, result={"message_id": "m"}, events=(event,)).is_over is is_over


def test_the_history_of_something_else_tells_of_no_text() -> None:
    """A last word on a leg has its intent in the journal, too."""
    word = CommandIntended(subject=NAME, at=1.0, request_id="r", method="calling.end", params={"call_id": "c"})
    assert sent(word) is None
    assert sent() is None
