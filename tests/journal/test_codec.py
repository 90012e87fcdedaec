"""The codec: what it writes it can read, for ever, and nothing that is damaged is believed."""

import dataclasses
import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import DamagedJournalError, JournalError
from relay_actors.journal import codec
from relay_actors.journal.codec import (
    SCHEMA_VERSION,
    UPCASTERS,
    decode,
    decode_all,
    decode_session,
    encode,
    encode_session,
    labels,
    labels_of_all,
    upcast,
)
from relay_actors.journal.entries import CommandSettled, Entry, EventReceived, Outcome, Session
from tests.journal.strategies import entries, sessions

FIXTURES = sorted((Path(__file__).parents[1] / "data").glob("journal-v*.jsonl"))


def record(*parts: object) -> bytes:
    """A record with a checksum that fits, whatever is in it."""
    body = msgpack.packb(list(parts))
    return zlib.crc32(body).to_bytes(4, "big") + body


_STAMP: dict[str, object] = {"subject": "c", "at": 1.0, "epoch": 1, "sequence": 1}
_SETTLED = {**_STAMP, "request_id": "r", "outcome": "ok", "code": 0, "result": {}}
_SNAPSHOT = {**_STAMP, "state": {}, "pending": []}


def event_fields(**changes: object) -> dict[str, object]:
    return _STAMP | {"frame_id": "f", "payload": {}} | changes


@given(entries)
def test_what_is_encoded_is_decoded_to_the_same(entry: Entry):
    """The first law of every codec; whole numbers of any size and odd texts included."""
    assert decode(encode(entry)) == entry


@given(sessions)
def test_a_session_is_decoded_to_the_same(session: Session):
    """The same law for what a resume needs."""
    assert decode_session(encode_session(session)) == session


@given(entries, st.data())
def test_a_record_cut_or_flipped_anywhere_is_refused(entry: Entry, data: st.DataObject):
    """A torn write must be noticed: the checksum covers every byte (SEMANTICS J7)."""
    whole = encode(entry)
    cut = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[cut] ^= data.draw(st.integers(1, 255))

    for torn in (whole[:cut], bytes(flipped)):
        with pytest.raises(JournalError, match="damaged"):
            decode(torn)


@given(st.lists(entries, max_size=5))
def test_many_records_are_read_as_each_is(some: list[Entry]):
    """At once, which takes less time."""
    records = list(map(encode, some))

    assert decode_all(records) == decode_all(records, are_whole=True) == some
    assert labels_of_all(records) == [(entry.subject, entry.sequence, entry.epoch) for entry in some]


@given(st.lists(entries, min_size=1, max_size=4), st.data())
def test_one_of_many_that_is_damaged_is_told_as_it_is_alone(some: list[Entry], data: st.DataObject):
    """Whatever stands around it, and whatever is wrong with it."""
    records = list(map(encode, some))
    at = data.draw(st.integers(0, len(records) - 1))
    records[at] = data.draw(
        st.sampled_from(
            [
                b"",
                b"abcd",
                records[at][:-1],
                records[at] + b"x",
                zlib.crc32(b"\x91").to_bytes(4, "big") + b"\x91",
                record(1),
                record(SCHEMA_VERSION, "event", []),
                record(SCHEMA_VERSION, "event", event_fields(at="now")),
                record(SCHEMA_VERSION, "nothing", event_fields()),
                record(SCHEMA_VERSION, "settled", {**_SETTLED, "outcome": "good"}),
                record(SCHEMA_VERSION, "snapshot", {**_SNAPSHOT, "pending": [1]}),
                record(SCHEMA_VERSION + 1, "event", {}),
            ]
        )
    )

    with pytest.raises(JournalError) as alone:
        decode(records[at])
    with pytest.raises(JournalError, match=re.escape(str(alone.value))) as together:
        decode_all(records)
    assert type(together.value) is type(alone.value)
    assert outcome(labels_of_all, records) == outcome(lambda some: list(map(labels, some)), records)


def outcome(read: Callable[[list[bytes]], object], records: list[bytes]) -> object:
    try:
        return read(records)
    except JournalError as error:
        return type(error), str(error)


@pytest.mark.parametrize("subject", ["c", "c" * 40, "c" * 300, "\u00a7subject", "\u00a8sequence", "\u00a8sequence\x01"])
@pytest.mark.parametrize("number", [1, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**62, -1, -200])
def test_whose_records_are_and_which_is_read_rightly_of_any_name_and_number(subject: str, number: int):
    """It is read from their first bytes, and what those look like depends on both; what is odd is read with care."""
    fields = event_fields(subject=subject, sequence=number, epoch=2 * number)
    records = [record(SCHEMA_VERSION, "event", fields), encode(EventReceived(subject="d", at=1.0, payload={}))]

    assert labels_of_all(records) == [(subject, number, 2 * number), ("d", 0, 0)]


@pytest.mark.parametrize(
    "wrong", [{"subject": 1}, {"sequence": "1"}, {"epoch": 1.0}, {"sequence": True}, {"epoch": None}]
)
def test_what_does_not_say_whose_it_is_is_damaged_among_others(wrong: dict[str, object]):
    """As it is alone."""
    records = [record(SCHEMA_VERSION, "event", event_fields()), record(SCHEMA_VERSION, "event", event_fields(**wrong))]

    with pytest.raises(DamagedJournalError, match="does not say whose it is"):
        labels_of_all(records)


def test_records_of_older_versions_are_read_among_others():
    """Each goes through its upcasters."""
    intent = {**_STAMP, "request_id": "r", "method": "calling.answer", "params": {}}
    records = [record(1, "intent", intent), record(SCHEMA_VERSION, "event", event_fields())]

    assert decode_all(records) == decode_all(records, are_whole=True) == list(map(decode, records))
    assert labels_of_all(records) == [("c", 1, 1)] * 2


@given(st.binary(max_size=64), st.booleans())
def test_no_bytes_raise_anything_but_a_journal_error(noise: bytes, checksum_fits: bool):
    """Whoever reads a journal handles one class of error; noise whose checksum fits by chance is no exception."""
    data = zlib.crc32(noise).to_bytes(4, "big") + noise if checksum_fits else noise

    for read in (decode, decode_session):
        with pytest.raises(JournalError):
            read(data)


@pytest.mark.parametrize(
    "data",
    [
        record(1, "event", event_fields(sequence="1")),
        record(1, "event", event_fields(at=True)),
        record(1, "event", event_fields(payload=[])),
        record(1, "event", event_fields(extra=1)),
        record(1, "event", {"subject": "c"}),
        record(1, "event", {1: 2}),
        record(1, "news", event_fields()),
        record(1, "event"),
        record(0, "event", event_fields()),
        record(1, "settled", {k: v for k, v in event_fields().items() if k not in ("frame_id", "payload")}
               | {"request_id": "r", "outcome": "maybe", "code": 0, "result": {}}),
        record(1, "snapshot", {k: v for k, v in event_fields().items() if k not in ("frame_id", "payload")}
               | {"state": {}, "pending": [3]}),
        record(1, "session", {"protocol": 1, "authorization_state": ""}),
        record(1, "event", event_fields(frame_id=msgpack.ExtType(1, b"x"))),
        record(1, "event", event_fields(frame_id=msgpack.ExtType(9, b"1"))),
        b"",
        None,
        "text",
    ],
)  # fmt: skip
def test_a_record_of_a_wrong_shape_is_refused(data: bytes):
    """A checksum only says that the bytes are those written; what they say is checked as well."""
    with pytest.raises(JournalError, match="damaged"):
        decode(data)


def test_a_session_is_not_an_entry_nor_the_other_way_round():
    """The secret of a session must not get among the entries by a mistake of a store."""
    with pytest.raises(JournalError, match="damaged"):
        decode(encode_session(Session(protocol="p")))
    with pytest.raises(JournalError, match="a session was expected"):
        decode_session(encode(EventReceived(subject="c", at=1.0, payload={})))


def test_a_record_of_a_newer_release_is_refused_with_advice():
    """After a downgrade, reading half of what is there would be worse than stopping (SEMANTICS J9)."""
    with pytest.raises(JournalError, match="newer relay_actors; upgrade"):
        decode(record(SCHEMA_VERSION + 1, "event", event_fields()))


def test_values_that_are_not_plain_data_are_refused():
    """An object that packs in some way and comes back as something else would be a silent loss."""
    with pytest.raises(JournalError, match="cannot store an entry of kind 'event': object is not plain data"):
        encode(EventReceived(subject="c", at=1.0, payload={"x": object()}))
    with pytest.raises(JournalError, match="not one of the kinds"):
        encode(Entry(subject="c", at=1.0))


def nested(depth: int) -> object:
    value: object = "bottom"
    for _ in range(depth):
        value = [value]
    return value


def test_bottomless_nesting_is_refused():
    """A hostile value must not end in a crash of the interpreter, nor in an error of another kind."""
    with pytest.raises(JournalError, match="cannot store"):
        encode(EventReceived(subject="c", at=1.0, payload={"x": nested(5000)}))


def test_an_outcome_comes_back_as_one():
    """`match` on `Outcome` members must work on what was loaded."""
    settled = decode(encode(CommandSettled(subject="c", at=1.0, request_id="r", outcome=Outcome.UNKNOWN)))

    assert isinstance(settled, CommandSettled)
    assert settled.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_records_of_every_older_version_stay_readable(path: Path):
    """What an old release wrote is read by every later one: these bytes are never made anew (SEMANTICS J9)."""
    for line in path.read_text("utf-8").splitlines():
        fixture = json.loads(line)
        data = bytes.fromhex(fixture["record"])
        if fixture["kind"] == "session":
            found = dataclasses.asdict(decode_session(data))
        else:
            entry = decode(data)
            assert codec._FIELDS_OF[type(entry)][0] == fixture["kind"], fixture["name"]
            found = dataclasses.asdict(entry)
        assert json.loads(json.dumps(found)) == fixture["fields"], fixture["name"]


def test_there_are_fixtures_of_every_version_and_kind():
    """A new version or kind without records of its own would not be protected by the test above (SEMANTICS J9)."""
    assert [path.stem for path in FIXTURES] == [f"journal-v{n}" for n in range(1, SCHEMA_VERSION + 1)]
    kinds = {json.loads(line)["kind"] for line in FIXTURES[-1].read_text("utf-8").splitlines()}
    assert kinds == {*codec._KINDS, "session"}


def test_there_is_a_step_from_every_older_version():
    """Raising the version without an upcaster would make every journal in the field unreadable (SEMANTICS J9)."""
    assert sorted(UPCASTERS) == list(range(1, SCHEMA_VERSION))


def test_upcasters_run_one_after_the_other():
    """Each step knows two versions only, so that old ones are never touched again (SEMANTICS J9)."""
    table = {
        1: lambda kind, fields: (kind, {"room": fields["chamber"]}),
        2: lambda kind, fields: ("renamed", {**fields, "floor": 0}),
    }

    assert upcast(1, "event", {"chamber": "a"}, table=table, current=3) == ("renamed", {"room": "a", "floor": 0})
    assert upcast(2, "event", {"room": "a"}, table=table, current=3) == ("renamed", {"room": "a", "floor": 0})
    assert upcast(3, "event", {"room": "a"}, table=table, current=3) == ("event", {"room": "a"})
    with pytest.raises(JournalError, match="which no release has written"):
        upcast(1, "event", {}, table={2: table[2]}, current=3)


def test_a_packer_goes_on_after_something_that_cannot_be_packed():
    """One entry that is refused must not spoil the next one."""
    pack = codec.packer()
    good = EventReceived(subject="c", at=1.0, payload={"n": 2**70})
    with pytest.raises(JournalError, match="cannot store an entry of kind 'event'"):
        codec.encode(good, {"payload": {"a": [1, object()]}}, pack)

    assert decode(codec.encode(good, None, pack)) == good


def test_a_text_with_half_a_surrogate_pair_is_stored_among_others():
    """JSON may hold one, and an event that came must be storable; the quick packer does not take it."""
    pack = codec.packer()
    odd = EventReceived(subject="c", at=1.0, payload={"half \ud800": ["\udfff"], "n": 2**70})
    fine = EventReceived(subject="c", at=1.0, payload={"whole": "\U0001f600"})

    assert [decode(codec.encode(entry, None, pack)) for entry in (fine, odd, fine)] == [fine, odd, fine]
    fields = {name: getattr(odd, name) for name in ("subject", "at", "epoch", "sequence", "frame_id", "payload")}
    assert decode(codec.encode_fields(EventReceived, fields, pack)) == odd


def test_a_record_is_checked_also_when_one_like_it_was_sound():
    """What is remembered of sound records are their names and types, all of them."""
    good = event_fields()
    for _ in range(2):
        decode(record(SCHEMA_VERSION, "event", good))
    for bad in (event_fields(at=True), event_fields(sequence=1.0), event_fields(payload=None)):
        with pytest.raises(JournalError, match="damaged"):
            decode(record(SCHEMA_VERSION, "event", bad))
