"""The book of what is to go wrong."""

from __future__ import annotations

from relay_actors.simulator.faults import (
    ALL_METHODS,
    ANYTHING,
    Crossing,
    Cut,
    Delay,
    Faults,
    Rejection,
    Slowness,
    Twist,
)


def test_each_ordered_fault_happens_as_often_as_it_was_ordered():
    faults = Faults()
    faults.reject("calling.play", Rejection("500", "x"), times=2)
    faults.answer_late("calling.play", 1.5, times=1)
    faults.answer_twice("calling.play")
    faults.duplicate("calling.call.play")
    faults.delay("calling.call.play", Delay(2.0))

    assert [faults.take_rejection("calling.play") for _ in range(3)] == [Rejection("500", "x")] * 2 + [None]
    assert [faults.take_lateness("calling.play") for _ in range(2)] == [1.5, None]
    assert [faults.take_double_answer("calling.play") for _ in range(2)] == [True, False]
    assert [faults.take_duplicate("calling.call.play") for _ in range(2)] == [True, False]
    assert [faults.take_delay("calling.call.play") for _ in range(2)] == [Delay(2.0), None]


def test_a_rejection_of_everything_waits_behind_one_of_the_method():
    faults = Faults()
    faults.reject(ALL_METHODS, Rejection("503", "any"), times=1)
    faults.reject("calling.play", Rejection("500", "play"), times=1)

    assert faults.take_rejection("calling.play") == Rejection("500", "play")
    assert faults.take_rejection("calling.end") == Rejection("503", "any")


def test_silence_on_everything_includes_each_method_and_is_taken_back_as_one():
    faults = Faults()
    faults.stop_answering(ALL_METHODS, but_do_it=False)
    faults.stop_answering("calling.play", but_do_it=True)
    assert faults.take_silence("signalwire.ping") == "not done"
    assert faults.take_silence("calling.play") == "done"

    faults.resume_answering(ALL_METHODS)
    assert faults.take_silence("calling.play") is None


def test_a_silence_may_be_for_so_many_requests_only():
    faults = Faults()
    faults.stop_answering("calling.play", but_do_it=True, times=2)
    faults.stop_answering(ALL_METHODS, but_do_it=False, times=1)

    assert [faults.take_silence("calling.play") for _ in range(4)] == ["done", "done", "not done", None]


def test_what_is_ordered_for_anything_waits_behind_what_is_ordered_by_name():
    faults = Faults()
    faults.duplicate(ANYTHING)
    faults.duplicate("calling.call.play")
    faults.answer_twice(ANYTHING)

    assert [faults.take_duplicate("calling.call.play") for _ in range(3)] == [True, True, False]
    assert [faults.take_double_answer("calling.end") for _ in range(2)] == [True, False]


def test_slow_times_add_up_and_end_one_by_one():
    faults = Faults()
    always, frames = Slowness("answers", "both", 0.5), Slowness("frames", "in", 2.0)
    faults.slow += [always, frames]
    assert (faults.slowness("frames", "in"), faults.slowness("frames", "out")) == (2.0, 0.0)
    faults.answer_late("calling.play", 1.5, times=1)

    assert [faults.take_lateness("calling.play") for _ in range(2)] == [1.5, 0.5]
    faults.end_slowness(always)
    faults.end_slowness(always)
    assert faults.take_lateness("calling.play") is None


def test_a_cut_is_made_once_at_the_frame_that_is_as_said():
    frame = Crossing(7, "out", "calling.call.state", states=frozenset({"answered"}))
    answer = Crossing(8, "in", "calling.call.state", is_answer=True)
    fits = [Cut(), Cut(name="calling.call.state"), Cut(state="answered"), Cut(number=7), Cut(direction="out")]
    fits_not = [Cut(name="calling.call.play"), Cut(state="ended"), Cut(number=8), Cut(direction="in"), Cut(answer=True)]

    assert [cut.is_for(frame) for cut in (*fits, *fits_not)] == [True] * 5 + [False] * 5
    assert Cut(name="calling.call.state", answer=True).is_for(answer)
    assert not Cut(name="calling.call.state").is_for(answer)
    faults = Faults()
    faults.cuts.append(Cut(skip=1))
    assert [faults.take_cut(frame) is None for _ in range(3)] == [True, False, True]


def test_a_time_without_sockets_lasts_until_the_last_reason_is_gone():
    faults = Faults()
    first, second = object(), object()
    faults.downs += [first, second]
    faults.end_down(first)
    assert faults.refuses_sockets
    faults.end_down(second)
    assert not faults.refuses_sockets


def test_clearing_lets_everything_go_well():
    faults = Faults()
    faults.downs.append(object())
    faults.reject("x", Rejection("500", ""), times=3)
    faults.clear()

    assert not faults.refuses_sockets
    assert faults.take_rejection("x") is None


def test_a_twist_is_taken_once_and_by_name_first():
    faults = Faults()
    faults.twist(ANYTHING, Twist("left out"))
    faults.twist("calling.call.play", Twist("repeated", "error"))

    assert faults.take_twist("calling.call.play") == Twist("repeated", "error")
    assert faults.take_twist("calling.call.play") == Twist("left out")
    assert faults.take_twist("calling.call.play") is None
