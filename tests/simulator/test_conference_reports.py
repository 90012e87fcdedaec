"""Callbacks and recordings of conferences. Source: PROTOCOL 13.7."""

from __future__ import annotations

from random import Random

import pytest

from relay_actors.runtime.clock import ManualClock, uuid4_ids
from relay_actors.simulator.conference_reports import RECORDING_WORDS, STATUS_WORDS, Callbacks, Recording
from relay_actors.simulator.webhooks import Webhooks
from relay_actors.simulator.world import World

STATUSES = [
    "conference-start",
    "participant-join",
    "participant-mute",
    "participant-unmute",
    "participant-speech-start",
    "conference-end",
]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (None, STATUSES),
        ("", STATUSES),
        (7, STATUSES),
        ("start end", ["conference-start", "conference-end"]),
        ("mute,speaker", ["participant-mute", "participant-unmute", "participant-speech-start"]),
        ("participant-join", ["participant-join"]),
        ("no-such-thing", []),
    ],
)
def test_a_url_hears_what_it_wants(wanted: object, told: list[str]):
    webhooks = Webhooks()
    callbacks = Callbacks(webhooks, STATUS_WORDS)
    callbacks.add("https://a", wanted, "GET")
    for status in STATUSES:
        callbacks.report({"status": status})

    assert [webhook.body["params"] for webhook in webhooks.all()] == [{"status": status} for status in told]
    assert {webhook.method for webhook in webhooks.all()} <= {"GET"}


@pytest.mark.parametrize("url", [None, "", 7])
def test_what_is_no_url_hears_nothing(url: object):
    webhooks = Webhooks()
    callbacks = Callbacks(webhooks, RECORDING_WORDS)
    callbacks.add(url, None, None)
    callbacks.report({"status": "record-stop"})

    assert webhooks.all() == ()


def test_two_urls_are_told_and_each_once():
    webhooks = Webhooks()
    callbacks = Callbacks(webhooks, RECORDING_WORDS)
    for url, wanted in (("https://a", "completed"), ("https://b", None), ("https://a", None)):
        callbacks.add(url, wanted, None)
    for status in ("record-start", "record-stop"):
        callbacks.report({"status": status})

    told = [(webhook.url, webhook.body["params"]["status"]) for webhook in webhooks.all()]
    assert told == [("https://b", "record-start"), ("https://a", "record-stop"), ("https://b", "record-stop")]


def test_a_recording_does_not_count_its_pauses_and_knows_the_pace():
    random = Random(7)
    clock = ManualClock()
    world = World(clock=clock, random=random, new_id=uuid4_ids(random), pace=0.5)
    recording = Recording(world, "c1")
    clock.advance_to(clock.now() + 5)
    recording.pause()
    assert recording.is_paused
    clock.advance_to(clock.now() + 5)
    recording.resume()
    clock.advance_to(clock.now() + 1)

    told = recording.finish()
    file = world.files.find(str(told["recording_url"]))
    assert file is not None
    assert told["recording_duration"] == 12.0
    assert told["recording_file_size"] == len(file.make()) == 44 + 16_000 * 12
