"""Entries are values."""

import dataclasses

import pytest

from relay_actors.journal.entries import EventReceived, Outcome, Session


def test_an_entry_cannot_be_changed():
    """What was promised to be durable must not turn into something else behind the store's back."""
    entry = EventReceived(subject="c-1", at=1.0, payload={})

    with pytest.raises(dataclasses.FrozenInstanceError):
        entry.subject = "c-2"


def test_an_entry_is_unstamped_until_it_is_stored():
    """Epoch and sequence are the store's to give, so an entry made by hand must not claim any (SEMANTICS J7)."""
    entry = EventReceived(subject="c-1", at=1.0, payload={})

    assert (entry.epoch, entry.sequence) == (0, 0)


def test_the_authorization_state_is_not_shown():
    """It is a secret, and values are printed by loggers, debuggers and failing tests (SEMANTICS J10)."""
    session = Session(protocol="signalwire_abc", authorization_state="Q0lQSEVSVEVYVA==")

    assert "Q0lQSEVSVEVYVA==" not in repr(session)
    assert "signalwire_abc" in repr(session)


def test_the_outcomes_are_those_of_the_connection():
    """The set is closed: what is neither sent nor answered must have a name of its own (SEMANTICS K6)."""
    assert {str(outcome) for outcome in Outcome} == {"ok", "rejected", "unknown", "not_sent"}
