"""What the connection does with its mail while it leaves its calls to the next process."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.actors import leaving_mail
from relay_actors.actors.course import Started
from relay_actors.actors.leaving import Leave, Leaving, Release
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.text_turns import TextHandled
from relay_actors.actors.wire import ChangeContexts, Connect, Disconnect, Drain
from relay_actors.errors import ConnectionLostError, NotSentError
from relay_actors.events import CallReceiveEvent
from relay_actors.runtime.future import Future


def test_nothing_new_is_begun_and_who_asks_is_told_in_the_end():
    """C4: requests and changes of contexts alike."""
    told: list[BaseException | None] = []
    leaving = Leaving(due=1.0)

    def on_answer(_result: Any, error: BaseException | None) -> None:
        told.append(error)

    for message in (Outgoing("calling.play", {}, on_answer), ChangeContexts(("sales",), True, on_answer)):
        assert leaving_mail.take(leaving, message)
    assert told == []
    error = ConnectionLostError("it has left")
    assert leaving_mail.take(leaving, Release(error))
    assert told == [error, error]
    assert leaving_mail.take(leaving, ChangeContexts(("sales",), True, on_answer))
    assert isinstance(told[2], NotSentError)
    assert "a change of contexts was not sent: it has left" in str(told[2])


def test_a_call_that_comes_back_is_left_to_the_next_process():
    """C4: it is in the journal, and its actor here was given up."""
    leaving = Leaving(due=1.0)
    event = CallReceiveEvent.from_payload({"event_type": "calling.call.receive", "params": {"call_id": "c"}})
    assert leaving_mail.take(leaving, event)
    assert leaving.not_delivered == 1


def test_who_waits_is_told():
    """A drain is over at once; who asks for the same once more waits for the same end."""
    leaving = Leaving(due=1.0)
    drained: Future[bool] = Future()
    left: Future[bool] = Future()
    assert leaving_mail.take(leaving, Drain(drained))
    assert leaving_mail.take(leaving, Leave(left))
    assert drained.get(timeout=0) is True
    assert not left.is_settled
    leaving.settle(is_clean=True)
    assert left.get(timeout=0) is True


def test_a_text_whose_answer_was_held_back_is_left_to_the_next_process():
    """C4: that process handles it again. One whose handler has begun nothing more is over."""
    leaving = Leaving(due=1.0)
    dialled = Started("text:b:1", "m:C", "outbound", {}, {"cause": "b"})
    for message in (Outgoing("messaging.send", {}, lambda _result, _error: None, "text:a:2"), dialled):
        assert leaving_mail.take(leaving, message)
    assert [leaving_mail.take(leaving, TextHandled(one)) for one in ("a", "b", "c")] == [True, True, False]


@pytest.mark.parametrize("message", [Connect(), Disconnect(Future()), "anything"])
def test_the_rest_is_done_as_ever(message: object):
    """A goodbye, for example."""
    assert not leaving_mail.take(Leaving(due=1.0), message)
