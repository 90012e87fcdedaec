"""What is sent when: the same for those who listen and for those who look later."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.simulator.feeds import FEEDS_BOUND, SENT_BOUND, Feed, Feeds
from relay_actors.simulator.packings import FrameMessages, StreamMessages
from relay_actors.simulator.sounds import Sound, voice
from relay_actors.simulator.tapes import BOTH, SAID, Tape, Track


class Ear:
    """An outlet that keeps what comes."""

    def __init__(self) -> None:
        self.got: list[str | bytes] = []

    def send(self, data: str | bytes) -> None:
        self.got.append(data)

    def close(self) -> None:
        """Nothing is open."""


class Studio:
    """A tape with a clock that is turned by hand, and feeds of it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.tape = Tape(lambda: self.now)

    def feed(self, *tracks: Track) -> Feed:
        packing = StreamMessages(stream_id="s", call_id="c", project="p", tracks=tracks or (SAID,), custom={})
        return self.make(packing)

    def make(self, packing: Any) -> Feed:
        return Feed(_look, kind="stream", call_id="c", url="ws://a", headers={}, tape=self.tape, packing=packing)


def _look() -> AbstractContextManager[object]:
    return nullcontext()


@pytest.fixture
def studio() -> Studio:
    return Studio()


def events(feed: Feed) -> list[Any]:
    return [message["event"] for message in feed.messages]


def test_a_frame_is_sent_when_it_is_complete(studio: Studio):
    feed = studio.feed()
    assert events(feed) == []
    feed.begin(None)
    studio.now = 0.0399
    assert events(feed) == ["connected", "start", "media"]
    studio.now = 0.04
    assert events(feed) == ["connected", "start", "media", "media"]


def test_a_key_comes_between_the_frames_of_its_time_and_the_end_is_last(studio: Studio):
    feed = studio.feed()
    feed.begin(None)
    studio.now = 0.03
    feed.key("5")
    studio.now = 0.05
    feed.end()
    feed.end()
    studio.now = 9.0

    assert events(feed) == ["connected", "start", "media", "dtmf", "media", "stop"]
    assert feed.is_over


def test_a_feed_that_never_began_sends_nothing(studio: Studio):
    feed = studio.feed()
    feed.key("1")
    feed.end()
    assert feed.sent == ()
    assert feed.is_over


def test_silence_and_sound_are_where_they_were(studio: Studio):
    feed = studio.make(FrameMessages("speak"))
    feed.begin(None)
    studio.now = 0.1
    studio.tape.note(SAID, Sound("beep", "", 0.1))
    studio.now = 0.3

    assert [frame != b"\xff" * 160 for frame in feed.sent] == [False] * 5 + [True] * 5 + [False] * 5


steps = st.lists(st.tuples(st.floats(0, 0.2), st.sampled_from(["say", "1", "#", "look"])), max_size=12)


@given(steps)
def test_a_listener_gets_what_is_seen_later(steps: list[tuple[float, str]]):
    """Whenever a front asks for what is due, and however often."""
    studio = Studio()
    ear = Ear()
    live, later = studio.feed(*BOTH), studio.feed(*BOTH)
    live.begin(ear)
    later.begin(None)
    for seconds, what in steps:
        studio.now += seconds
        if what == "look":
            live.catch_up()
        elif what == "say":
            studio.tape.note(SAID, voice("hello"))
        else:
            live.key(what)
            later.key(what)
    live.end()
    later.end()

    assert tuple(ear.got) == later.sent == live.sent


def test_of_a_long_feed_the_end_is_remembered_and_counted_right(studio: Studio):
    watched, unwatched = studio.feed(*BOTH), studio.feed(*BOTH)
    watched.begin(Ear())
    unwatched.begin(None)
    studio.now = 3600.0
    studio.tape.note(SAID, voice("the end"))
    studio.now = 3601.0
    unwatched.end()
    assert len(unwatched.sent) == SENT_BOUND
    assert unwatched.messages[-1]["sequenceNumber"] == str(2 + 2 * 50 * 3601)


def test_only_the_latest_feeds_are_remembered(studio: Studio):
    feeds = Feeds()
    made = [studio.feed() for _ in range(FEEDS_BOUND + 1)]
    for feed in made:
        feeds.add(feed)

    assert feeds.all() == tuple(made[1:])
    feeds.clear()
    assert feeds.all() == ()
