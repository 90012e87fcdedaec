"""Errors that belong to two families."""

import pickle

import pykka
import pytest

from relay_actors.errors import ActorDead, ActorError, RelayActorsError
from relay_actors.runtime.failures import ActorIsDead, AskTimeout
from relay_actors.runtime.future import WaitTimeout


@pytest.mark.parametrize("family", [ActorDead, RelayActorsError, pykka.ActorDeadError])
def test_a_dead_actor_is_told_in_everybodys_terms(family: type[BaseException]):
    """M7: code that knows only pykka catches it, and so does code that knows only us."""
    with pytest.raises(family):
        raise ActorIsDead("gone")


def timed_out() -> AskTimeout:
    return AskTimeout(asker="", receiver="Desk#1", message_type="Order", timeout_s=0.5, correlation_id="id-7")


@pytest.mark.parametrize("family", [ActorError, WaitTimeout, pykka.Timeout, TimeoutError])
def test_a_question_without_an_answer_is_told_in_everybodys_terms(family: type[BaseException]):
    """A3: code for pykka's time-outs, and for Python's, goes on to work."""
    with pytest.raises(
        family, match=r"code outside of actors asked Desk#1 \(Order\) and has no answer after 0\.5 seconds"
    ):
        raise timed_out()


def test_a_time_out_can_be_carried_to_another_process():
    """A3: with what it knows, as every error of the framework."""
    copy = pickle.loads(pickle.dumps(timed_out()))
    assert str(copy) == str(timed_out())
    assert (copy.receiver, copy.timeout_s, copy.correlation_id) == ("Desk#1", 0.5, "id-7")
