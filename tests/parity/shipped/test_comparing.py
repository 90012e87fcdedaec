"""Where one run departs from the other, and how that is told."""

from __future__ import annotations

import pytest

from tests.parity.shipped.comparing import Departure, Run, departures, is_same_end
from tests.parity.shipped.frames import Frame

ANSWER, END = Frame("calling.answer", {"call_id": "call 1"}), Frame("calling.end", {"reason": "hangup"})
PLAY = Frame("calling.play", {"play": [1], "volume": 1.0})
RUN = Run(
    ended="by itself",
    status=0,
    printed=["a", "b"],
    heard={"+1": [["Hello"]]},
    frames={"call 1": [ANSWER, PLAY, END]},
)


def like(run=RUN, /, **changed):
    return Run(**{name: getattr(run, name) for name in Run.__slots__} | changed)


def test_runs_that_have_come_to_the_same_depart_nowhere():
    assert list(departures(RUN, like())) == []


@pytest.mark.parametrize(
    ("ours", "departure"),
    [
        (like(ended="KeyError Exception"), Departure("ended", "by itself", "KeyError Exception")),
        (like(status=1), Departure("status", 0, 1)),
        (like(printed=["a"]), Departure("printed", "b", None)),
        (like(printed=["a", "x", "b"]), Departure("printed", None, "x")),
        (like(heard={}), Departure("heard", [["Hello"]], None, "+1")),
        (like(heard={"+1": [["Bye"]]}), Departure("heard", [["Hello"]], [["Bye"]], "+1")),
        (like(frames={"call 1": [ANSWER, PLAY]}), Departure("frame", END, None, "call 1")),
        (like(frames={"call 1": [ANSWER, ANSWER, PLAY, END]}), Departure("frame", None, ANSWER, "call 1")),
        (
            like(frames={"call 1": [ANSWER, Frame("calling.play", {"play": [2]}), END]}),
            Departure("frame", PLAY, Frame("calling.play", {"play": [2]}), "call 1"),
        ),
        (like(otherwise="it did not ring"), Departure("otherwise", "", "it did not ring")),
    ],
)
def test_each_place_where_ours_does_otherwise_is_given(ours, departure):
    assert list(departures(RUN, ours)) == [departure]


def test_frames_in_another_order_depart():
    assert list(departures(RUN, like(frames={"call 1": [PLAY, ANSWER, END]})))


def test_a_call_that_only_one_has_heard_of_departs():
    found = list(departures(RUN, like(frames={"call 1": [ANSWER, PLAY, END], "call 2": [ANSWER]})))

    assert found == [Departure("frame", None, ANSWER, "call 2")]


def test_people_who_wait_in_vain_under_both_are_told_of_too():
    in_vain = like(otherwise="it did not ring")

    assert list(departures(in_vain, in_vain)) == [Departure("otherwise", "it did not ring", "it did not ring")]


def test_an_error_below_the_official_one_is_caught_by_who_catches_that():
    assert is_same_end("RelayError Exception", "DialFailedError RelayError Exception")
    assert not is_same_end("DialFailedError RelayError Exception", "RelayError Exception")
    assert not is_same_end("RelayError Exception", "TimeoutError OSError Exception")
    assert not is_same_end("RelayError Exception", "by itself")


def test_a_departure_is_told_in_a_line():
    play = Frame("calling.play", {"play": [1], "loop": 2})

    assert str(Departure("frame", PLAY, play, "call 1")) == (
        'calling.play of call 1: official {"volume": 1.0, "loop": null}, ours {"volume": null, "loop": 2}'
    )
    assert str(Departure("frame", END, None, "call 1")) == (
        'frame of call 1: official calling.end {"reason": "hangup"}, ours nothing'
    )
    assert str(Departure("printed", "", "ä")) == 'printed: official "", ours ä'
    assert str(Departure("status", 0, None)) == "status: official 0, ours nothing"
