"""The ledger: numbers without holes, whatever is refused in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import JournalError
from relay_actors.journal.codec import decode
from relay_actors.journal.entries import EventReceived
from relay_actors.journal.ledger import Ledger
from relay_actors.journal.redact import Redactor


def event(subject: str, payload: object = None) -> EventReceived:
    return EventReceived(subject=subject, at=1.0, payload={"x": payload})


def ledger(**sequences: int) -> Ledger:
    return Ledger(epoch=7, sequences=sequences, redactor=Redactor())


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.booleans()), max_size=12))
def test_each_subject_is_numbered_without_a_gap(steps: list[tuple[str, bool]]):
    """A refused batch must give no number away, or the next reader would see a gap (SEMANTICS J7)."""
    numbered = ledger(a=3)
    given_out: dict[str, list[int]] = {"a": [], "b": []}
    for subject, is_good in steps:
        if is_good:
            [record] = numbered.records([event(subject)])
            given_out[subject].append(record[1])
        else:
            with pytest.raises(JournalError, match="not plain data"):
                numbered.records([event("a"), event("b"), event(subject, object())])

    assert given_out["a"] == list(range(4, 4 + len(given_out["a"])))
    assert given_out["b"] == list(range(1, 1 + len(given_out["b"])))


def test_a_record_says_the_same_inside_and_outside():
    """The columns are for looking up; what counts is under the checksum."""
    [first, second] = ledger().records([event("a"), event("a")])

    assert [first[:3], second[:3]] == [("a", 1, 7), ("a", 2, 7)]
    for *labels, body in (first, second):
        entry = decode(body)
        assert [entry.subject, entry.sequence, entry.epoch] == labels


def test_a_forgotten_subject_begins_anew():
    """Nothing of it is left, so its next entry is its first one."""
    numbered = ledger(a=3)

    numbered.forget("a")
    numbered.forget("never seen")

    [record] = numbered.records([event("a")])
    assert record[1] == 1


@pytest.mark.parametrize("entry", [event(""), "not an entry"])
def test_what_has_no_subject_is_refused(entry: object):
    """It could never be loaded, nor forgotten."""
    with pytest.raises(JournalError, match="not an entry with a subject"):
        ledger().records([entry])
