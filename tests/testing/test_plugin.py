"""The fixtures, as a user of pytest meets them."""

from __future__ import annotations

import re

import pytest

APP = """
from relay_actors import CallActor, RelayApp

app = RelayApp()


@app.calls("office")
class Office(CallActor):
    async def run(self) -> None:
        await self.answer()
        menu = self.prompt_tts("Press 1 for sales.", {"digits": {"max": 1}})
        if (await menu.wait()).digits == "1":
            await self.transfer("sales")
        await self.play_tts("Goodbye.").wait()
"""


@pytest.fixture
def user(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A directory of somebody who has installed the package, and has written an application."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    pytester.makepyfile(office=APP)
    return pytester


def test_a_test_of_an_application_passes_with_nothing_else_installed_or_set(user: pytest.Pytester):
    """No asyncio plugin, no environment, no conftest."""
    user.makepyfile(
        """
        from office import app

        def test_sales_is_reached(relay_app, phone, relay_sim):
            relay_app(app)
            caller = phone("+15550001111").dials(context="office")
            caller.hears("press 1")
            with relay_sim.socket_down(seconds=0.1):
                caller.presses("1")
            caller.is_transferred(to="sales")

        def test_an_application_can_be_started_again(relay_app, phone):
            relay_app(app)
            phone("+15550001111").dials(context="office").hears("press 1").presses("2").hears("goodbye").is_hung_up()
        """
    )

    result = user.runpytest_subprocess("-p", "no:randomly", "-p", "no:asyncio")

    result.assert_outcomes(passed=2)
    assert "people on the phone" not in result.stdout.str()


def test_a_story_that_goes_otherwise_shows_what_was_heard_and_the_line_of_the_test(user: pytest.Pytester):
    """Not where in the simulator somebody waited."""
    user.makepyfile(
        """
        from office import app

        def test_wrong_prompt(relay_app, phone):
            relay_app(app)
            phone("+15550001111").dials(context="office").hears("press 2", within=0.3)  # the line

        def test_wrong_transfer(relay_app, phone):
            relay_app(app)
            phone.many(3).dials(context="office").is_transferred("billing", within=0.1)  # of many
        """
    )

    result = user.runpytest_inprocess("-p", "no:randomly")

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            ">*# the line",
            "E*StoryError: +15550001111 did not hear 'press 2' *heard in its place: 'Press 1 for sales.'*",
            "test_a_story_that_goes*.py:5: StoryError",
            ">*# of many",
            "E*StoryError: 3 of 3 phones failed (is transferred to billing within 0.1 s); the first:",
            "E*+15550100000 was not transferred to billing within 0.* s",
            "test_a_story_that_goes*.py:9: StoryError",
        ]
    )
    assert "relay_actors/simulator" not in result.stdout.str()


def test_any_failing_test_shows_what_everybody_heard(user: pytest.Pytester):
    """A plain assertion knows nothing of telephones."""
    user.makepyfile(
        """
        from office import app

        def test_wrong_state(relay_app, phone):
            relay_app(app)
            caller = phone("+15550001111").dials(context="office").hears("press 1")
            assert caller.transferred_to == "sales"
        """
    )

    result = user.runpytest_inprocess()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*- people on the phone -*", "+15550001111 on call *", "*  dialled *", "*  heard 'Press 1 for sales.'"]
    )


def test_what_an_application_leaves_behind_fails_the_test(user: pytest.Pytester):
    """The next test would suffer from it, and in production the caller."""
    user.makepyfile(
        """
        from relay_actors import Timing
        from office import app

        def test_nobody_hangs_up(relay_app, phone, relay_sim):
            relay_app(app, timing=Timing(stop_timeout_s=0.2))
            phone("+15550001111").dials(context="office").hears("press 1")
            relay_sim.reject_next("calling.end", times=10)
        """
    )

    result = user.runpytest_inprocess()

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["the application has left something behind:", "call * is still answered: nobody has hung it up"]
    )


def test_what_a_person_could_not_do_fails_the_test_though_nobody_waited(user: pytest.Pytester):
    """Otherwise a mistake in a story is seen or not, as it happens to be the test or the server that has the time."""
    user.makepyfile(
        """
        import threading

        def test_it(relay_sim, relay_server):
            has_come = threading.Event()

            def fails():
                has_come.set()
                raise LookupError("no such person")

            with relay_sim.turn():
                relay_sim._world.after_real(0.0, fails)
            assert has_come.wait(5)
        """
    )

    result = user.runpytest_inprocess()

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["E*LookupError: no such person"])


def test_the_pace_can_be_chosen(user: pytest.Pytester):
    """Who tests against a clock on the wall, or on a slow machine, needs another one."""
    user.makeconftest(
        """
        import pytest

        @pytest.fixture
        def relay_pace():
            return 0.001
        """
    )
    user.makepyfile(
        """
        def test_pace(relay_sim, phone):
            relay_sim.manners.inbound_ring_s = 200.0
            assert phone("+15550001111").dials(context="nobody").is_hung_up(within=2.0).end_reason == "noAnswer"
        """
    )

    user.runpytest_inprocess().assert_outcomes(passed=1)


def test_the_fixtures_are_explained(user: pytest.Pytester):
    """`pytest --fixtures` is where a user looks first."""
    text = user.runpytest_subprocess("--fixtures").stdout.str()

    for name in ("relay_app", "phone", "relay_sim", "relay_server", "relay_pace"):
        assert re.search(rf"^{name} -- .*plugin\.py:\d+\n    \S", text, re.MULTILINE), name
