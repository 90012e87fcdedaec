"""A whole application with its server on one thread, from one seed, in virtual time."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from relay_actors import CallActor, RelayApp
from relay_actors.errors import ArgumentError, ConfigError
from relay_actors.testing import lab as labs
from relay_actors.testing.lab import Lab

CALLER = "+15550001111"


def an_app(actor_class: type[CallActor], **settings: object) -> RelayApp:
    app = RelayApp(**settings)  # type: ignore[arg-type]  # whatever the test gives
    app.calls("support")(actor_class)
    return app


class Menu(CallActor):
    """Asks, and says what was pressed."""

    async def run(self) -> None:
        await self.answer()
        asked = await self.prompt_tts("Press one key.", {"digits": {"max": 1}, "initial_timeout": 30.0})
        self.data["digits"] = (await asked.wait()).digits
        await self.sleep(600)
        await self.play_tts(f"That was {self.data['digits']}.").wait()


class Blocking(CallActor):
    """The same on a thread of its own."""

    def run(self) -> None:
        self.answer().get()
        self.sleep(3600).get()
        self.play_tts("An hour is over.").wait().get()


class OnALoop(CallActor):
    """With a library for asyncio."""

    async def run(self) -> None:
        await self.answer()
        await self.aio(asyncio.sleep(3600))
        await self.play_tts("An hour is over.").wait()


def frames(seed: int) -> list[bytes]:
    """Play the menu, and return all that was on the wire."""
    with Lab(seed) as lab:
        lab.start(an_app(Menu))
        callers = [lab.phone(f"+1555000222{number}").dials(context="support") for number in range(3)]
        for caller in callers:
            caller.hears("press one key").presses("1")
        for caller in callers:
            caller.hears("that was 1", within=700).is_hung_up()
        return [frame.text for frame in lab.sim.frames]


def test_the_same_seed_gives_the_same_run_to_the_byte():
    """Proves SEMANTICS V3, D4: and another seed another order."""
    assert frames(7) == frames(7)
    assert len({tuple(frames(seed)) for seed in range(5)}) == 5


@pytest.mark.parametrize("actor_class", [Blocking, OnALoop])
def test_an_hour_passes_at_once_also_for_threads_and_for_asyncio(actor_class: type[CallActor]):
    """Proves SEMANTICS V2."""
    with Lab() as lab:
        lab.start(an_app(actor_class))
        began = lab.clock.now()
        lab.phone(CALLER).dials(context="support").hears("an hour is over", within=4000).is_hung_up()
        assert 3600 < lab.clock.now() - began < 3700


def test_a_test_in_asyncio_may_await_what_happens():
    """As with pytest-asyncio or anyio: it would wait for ever otherwise, with nobody to let time go on."""

    async def story() -> None:
        with Lab() as lab:
            app = lab.start(an_app(Menu))
            caller = lab.phone(CALLER).dials(context="support")
            caller.hears("press one key").presses("7")
            call = app.call(caller.call_id)
            assert call is not None
            await call.wait_for_ended()
            caller.hears("that was 7")
            assert lab.clock.now() > 600

    asyncio.run(asyncio.wait_for(story(), 30.0))


def test_a_journal_in_a_file_is_in_memory_here(tmp_path: Path):
    """A test leaves no file behind, and finds none."""
    app = an_app(Menu, journal=tmp_path / "calls.db")
    with Lab() as lab:
        lab.start(app)
        lab.phone(CALLER).dials(context="support").hears("press one key")
        assert lab.medium(app).entries
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_goes_on_from_what_its_journal_has_committed(tmp_path: Path):
    """V4: a crash at any step; nobody hears a prompt twice, and nobody is left up."""
    app = an_app(Menu, journal=tmp_path / "calls.db")
    with Lab() as lab:
        lab.start(app)
        caller = lab.phone(CALLER).dials(context="support")
        caller.hears("press one key")
        lab.kill()
        assert not app.is_running
        caller.presses("4")
        lab.start(app)
        caller.hears("that was 4", within=700).is_hung_up()
        assert [str(sound) for sound in caller.heard].count("Press one key.") == 1
        assert lab.sim.calls_up() == ()


@pytest.mark.parametrize("actor_class", [Blocking, OnALoop])
def test_a_killed_process_leaves_no_thread(actor_class: type[CallActor]):
    """H9: of thousands of runs in a row no thread may stay."""
    before = threading.active_count()
    with Lab() as lab:
        lab.start(an_app(actor_class))
        lab.phone(CALLER).dials(context="support").is_connected()
        lab.kill()
        assert lab.apps == []
    assert threading.active_count() == before


def test_the_server_notices_that_a_process_was_killed_in_the_middle_of_a_turn(tmp_path: Path):
    """What it was just about to do has no effect; a call that comes then waits for the next process."""
    labs: list[Lab] = []

    class Fatal(CallActor):
        async def run(self) -> None:
            await self.answer()
            if not labs[0].deaths:
                labs[0].kill()
            await self.play_tts("Still here.").wait()

    app = an_app(Fatal, journal=tmp_path / "calls.db")
    with Lab() as lab:
        labs.append(lab)
        lab.start(app)
        caller = lab.phone(CALLER).dials(context="support")
        caller.is_connected()
        assert lab.until(lambda: not lab.apps)
        lab.settle()
        assert lab.sim.contexts == ()
        assert [str(sound) for sound in caller.heard] == []
        other = lab.phone("+15550002222").dials(context="support")
        lab.start(app)
        caller.hears("still here").is_hung_up()
        other.hears("still here").is_hung_up()


def test_two_applications_run_beside_each_other():
    """Each on its own connection, whatever the environment allows."""
    with Lab() as lab:
        for _ in range(2):
            lab.start(an_app(Menu))
        assert len(lab.sim.sessions) == 2
        assert len(lab.apps) == 2
    assert lab.apps == []


@pytest.mark.parametrize("wrong", [Menu, "app", None])
def test_what_is_no_application_is_refused(wrong: object):
    """The text says what to give."""
    with pytest.raises(ConfigError, match="give the application"):
        Lab().start(wrong)  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize("wrong", [float("inf"), float("nan"), "5", None, True])
def test_time_goes_on_by_a_number_of_seconds(wrong: float):
    """The test would hang, or tell of the insides of the lab."""
    with Lab() as lab:
        lab.start(an_app(Menu))
        with pytest.raises(ConfigError, match=r"advance\(.*\): give a number of seconds"):
            lab.advance(wrong)
        if wrong is not None:
            with pytest.raises(ArgumentError, match="within must be a number of seconds, not"):
                lab.phone(CALLER).rings(within=wrong)
    assert lab.clock.now() < 1


def test_time_does_not_go_back():
    """The error says so."""
    with pytest.raises(ConfigError, match="time only goes on"):
        Lab().advance(-1)


def test_time_stands_at_the_moment_at_which_a_wait_is_over():
    """And not at the next one at which something is due."""
    with Lab() as lab:
        lab.sim.manners.inbound_ring_s = 3.0
        lab.phone(CALLER).dials(context="nobody").is_hung_up(within=5.0)
        assert lab.clock.now() == 3.0


class ForgetsToWait(CallActor):
    """Awaits that the prompt was accepted, and not that it was heard: so no time passes."""

    async def run(self) -> None:
        await self.answer()
        while True:
            await self.play_tts("Please hold.")


def test_a_loop_in_which_no_time_passes_is_told_of_and_ends_with_the_lab(monkeypatch: pytest.MonkeyPatch):
    """The wait would never be over: its deadline is in virtual time. The application can be started again."""
    monkeypatch.setattr(labs, "MOST_AT_ONCE", 1000)
    app = an_app(ForgetsToWait)
    for _run in range(2):
        with Lab() as lab:
            lab.start(app)
            caller = lab.phone(CALLER).dials(context="support")
            with pytest.raises(ConfigError, match=r"time stands still: the clock says 0\.000.* ForgetsToWait#\d+ \d+"):
                caller.hears("goodbye")
        assert not app.is_running
        assert len(caller.story().splitlines()) < 210  # of thousands of prompts
