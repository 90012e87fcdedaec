"""Rounds: what goes in comes out, what was forgotten does not, and damage is noticed."""

import zlib
from collections.abc import Sequence
from operator import itemgetter

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import DamagedJournalError, JournalError
from relay_actors.journal import codec
from relay_actors.journal import rounds as module
from relay_actors.journal.codec import decode, encode
from relay_actors.journal.entries import Entry, EventReceived
from relay_actors.journal.ledger import Record
from relay_actors.journal.rounds import (
    Forgotten,
    SeenRounds,
    entries_in,
    in_force,
    number_of,
    pack_round,
    parts_of,
    records_in,
    size_of_round,
)

PARTS = st.lists(st.tuples(st.booleans(), st.sampled_from(["a", "b", "ü", "\ud800"])), max_size=12)


def packed(parts: list[Record | Forgotten]) -> bytes:
    return pack_round(7, [part.body if isinstance(part, Forgotten) else part[3] for part in parts])


def read_part(part: bytes | Forgotten) -> Entry | Forgotten:
    return part if isinstance(part, Forgotten) else decode(part)


def shown(parts: Sequence[Record | Forgotten]) -> list[object]:
    return [("forgotten", part.subject) if isinstance(part, Forgotten) else part for part in parts]


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

    found = in_force([packed(made(parts)) for parts in rounds], records_in, itemgetter(0))
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


@given(PARTS, st.integers(0, 2**48), st.data())
def test_a_round_says_which_one_it_is_and_damage_to_that_is_noticed(
    parts: list[tuple[bool, str]], number: int, data: st.DataObject
):
    """What counts depends on it: a round that seems older than it is would let live what it says is forgotten."""
    bodies = [part.body if isinstance(part, Forgotten) else part[3] for part in made(parts)]
    body = pack_round(number, bodies)
    assert number_of(body) == number

    damaged = bytearray(body)
    at = 4 * (len(bodies) + 2) + data.draw(st.integers(0, 13))
    damaged[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedJournalError):
        list(map(read_part, parts_of(bytes(damaged))))


@given(PARTS)
def test_a_round_of_before_which_does_not_say_which_one_it_is_can_be_read(parts: list[tuple[bool, str]]):
    """Its row says so, and is believed."""
    body = pack_round(None, [part.body if isinstance(part, Forgotten) else part[3] for part in made(parts)])
    assert number_of(body) is None
    assert shown(records_in(body)) == shown(made(parts))
    rounds = SeenRounds()
    assert shown(rounds.look_at(body)) == shown(rounds.records_in(body)) == shown(made(parts))


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


@given(PARTS)
def test_a_round_is_read_as_records_or_as_entries(parts: list[tuple[bool, str]]):
    """In order, what is forgotten in its place; and its size is known from its records."""
    body = packed(made(parts))

    assert shown(records_in(body)) == shown(made(parts))
    records = [part for part in made(parts) if not isinstance(part, Forgotten)]
    entries = [part for part in entries_in(body) if not isinstance(part, Forgotten)]
    assert entries == [decode(record[3]) for record in records]
    assert size_of_round(records) == len(pack_round(7, [record[3] for record in records]))


def test_a_record_of_a_newer_release_is_told_also_when_a_later_one_is_cut_off():
    """It is not damage that a file is newer: who would bring it back would lose what it says."""
    newer = msgpack.packb([codec.SCHEMA_VERSION + 1, "event", {}])
    newer = zlib.crc32(newer).to_bytes(4, "big") + newer

    for read in (records_in, entries_in, SeenRounds().look_at):
        with pytest.raises(JournalError, match="newer") as caught:
            read(pack_round(7, [newer, record("a")[3]])[:-1])
        assert not isinstance(caught.value, DamagedJournalError)


@given(PARTS)
def test_what_was_looked_at_is_not_read_again(parts: list[tuple[bool, str]]):
    """Opening a journal looks at all of it, and then takes it over: ten thousand calls wait for that."""
    body, rounds = packed(made(parts)), SeenRounds()

    assert shown(rounds.look_at(body)) == shown(made(parts))
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(module, "labels_of_all")
        assert shown(rounds.records_in(bytes(bytearray(body)))) == shown(made(parts))


def test_only_the_same_bytes_are_not_read_again():
    """Whichever round they say to be."""
    one, other = packed([record("a", 1)]), packed([record("b", 1)])
    rounds = SeenRounds()
    rounds.look_at(one)

    assert shown(rounds.records_in(other)) == [record("b", 1)]
    with pytest.raises(DamagedJournalError):
        rounds.records_in(one[:-1])


@pytest.mark.parametrize("body", [None, 1, "text", b"", b"\0\0\0\2\0\0\0\1a"])
def test_what_is_no_round_is_refused_by_who_looks(body: object):
    """And nothing is kept of it."""
    rounds = SeenRounds()

    for read in (rounds.look_at, rounds.records_in):
        with pytest.raises(DamagedJournalError, match="a round of the journal is damaged"):
            read(body)
