"""Replay: a pure fold, and the detection of what does not belong together."""

import copy
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import JournalError
from relay_actors.journal.entries import (
    CommandIntended,
    CommandSettled,
    Entry,
    EventReceived,
    Outcome,
    Snapshot,
    SubjectEnded,
)
from relay_actors.journal.replay import History, apply, check, check_next, pending_of, replay
from tests.journal import strategies


def event(sequence: int, *, epoch: int = 1, subject: str = "c-1") -> EventReceived:
    return EventReceived(subject=subject, at=float(sequence), epoch=epoch, sequence=sequence, payload={"n": sequence})


def intent(sequence: int, request_id: str) -> CommandIntended:
    return CommandIntended(
        subject="c-1", at=1.0, epoch=1, sequence=sequence, request_id=request_id, method="calling.play", params={}
    )


def settled(sequence: int, request_id: str, outcome: Outcome) -> CommandSettled:
    return CommandSettled(subject="c-1", at=1.0, epoch=1, sequence=sequence, request_id=request_id, outcome=outcome)


@st.composite
def journals(draw: st.DrawFn) -> list[Entry]:
    """The entries of one subject, as a store gives them; commands settle as often as not."""
    drawn = draw(st.lists(strategies.entries, max_size=12))
    requests = st.sampled_from(["r-1", "r-2", "r-3"])
    return [
        dataclasses.replace(
            entry,
            subject="c-1",
            epoch=1,
            sequence=number,
            **({"request_id": draw(requests)} if isinstance(entry, CommandIntended | CommandSettled) else {}),
        )
        for number, entry in enumerate(drawn, start=1)
    ]


@given(journals(), st.data())
def test_a_journal_cut_at_any_entry_replays_to_a_prefix(journal: list[Entry], data: st.DataObject):
    """A crash can only take the end away: what is left is a past of the same call, never another one (SEMANTICS J4)."""
    cut = data.draw(st.integers(0, len(journal)))

    past = replay(journal[:cut])
    whole = past
    for entry in journal[cut:]:
        whole = apply(whole, entry)

    assert whole == replay(journal)
    assert past.sequence == cut
    if not any(isinstance(entry, Snapshot) for entry in journal):
        assert replay(journal).entries[: len(past.entries)] == past.entries


@given(journals())
def test_the_fold_is_pure(journal: list[Entry]):
    """Same entries, same history, and neither the entries nor an earlier history is changed (SEMANTICS J3)."""
    before = copy.deepcopy(journal)
    start = History()
    histories = [start]
    for entry in journal:
        histories.append(apply(histories[-1], entry))

    assert journal == before
    assert start == History()
    assert histories[-1] == replay(journal)
    assert [history.sequence for history in histories] == list(range(len(journal) + 1))


@pytest.mark.parametrize(
    ("outcome", "is_pending"),
    [(Outcome.OK, False), (Outcome.REJECTED, False), (Outcome.NOT_SENT, False), (Outcome.UNKNOWN, True), (None, True)],
)
def test_a_command_is_pending_until_its_effect_is_known(outcome: Outcome | None, is_pending: bool):
    """No outcome, or the outcome "nobody knows": both are to be reconciled, not sent again (SEMANTICS J5)."""
    journal: list[Entry] = [intent(1, "r-1"), intent(2, "r-2")]
    if outcome is not None:
        journal.append(settled(3, "r-1", outcome))

    pending = [command.request_id for command in replay(journal).pending]

    assert pending == (["r-1", "r-2"] if is_pending else ["r-2"])


@given(journals())
def test_what_is_pending_can_be_found_without_the_rest(journal: list[Entry]):
    """Whoever only sums a past up needs no more."""
    assert pending_of(journal) == replay(journal).pending


def test_a_snapshot_takes_the_place_of_all_before_it():
    """Recovery is the snapshot, then the events after it, in sequence (SEMANTICS J4)."""
    waiting = intent(2, "r-1")
    snapshot = Snapshot(subject="c-1", at=3.0, epoch=1, sequence=3, state={"step": 2}, pending=(waiting,))

    history = replay([event(1), waiting, snapshot, event(4)])

    assert history == History(
        subject="c-1", state={"step": 2}, entries=(event(4),), pending=(waiting,), ended=False, sequence=4
    )
    assert replay([snapshot, event(4)]) == history


def test_the_end_of_a_subject_is_known():
    """A call that has ended needs no recovery; late events after it do not bring it back."""
    end = SubjectEnded(subject="c-1", at=2.0, epoch=1, sequence=2, reason="hangup")

    assert not replay([event(1)]).ended
    assert replay([event(1), end, event(3)]).ended


def test_an_empty_journal_is_an_empty_history():
    """Recovery also runs for a call of which nothing is stored (SEMANTICS J4)."""
    assert replay([]) == History()


@pytest.mark.parametrize(
    ("journal", "what"),
    [
        ([event(1), event(3)], "has a gap: entry 1 is followed by 3"),
        ([event(2)], "its beginning is missing"),
        ([event(1), event(1)], "there twice, or out of order"),
        ([event(1), event(2), event(1)], "there twice, or out of order"),
        ([event(1), event(2, subject="c-2")], "entries of c-1 and c-2 were given as one subject's"),
        ([event(1), event(2, epoch=2), event(2, epoch=1)], "two writers wrote the journal of c-1"),
        ([event(1), event(2), event(2, epoch=2)], "two writers wrote the journal of c-1"),
    ],
)
def test_gaps_duplicates_and_second_writers_are_refused(journal: list[Entry], what: str):
    """A journal that is not one story must not be recovered from as if it were (SEMANTICS J7)."""
    with pytest.raises(JournalError, match=what):
        replay(journal)


def test_a_new_writer_goes_on_where_the_old_one_stopped():
    """That is every restart: another epoch, the next number."""
    assert replay([event(1), event(2), event(3, epoch=2), event(4, epoch=5)]).sequence == 4


def test_entries_of_an_old_writer_can_be_left_out():
    """The deposed one's entries never count: not those behind the new writer's back, nor those it never saw (J7)."""
    seen, unseen, late = event(1), event(2, epoch=1), event(3, epoch=1)
    new = [event(2, epoch=2), event(3, epoch=2)]

    checked = check([seen, unseen, *new, late], old_writer="drop_old_writer")

    assert checked.entries == (seen, *new)
    assert checked.dropped == (unseen, late)


def test_dropping_an_old_writer_does_not_hide_a_gap():
    """Only that one fault is forgiven (SEMANTICS J7)."""
    with pytest.raises(JournalError, match="gap"):
        check([event(1), event(3, epoch=2)], old_writer="drop_old_writer")


def test_one_entry_can_be_checked_against_the_one_before():
    """For whoever reads one by one, such as salvage."""
    check_next(None, event(1))
    check_next(event(1), event(2))
    with pytest.raises(JournalError, match="gap"):
        check_next(event(1), event(4))
