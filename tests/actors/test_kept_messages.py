"""Notices of the end of an operation, in the journal and back (SEMANTICS J4, P1)."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors import ActionCompleted, CallActor
from relay_actors.actors.actions import PlayAction
from relay_actors.actors.kept_messages import message_or_lost, pack_message, unpack_message
from relay_actors.actors.packing import NotKept
from relay_actors.events import CallReceiveEvent, CallStateEvent, PlayEvent
from relay_actors.journal.codec import decode, encode
from relay_actors.journal.entries import Noted
from tests.actors.mortal_world import MortalWorld


class Notes(CallActor):
    """Packs the end of what it plays, and unpacks it at once."""

    made: Any = None

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.play_tts("Hello")
            case ActionCompleted():
                note = Noted(subject="call", at=1.0, what="told", values={"value": pack_message(message)}, after=1)
                written = decode(encode(note))
                assert isinstance(written, Noted)
                type(self).made = message, unpack_message(written.values["value"], self)


def test_the_end_of_an_operation_comes_back_with_a_handle_that_is_over_as_well() -> None:
    """It is one of this process: whoever waits on it is told at once, and nothing is sent to stop it."""
    with MortalWorld() as world:
        _line, handle = world.inbound(Notes)
        world.run(5.0)
        then, now = Notes.made
        assert now.event.params == then.event.params
        assert type(now.action) is PlayAction
        assert (now.action.control_id, now.action.state) == (then.action.control_id, then.action.state)
        assert now.action.is_done
        assert isinstance(now.action.wait().get(timeout=1.0), PlayEvent)
        assert now.action.stop().get(timeout=1.0) == {}
        assert world.sent("calling.play.stop") == []
        assert not handle.leg.actions


def test_other_messages_are_packed_as_everything_is() -> None:
    assert unpack_message(pack_message({"number": 1}), None) == {"number": 1}
    assert message_or_lost("word", None) == {"value": "word"}
    assert message_or_lost(object(), None) == {"lost": "object"}


def test_an_operation_whose_class_is_gone_is_told_of() -> None:
    packed = {"$relay_actors.completed": ["nowhere:Action", "calling.play", "c-1", "finished"], "event": {}}
    with pytest.raises(NotKept, match="an operation nowhere:Action"):
        unpack_message(packed, None)
