"""What the journal's laws are tried with."""

from hypothesis import strategies as st

from relay_actors.journal.entries import (
    CallStarted,
    CommandIntended,
    CommandSettled,
    Entry,
    EventReceived,
    Noted,
    Outcome,
    Session,
    Snapshot,
    SubjectEnded,
)

# Cs: half a surrogate pair, which a JSON text may hold.
texts = st.text(st.characters(), max_size=12) | st.text(st.characters(categories=["Cs"]), max_size=2)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, plain, max_size=4)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
_stamp = {
    "subject": names,
    "at": st.floats(0, 2e9),
    "epoch": st.integers(0, 2**40),
    "sequence": st.integers(0, 2**40),
}

events = st.builds(EventReceived, frame_id=st.none() | texts | st.integers(), payload=objects, **_stamp)
intents = st.builds(
    CommandIntended,
    request_id=names,
    method=names,
    params=objects,
    number=st.integers(0, 1000),
    after=st.integers(-1, 1000),
    by=st.sampled_from(["call", "other"]),
    **_stamp,
)
started = st.builds(CallStarted, actor=names, direction=names, data=objects, settings=objects, **_stamp)
noted = st.builds(Noted, what=names, values=objects, after=st.integers(0, 1000), **_stamp)
settlements = st.builds(
    CommandSettled,
    request_id=names,
    outcome=st.sampled_from(Outcome),
    code=st.integers(-40000, 40000),
    result=objects,
    **_stamp,
)
ends = st.builds(SubjectEnded, reason=texts, **_stamp)
snapshots = st.builds(Snapshot, state=objects, pending=st.lists(intents, max_size=2).map(tuple), **_stamp)
entries: st.SearchStrategy[Entry] = st.one_of(events, intents, settlements, ends, snapshots, started, noted)
sessions = st.builds(Session, protocol=texts, authorization_state=texts)


def anywhere(size: int) -> st.SearchStrategy[int]:
    """A place in a database file of that size; often on its first page, where the schema is."""
    return st.integers(0, min(4096, size) - 1) | st.integers(0, size - 1)
