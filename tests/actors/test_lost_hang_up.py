"""A hang-up that was on its way when the socket was lost: nobody is left in silence (DESIGN, priority 1; X7)."""

import dataclasses

import pytest

from relay_actors import CallActor, CallEnded
from tests.actors.world import CALLER, CONTEXT, World, over_seeds


class Host(CallActor):
    """Answers, and crashes for good at the word."""

    max_restarts = 0

    def on_start(self) -> None:
        self.answer()

    def on_receive(self, message: object) -> None:
        if message == "crash":
            raise RuntimeError(message)


@pytest.mark.parametrize("was_done", [False, True])
@over_seeds(10)
def test_a_hang_up_whose_answer_is_lost_with_the_socket_is_asked_for_again(world: World, was_done: bool):
    """Whether it was done is unknown, and done twice it does no harm: the caller must not be left in silence."""
    line, handle = world.inbound(Host)
    line.is_connected()
    world.sim.stop_answering("calling.end", but_do_it=was_done)
    reply = handle.hangup()
    world.settle()
    assert line.is_over is was_done

    world.sim.drop_sockets()
    world.sim.resume_answering("calling.end")

    line.is_hung_up(10.0)
    handle.wait_for_ended().get(timeout=5.0)
    assert reply.is_settled
    assert reply.error is None or isinstance(reply.error, CallEnded)


def test_a_hang_up_that_times_out_while_offline_is_sent_after_the_return(world: World):
    """A queued command has ten seconds; a call that nobody talks on any more must not outlive them."""
    line, handle = world.inbound(Host)
    line.is_connected()
    with world.sim.socket_down(40.0):
        handle.hangup()

    line.is_hung_up(60.0)
    assert len(world.sent("calling.end")) == 1


def test_the_hang_up_of_a_call_that_is_given_up_survives_a_lost_socket(world: World):
    """Nobody's handler is left that could be told of a failure."""
    line, handle = world.inbound(Host)
    line.is_connected()
    handle.wait_for_answered().get(timeout=5.0)
    world.sim.stop_answering("calling.end")
    handle.ref.tell("crash")
    world.settle()

    world.sim.drop_sockets()
    world.sim.resume_answering("calling.end")

    line.is_hung_up(10.0)
    assert line.end_reason == "error"


def test_nobody_waits_for_a_call_that_has_not_ended_when_the_application_has_stopped(world: World):
    """The call's supervisor stops as well then, and looks after nobody's waits (X2, A5)."""
    _line, handle = world.inbound(Host)
    world.settle()
    world.sim.stop_answering("calling.end")
    play = handle.play_silence(600.0)
    waits = [handle.hangup(), handle.wait_for_ended(), play.wait()]

    assert world.app.stop()

    assert [wait.is_settled for wait in waits] == [True, True, True]


# -- the last word on a leg that nobody attends to --------------------------------------------------------------------


@pytest.mark.parametrize("was_done", [False, True])
@over_seeds(10)
def test_the_last_word_on_a_call_whose_actor_has_gone_survives_a_lost_socket(world: World, was_done: bool):
    """X7: nobody is left who could ask for it again. Done twice it does no harm."""
    line, handle = world.answered(Host)
    world.sim.stop_answering("calling.end", but_do_it=was_done)
    handle.ref._cell.kill("test")
    world.settle()
    assert line.is_over is was_done

    world.sim.drop_sockets()
    world.sim.resume_answering("calling.end")

    line.is_hung_up(10.0)
    assert line.end_reason == "error"


def test_the_last_word_on_a_call_waits_for_the_connection_as_long_as_it_takes(world: World):
    """X7: a queued request has ten seconds."""
    line, handle = world.answered(Host)
    with world.sim.socket_down(40.0):
        handle.ref._cell.kill("test")

    line.is_hung_up(60.0)
    assert len(world.sent("calling.end")) == 1


def test_a_last_word_that_is_not_answered_is_said_once_more(world: World):
    """X7: the server may be slow, or may have missed it; it is not asked for ever."""
    line, handle = world.answered(Host)
    world.sim.stop_answering("calling.end")
    handle.ref._cell.kill("test")
    world.run(60.0)
    assert len(world.sent("calling.end")) == 2
    assert not line.is_over


def test_a_last_word_that_breaks_the_connection_is_not_said_for_ever(world: World):
    """X7: it may be what breaks it."""
    _line, handle = world.answered(Host)
    world.sim.stop_answering("calling.end")
    handle.ref._cell.kill("test")
    for _time in range(6):
        world.run(40.0)
        world.sim.drop_sockets()
    world.run(40.0)
    assert 2 <= len(world.sent("calling.end")) <= 5


def test_a_last_word_that_finds_the_queue_full_is_said_when_it_is_empty(world: World):
    """X7, K7: the bound is there to refuse what somebody can ask for again."""
    world.app.limits = dataclasses.replace(world.app.limits, queued_requests=1)
    line, handle = world.answered(Host)
    with world.sim.socket_down(5.0):
        world.settle()
        world.app.execute("calling.x", {})
        world.settle()
        handle.ref._cell.kill("test")
        world.settle()

    line.is_hung_up(60.0)


@pytest.mark.parametrize("drains", [False, True])
@over_seeds(5)
def test_a_caller_who_is_turned_away_as_the_socket_is_lost_is_turned_away_again(world: World, drains: bool):
    """K10, X11: never silently ignored."""
    world.takes_calls(Host)
    tree = world.tree
    tree.wire.max_active_calls, tree.wire.drains = 0, drains
    method = "calling.end" if drains else "calling.pass"
    world.sim.stop_answering(method)
    world.sim.phone(CALLER).dials(context=CONTEXT)
    world.until(lambda: world.sent(method))

    world.sim.drop_sockets()
    world.sim.resume_answering(method)

    world.until(lambda: len(world.sent(method)) == 2, within_s=10.0)
