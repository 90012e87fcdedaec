"""The book of what is to go wrong."""

from __future__ import annotations

from relay_actors.simulator.faults import ALL_METHODS, Faults, Rejection


def test_each_ordered_fault_happens_as_often_as_it_was_ordered():
    faults = Faults()
    faults.reject("calling.play", Rejection("500", "x"), times=2)
    faults.answer_late("calling.play", 1.5, times=1)
    faults.answer_twice("calling.play")
    faults.duplicate("calling.call.play")
    faults.delay("calling.call.play", 2.0)

    assert [faults.take_rejection("calling.play") for _ in range(3)] == [Rejection("500", "x")] * 2 + [None]
    assert [faults.take_lateness("calling.play") for _ in range(2)] == [1.5, None]
    assert [faults.take_double_answer("calling.play") for _ in range(2)] == [True, False]
    assert [faults.take_duplicate("calling.call.play") for _ in range(2)] == [True, False]
    assert [faults.take_delay("calling.call.play") for _ in range(2)] == [2.0, None]


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
    assert faults.is_silent("signalwire.ping")
    assert not faults.is_done_in_silence("signalwire.ping")
    assert faults.is_done_in_silence("calling.play")

    faults.resume_answering(ALL_METHODS)
    assert not faults.is_silent("calling.play")


def test_clearing_lets_everything_go_well():
    faults = Faults()
    faults.refuses_sockets = True
    faults.reject("x", Rejection("500", ""), times=3)
    faults.clear()

    assert not faults.refuses_sockets
    assert faults.take_rejection("x") is None
