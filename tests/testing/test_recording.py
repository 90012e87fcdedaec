"""The file of a recording: small, readable, the same for the same story, and without what must not be in it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay_actors.errors import ConfigError
from relay_actors.journal.sqlite import SqliteStore
from relay_actors.protocol import frames
from relay_actors.simulator.wire_log import LoggedFrame
from relay_actors.testing import Lab, Recording, replays
from relay_actors.testing.recording import VERSION
from tests.support.thorough import less
from tests.testing.recorded import AGENT, CALLER, OTHER, STORIES, Ivr, an_app, lived

EVENT = '{"at": 0.0, "event": "calling.call.state", "params": {"call_id": "call-1"}}'
HEAD = '{"recording": 1, "source": "frames", "words": "kept", "salt": 0}'


@pytest.mark.parametrize("story", STORIES)
def test_it_is_read_as_it_was_written(story: str, tmp_path: Path):
    """And is the same file when it is written again."""
    recording = Recording.from_frames(lived(story)[0])
    recording.write(tmp_path / "new" / "a.jsonl")
    again = Recording.read(tmp_path / "new" / "a.jsonl")
    assert again == recording
    assert again.text() == recording.text()


@pytest.mark.parametrize("story", STORIES)
def test_the_same_story_gives_the_same_file(story: str):
    """Two recordings can be compared: what has other ids, and another order of what has none, differs in nothing."""
    first, second = (Recording.from_frames(lived(story, seed)[0]).text().splitlines() for seed in (1, 2))
    assert sorted(first) == sorted(second)


@pytest.mark.parametrize("story", STORIES)
def test_no_number_no_word_and_no_id_is_in_it(story: str):
    """It is for a repository."""
    logged, entries = lived(story)
    for recording in (Recording.from_frames(logged), Recording.from_entries(entries)):
        text = recording.text()
        for kept_back in (CALLER, AGENT, OTHER, "Welcome", "reminder", "test-token", "test-project", "signalwire_"):
            assert kept_back not in text
        ids = {value for frame in logged for value in ids_in(frame.frame)}
        assert not [one for one in ids if one in text]
    assert "Welcome" in Recording.from_frames(lived("an IVR")[0], keeps_words=True).text()


def ids_in(value: Any) -> list[str]:
    match value:
        case dict():
            own = [
                item for key, item in value.items() if key.endswith("id") and isinstance(item, str) and len(item) > 8
            ]
            return own + [found for item in value.values() for found in ids_in(item)]
        case list():
            return [found for item in value for found in ids_in(item)]
        case _:
            return []


def test_one_call_of_several_is_taken_out():
    """With the one that it was connected to, and without the others."""
    calls, bridge = lived("an IVR", 3)[0], lived("a bridge")[0]
    [wanted] = {str(one.params.get("call_id")) for one in bridge if one.method == "calling.connect"}
    recording = Recording.from_frames([*calls, *bridge], wanted)
    assert recording.calls == ["call-1", "call-2"]
    assert recording.has_ended("call-1")
    assert not any(one.name == "calling.record" for one in recording.said)
    assert recording.text() == Recording.from_frames(bridge).text()


def test_calls_whose_beginning_a_simulator_has_forgotten_are_left_out():
    """It keeps the last 1000 frames. Half a call would be replayed as one whose commands do not come."""
    with Lab() as lab:
        lab.start(an_app(Ivr))
        callers = [lab.phone(f"+1202555{number:04}") for number in range(5)]
        for caller in callers:
            caller.dials(context="support").hears("welcome").hears("two keys").presses("12").hears("you have pressed")
            caller.is_hung_up()
        logged = list(lab.sim.frames)
        first, last = callers[0].line.call_id, callers[-1].line.call_id
    place = next(place for place, frame in enumerate(logged) if frame.method == "calling.record")
    recording = Recording.from_frames(logged[place:])
    assert recording.left_out == [first]
    assert len(recording.calls) == 4
    replays(recording, an_app(Ivr), seeds=3)
    assert len(Recording.from_frames(logged[place:], last).calls) == 1
    for call_id, rest in ((first, logged[place:]), (None, logged[-10:])):
        with pytest.raises(ConfigError, match=r"not the beginning of .*; a simulator keeps the last 1000"):
            Recording.from_frames(rest, call_id)


def test_a_journal_file_is_read_and_a_call_found_by_the_beginning_of_its_id(tmp_path: Path):
    """Also while an application writes to it: nothing of it changes."""
    entries = lived("an IVR")[1]
    path = tmp_path / "calls.db"
    with contextlib.closing(SqliteStore(path)) as store:
        store.append(entries)
        store.commit()
        recording = Recording.from_journal(path, entries[0].subject[:8])
    assert recording == Recording.from_entries(entries)
    with pytest.raises(ConfigError, match=r"none\.db"):
        Recording.from_journal(tmp_path / "none.db")


SECRETS = st.sampled_from(["PT0123456789abcdef", "project-of-mine", "a.jwt.token", "the newest state:of it"])
CARDS = st.sampled_from(["4111111111111111", "5500005555555559", "378282246310005", "6011 0009 9013 9424"])
CONTENTS = st.recursive(
    st.tuples(st.text(max_size=5), SECRETS | CARDS, st.text(max_size=5)).map(lambda parts: "|".join(parts)) | CARDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "digits", "event", "headers", "result", "params", "play", "to_number", "tag"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=less(30, 60))
@given(st.lists(st.tuples(st.sampled_from(["event", "pay", "command", "answer"]), CONTENTS), max_size=6), st.booleans())
def test_secrets_and_digits_of_cards_are_never_in_it(contents: list[tuple[str, Any]], keeps_words: bool):
    """SEMANTICS J10, V7: wherever they stand, whatever the frames are."""
    authentication = {"project": "project-of-mine", "token": "PT0123456789abcdef", "jwt_token": "a.jwt.token"}
    state = {"authorization_state": "the newest state:of it"}
    texts = [
        (True, frames.request("0", frames.CONNECT, {"authentication": authentication})),
        (False, an_event("s", "signalwire.authorization.state", state)),
        (False, an_event("r", "calling.call.receive", {"call_id": "c"})),
    ]
    for number, (kind, content) in enumerate(contents, start=1):
        id = str(number)
        if kind in ("event", "pay"):
            name = "calling.call.pay" if kind == "pay" else "calling.call.collect"
            texts.append((False, an_event(id, name, {"call_id": "c", "anything": content})))
        else:
            texts.append((True, frames.request(id, "calling.play", {"call_id": "c", "number": number, "x": content})))
            if kind == "answer":
                texts.append((False, frames.result(id, {"code": "200", "x": content})))
    logged = [
        LoggedFrame(0.0, 0.0, "received" if is_from_client else "sent", "", text) for is_from_client, text in texts
    ]
    text = Recording.from_frames(logged, keeps_words=keeps_words).text()
    for secret in (*authentication.values(), *state.values()):
        assert secret not in text
    for card in ("4111111111111111", "5500005555555559", "378282246310005", "6011 0009 9013 9424"):
        assert card not in text


def an_event(id: str, kind: str, params: dict[str, Any]) -> bytes:
    return frames.request(id, frames.EVENT, {"event_type": kind, "params": params})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no recording"),
        ("{}", "is no recording"),
        ('{"recording": true}', "is no recording"),
        (HEAD.replace("1", "0", 1), "which no release has written: record again"),
        (HEAD.replace("1", str(VERSION + 1), 1), "upgrade, or record again"),
        ('{"recording": 1}', "its first line lacks 'source'"),
        ('{"recording": 1, "source": "frames", "words": "kept", "salt": 1e400}', "or it is not what it should be"),
        (HEAD + "\n\n[]", "^a.jsonl, line 3: it is no JSON object"),
        (HEAD + "\nnonsense", "^a.jsonl, line 2: it is no JSON"),
        (HEAD + '\n{"at": 0.0}', "line 2: it is none of event, command, answer, refusal"),
        (HEAD + '\n{"at": "now", "event": "x", "params": {}}', "line 2: its event is not what it should be"),
        (HEAD + '\n{"at": Infinity, "event": "x", "params": {}}', "line 2: its event is not what it should be"),
        (HEAD + '\n{"at": 0.0, "command": "x", "number": "1", "params": {}}', "its command is not what it should be"),
    ],
)
def test_what_is_no_recording_or_of_another_version_is_refused(text: str, told: str):
    """With the line, and what to do."""
    with pytest.raises(ConfigError, match=told):
        Recording.parse(text, where="a.jsonl")


def test_the_first_version_is_read_as_it_was_written():
    """A test of somebody's must not be lost by an upgrade: this file is never changed."""
    path = Path(__file__).parents[1] / "data" / "recording-v1.jsonl"
    recording = Recording.read(path)
    assert [one.kind for one in recording.said][:3] == ["event", "command", "answer"]
    assert recording.text() == path.read_text("utf-8")


def test_what_cannot_be_read_or_written_is_told(tmp_path: Path):
    """The name is in the text."""
    with pytest.raises(ConfigError, match=r"none\.jsonl cannot be read"):
        Recording.read(tmp_path / "none.jsonl")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        Recording.parse(f"{HEAD}\n{EVENT}").write(tmp_path / "file" / "a.jsonl")
    with pytest.raises(ConfigError, match="nothing to record"):
        Recording.from_frames([])


def test_half_a_surrogate_pair_can_be_written():
    """JSON may hold one, and a text of somebody's therefore, too."""
    line = json.dumps({"at": 0.0, "event": "messaging.receive", "params": {"body": "\ud83d", "more": "é"}})
    recording = Recording.parse(f"{HEAD}\n{line}")
    assert Recording.parse(recording.text().encode().decode()) == recording
