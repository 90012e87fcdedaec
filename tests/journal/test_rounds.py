"""Rounds: what goes in comes out, what was forgotten does not, and damage is noticed."""

from operator import itemgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import DamagedJournalError
from relay_actors.journal.codec import encode
from relay_actors.journal.entries import EventReceived
from relay_actors.journal.ledger import Record
from relay_actors.journal.rounds import Forgotten, in_force, pack_round, parts_of, record_of

PARTS = st.lists(st.tuples(st.booleans(), st.sampled_from(["a", "b", "ü", "\ud800"])), max_size=12)


def packed(parts: list[Record | Forgotten]) -> bytes:
    return pack_round([part.body if isinstance(part, Forgotten) else part[3] for part in parts])


def read_part(part: bytes | Forgotten) -> Record | Forgotten:
    return part if isinstance(part, Forgotten) else record_of(part)


def made(parts: list[tuple[bool, str]]) -> list[Record | Forgotten]:
    return [
        Forgotten(subject) if is_forgotten else record(subject, n) for n, (is_forgotten, subject) in enumerate(parts)
    ]


def record(subject: str, n: int = 1) -> Record:
    return subject, n, 1, encode(EventReceived(subject=subject, at=1.0, epoch=1, sequence=n, payload={"n": n}))


@given(PARTS)
def test_what_goes_in_comes_out(parts: list[tuple[bool, str]]):
    """In order, and the records byte by byte."""
    body = packed(made(parts))

    found = [("forgotten", part.subject) if isinstance(part, Forgotten) else part for part in parts_of(body)]

    assert found == [("forgotten", one.subject) if isinstance(one, Forgotten) else one[3] for one in made(parts)]


@given(st.lists(PARTS, max_size=4))
def test_what_counts_is_what_was_said_after_the_last_forgetting(rounds: list[list[tuple[bool, str]]]):
    """Whichever round either of the two stands in."""
    kept: list[Record] = []
    of: list[str] = []
    for parts in rounds:
        for part in made(parts):
            if isinstance(part, Forgotten):
                kept = [one for one, subject in zip(kept, of, strict=True) if subject != part.subject]
                of = [subject for subject in of if subject != part.subject]
            else:
                kept.append(part)
                of.append(part[0])

    found = in_force([packed(made(parts)) for parts in rounds], record_of, itemgetter(0))
    assert len(found) == len(rounds)
    assert [record for records in found for record in records] == kept


@given(st.data())
def test_a_round_that_was_changed_anywhere_is_not_believed(data: st.DataObject):
    """Each part has a checksum, and says how long it is: those before the damage are still given."""
    parts = [record("a", 1), Forgotten("b"), record("c", 3)]
    body = bytearray(packed(parts))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    seen: list[object] = []

    with pytest.raises(DamagedJournalError):
        list(map(seen.append, map(read_part, parts_of(bytes(body)))))

    assert len(seen) < len(parts)


@pytest.mark.parametrize(
    "body", [
        None, 1, "text", b"", b"\0\0\0", b"\0\0\0\2\0\0\0\1a", b"\0\0\0\1\0\0\0\7abcd\xc1",
        b"\0\0\0\1\0\0\0\6abcd\xc1x", b"\0\0\0\1\0\0\0\0", b"\0\0\0\0x", b"\xff\xff\xff\xff" * 9,
    ],
)  # fmt: skip
def test_what_is_no_round_is_refused(body: object):
    """A damaged row may hold anything."""
    with pytest.raises(DamagedJournalError, match="a round of the journal is damaged"):
        list(parts_of(body))
