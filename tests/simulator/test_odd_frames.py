"""Frames that no client expects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relay_actors.protocol import frames
from relay_actors.simulator.odd_frames import NO_FRAMES, odd_frame, oversize_frame


@pytest.mark.parametrize("what", NO_FRAMES)
def test_what_is_called_no_frame_is_none(what: Any):
    text = odd_frame(what, frame_id="f", name="", ids={})
    assert isinstance(frames.classify(text), frames.Unreadable)


def test_an_unknown_event_is_about_a_call_and_of_any_type():
    made_up = json.loads(odd_frame("unknown_event", frame_id="f", name="", ids={"call_id": "c"}))
    assert made_up["params"] == {
        "event_type": "calling.call.brand_new",
        "params": {"call_id": "c", "state": "brand_new"},
    }
    named = json.loads(odd_frame("unknown_event", frame_id="f", name="video.start", ids={}))
    assert named["params"]["event_type"] == "video.start"


def test_an_unknown_method_is_a_request_all_the_same():
    made_up = frames.classify(odd_frame("unknown_method", frame_id="f", name="", ids={}))
    assert made_up == frames.Request("f", "signalwire.brand_new", {})
    named = frames.classify(odd_frame("unknown_method", frame_id="f", name="video.start", ids={}))
    assert named == frames.Request("f", "video.start", {})


def test_an_oversize_frame_is_as_large_as_is_said_and_kept_once():
    """The log of a test may hold a thousand of them."""
    text = oversize_frame(5000)
    assert len(text) == 5000
    assert isinstance(frames.classify(text), frames.Request)
    assert oversize_frame(5000) is text
    assert isinstance(frames.classify(oversize_frame(0)), frames.Request)
