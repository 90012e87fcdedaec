"""What can be looked at is told as it is, and what can be saved never takes the place of anything."""

from pathlib import Path

import pytest

from relay_actors import CallActor, RelayApp
from relay_actors.cli import sights
from relay_actors.params import recording
from relay_actors.simulator.lines import StoryError
from relay_actors.simulator.simulator import Simulator

ADA, BEN, CAT = "+15550001111", "+15550002222", "+15550003333"


class Weekly(CallActor):
    async def run(self) -> None:
        await self.answer()
        await self.join_conference("weekly")
        await self.wait_for_ended()


class Lobby(CallActor):
    async def run(self) -> None:
        await self.answer()
        await self.join_room("lobby")
        await self.wait_for_ended()


class Support(CallActor):
    async def run(self) -> None:
        await self.answer()
        await self.queue_enter("support")
        await self.wait_for_ended()


class Desk(CallActor):
    async def run(self) -> None:
        await self.answer()
        agent = self.ai(
            prompt={"text": "You are the desk."},
            post_prompt={"text": "Sum up."},
            post_prompt_url="https://desk.example.com/said",
        )
        await agent.wait()


class Dictation(CallActor):
    async def run(self) -> None:
        await self.answer()
        await self.record(recording(beep=True, terminators="#")).wait()


@pytest.fixture
def running(app: RelayApp) -> RelayApp:
    for actor_class in (Weekly, Lobby, Support, Desk, Dictation):
        app.calls(actor_class.__name__.lower())(actor_class)
    app.start()
    return app


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (sights.calls, ["0 up, 0 ended"]),
        (sights.meetings, ["nobody meets anybody, and nobody waits"]),
        (sights.conversations, ["no agent has spoken with anybody"]),
        (sights.webhooks, ["nothing would have been sent by HTTP"]),
        (sights.files, ["there is no recording, no transcript and no fax yet"]),
    ],
)
def test_where_nothing_is_that_is_said(simulator: Simulator, look, said):
    """Silence would look like a command that does not work."""
    assert list(look(simulator)) == said


def test_meetings_are_told_with_who_is_in_them(simulator: Simulator, running: RelayApp):
    simulator.phone(ADA).dials(context="weekly").is_in_conference("weekly")
    simulator.phone(BEN).dials(context="lobby").is_in_room("lobby")
    simulator.phone(CAT).dials(context="support").is_in_queue("support", 1)

    assert list(sights.meetings(simulator)) == [
        f"conference weekly: {ADA}",
        f"room lobby: {BEN}",
        f"queue support: {CAT}",
    ]

    simulator.phone(CAT).hangs_up()
    assert list(sights.meetings(simulator))[-1] == "queue support: nobody waits"


def test_what_an_agent_has_said_is_told_and_so_is_its_report(simulator: Simulator, running: RelayApp):
    simulator.next_agent("Good evening.", "Goodbye.", summary="Wants nothing.")
    simulator.phone(ADA).dials(context="desk").hears("good evening").says("Hello.").hears("goodbye").is_hung_up()

    title, *said = sights.conversations(simulator)
    assert title.startswith("ai on call ")
    assert said == ["assistant: Good evening.", "user: Hello.", "assistant: Goodbye."]
    [report] = sights.webhooks(simulator)
    assert report.startswith("POST https://desk.example.com/said {")
    assert "Wants nothing." in report


def test_the_latest_file_is_saved_and_nothing_is_written_over(simulator: Simulator, running: RelayApp, tmp_path: Path):
    """Whoever fetches twice still has what was changed in between."""
    for words in ("one", "two"):
        simulator.phone(ADA).dials(context="dictation").hears("beep").says(words).presses("#").is_hung_up()
    first, latest = sights.files(simulator)

    path = sights.save(simulator, "", tmp_path)

    assert path == tmp_path / latest.rpartition("/")[2]
    assert path.read_bytes() == simulator.fetch(latest)
    assert sights.save(simulator, first, tmp_path).read_bytes() == simulator.fetch(first)
    with pytest.raises(StoryError, match="cannot be written: File exists"):
        sights.save(simulator, latest, tmp_path)


def test_what_is_not_there_is_not_saved(simulator: Simulator, tmp_path: Path):
    with pytest.raises(StoryError, match="no recording"):
        sights.save(simulator, "", tmp_path)
    with pytest.raises(StoryError, match="there is no file at"):
        sights.save(simulator, "https://files.example.com/none.wav", tmp_path)
    assert list(tmp_path.iterdir()) == []
