"""One story of a run."""

from __future__ import annotations

import pytest

from relay_actors import CallActor, RelayApp
from relay_actors.errors import ConfigError
from relay_actors.testing import timeline as module
from relay_actors.testing.lab import Lab
from relay_actors.testing.timeline import Timeline, TimelineEntry, first_difference, rendered

CALLER = "+15550001111"


class Menu(CallActor):
    """Asks once, and fails where it is told to."""

    async def run(self) -> None:
        await self.answer()
        asked = await self.prompt_tts("Press one key.", {"digits": {"max": 1}})
        if (await asked.wait()).digits == "9":
            raise LookupError(f"nine is too much for {object()}")
        await self.play_tts("Thank you.").wait()


def run(seed: int, key: str = "1", callers: int = 1) -> Timeline:
    app = RelayApp()
    app.calls("support")(Menu)
    with Lab(seed) as lab:
        timeline = Timeline(lab.sim)
        lab.start(app)
        timeline.follow(app)
        lines = [lab.phone(f"+1555000111{number}").dials(context="support") for number in range(1, callers + 1)]
        for line in lines:
            line.hears("press one key").presses(key)
        for line in lines:
            line.is_hung_up(within=100)
    return timeline


def told(timeline: Timeline, kind: str) -> list[str]:
    return [f"{entry.who} {entry.what}".strip() for entry in timeline.entries if entry.kind == kind]


def test_the_same_seed_tells_the_same_story_to_the_byte():
    """Proves SEMANTICS V3: no address, no time of the machine, no id that is drawn anew."""
    for key in ("1", "9"):
        assert run(3, key, callers=3).text() == run(3, key, callers=3).text()
    assert "0x" not in run(3, "9").text()


def test_people_frames_and_actors_are_in_one_story_in_their_order():
    """Why somebody heard what they heard."""
    timeline = run(0)
    whats = [(entry.kind, entry.what) for entry in timeline.entries]
    order = [
        ("frame", "signalwire.connect contexts support"),
        ("person", "dialled +15550000000 (context support)"),
        ("actor", "handles CallReceiveEvent from ConnectionActor#6"),
        ("frame", "calling.answer call 1"),
        ("person", "answered"),
        ("person", "heard 'Press one key.'"),
        ("person", "pressed 1"),
        ("frame", "calling.call.collect call 1 control 1 digit 1"),
        ("person", "heard 'Thank you.'"),
        ("person", "ended (hangup)"),
    ]
    places = [whats.index(entry) for entry in order]
    assert places == sorted(places)
    assert told(timeline, "actor")[-1] == "_Root#1 has ended: shutdown (the system stops)"


def test_a_failure_its_restart_and_its_end_are_told_with_their_reasons():
    """That is what one looks for."""
    words = told(run(0, "9"), "actor")
    assert any(word.startswith("Menu#7 is restarted") and "nine is too much" in word for word in words), words
    assert any("LookupError: nine is too much for <object>" in word for word in words)


def test_a_moment_that_is_amended_is_told_as_it_came_out():
    """Whether anybody listened to a key is known only after it was pressed."""
    with Lab() as lab:
        timeline = Timeline(lab.sim)
        lab.phone(CALLER).dials(context="nobody").presses("1")
        assert told(timeline, "person")[-1] == f"{CALLER} pressed 1 (nobody listened)"


def test_a_note_stands_where_it_was_made():
    """Such as a fault."""
    with Lab() as lab:
        timeline = Timeline(lab.sim)
        lab.advance(2.5)
        timeline.note("the connection breaks")
        [entry] = timeline.entries
        assert entry == TimelineEntry(2.5, "note", "", "the connection breaks")
        assert str(entry) == "     2.500  note                              the connection breaks"


def test_of_a_long_story_the_beginning_is_missing_and_that_is_told(monkeypatch: pytest.MonkeyPatch):
    """A run that never ends must not take all memory."""
    monkeypatch.setattr(module, "BOUND", 3)
    with Lab() as lab:
        timeline = Timeline(lab.sim)
        for number in range(5):
            timeline.note(str(number))
        assert [entry.what for entry in timeline.entries] == ["the beginning is missing: 2 entries", "2", "3", "4"]
        lab.sim.wait_until(lambda: False, within=1.0)
        assert timeline.waits_from == 4
        timeline.note("5")
        assert timeline.entries[timeline.waits_from or 0].what == "5"


def test_the_place_is_known_from_which_somebody_waits():
    """A wait in vain is explained by what came after it had begun."""
    with Lab() as lab:
        timeline = Timeline(lab.sim)
        assert timeline.waits_from is None
        timeline.note("before")
        lab.sim.wait_until(lambda: False, within=1.0)
        assert timeline.waits_from == 1


def test_only_what_runs_can_be_followed():
    """The error says how to start it."""
    with Lab() as lab, pytest.raises(ConfigError, match="not running"):
        Timeline(lab.sim).follow(RelayApp())


def test_who_is_followed_twice_is_told_once():
    """An application may be given to several helpers."""
    app = RelayApp()
    app.calls("support")(Menu)
    with Lab() as lab:
        timeline = Timeline(lab.sim)
        lab.start(app)
        timeline.follow(app)
        timeline.follow(app)
        lab.phone(CALLER).dials(context="support").hears("press one key")
        assert len([word for word in told(timeline, "actor") if "CallReceiveEvent" in word]) == 1


A, B, C = (TimelineEntry(0.0, "person", CALLER, what) for what in "ABC")
TURN = TimelineEntry(0.0, "actor", "Menu#7", "handles Tick")


@pytest.mark.parametrize(
    ("this", "other", "place"),
    [
        ([A, B], [A, B], None),
        ([A, B], [A, C], 1),
        ([A], [A, B], 1),
        ([A, B], [A], 1),
        ([], [], None),
        ([A, TURN, B], [A, B], None),
        ([A, TURN, C], [TURN, A, B], 2),
        ([TURN, A, B], [A], 2),
    ],
)
def test_the_first_difference_is_where_two_stories_part(
    this: list[TimelineEntry], other: list[TimelineEntry], place: int | None
):
    """Turns may be left out: their order differs with every seed."""
    assert first_difference(this, other, but={"actor"}) == place


def test_two_seeds_part_somewhere():
    """Otherwise nothing would be explored."""
    one, other = run(1, callers=3).entries, run(2, callers=3).entries
    place = first_difference(one, other)
    assert place is not None
    assert one[:place] == other[:place]
    assert one[place] != other[place]


def test_a_rendering_shows_the_end_and_the_surroundings_of_marks():
    """What a report has room for."""
    entries = [TimelineEntry(float(number), "note", "", f"entry {number}") for number in range(100)]
    lines = rendered(entries, [(30, "first divergence"), (100, "the end")], last=5).splitlines()

    assert lines[0].endswith("20 more")
    assert lines[1].endswith("entry 20")
    assert lines[lines.index(">>>>>>>>>>  first divergence") + 1].endswith("entry 30")
    assert any(line.endswith("49 more") for line in lines)
    assert lines[-1] == ">>>>>>>>>>  the end"
    assert lines[-2].endswith("entry 99")
    assert len(rendered(entries).splitlines()) == 100
