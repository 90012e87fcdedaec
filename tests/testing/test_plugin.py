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
    # Hypothesis would be imported anew for each of these tests.
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = -p no:hypothesispytest -p no:cacheprovider\n")
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


def test_a_crash_of_the_application_is_told_where_the_story_goes_otherwise(user: pytest.Pytester):
    """Once, though it was restarted and crashed again; with the line of the application."""
    user.makepyfile(
        broken="""
        from relay_actors import CallActor, RelayApp

        app = RelayApp()

        @app.calls("office")
        class Office(CallActor):
            async def run(self) -> None:
                await self.answer()
                raise LookupError("no such desk")
        """
    )
    user.makepyfile(
        """
        from broken import app

        def test_it(relay_app, phone):
            relay_app(app)
            phone("+15550001111").dials(context="office").hears("hello")
        """
    )

    result = user.runpytest_inprocess()

    result.assert_outcomes(failed=1)
    told = "  Office has failed: LookupError: no such desk (broken.py:9 in run)"
    result.stdout.fnmatch_lines([f"E *{told}", "*- people on the phone -*", told])
    assert sum(line.startswith("E") and "has failed" in line for line in result.outlines) == 1


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


def test_a_service_that_never_came_up_fails_the_test(user: pytest.Pytester):
    """Unless the test is about that, and has stopped the application itself."""
    user.makepyfile(
        """
        from office import app
        from relay_actors import Actor

        class Database(Actor):
            def on_start(self):
                raise OSError("no database")

        app.service(Database, name="db")

        def test_it(relay_app, phone):
            relay_app(app)
            phone("+15550001111").dials(context="office").hears("press 1")

        def test_that_it_is_missing(relay_app, phone):
            relay_app(app)
            phone("+15550001111").dials(context="office").hears("press 1")
            app.stop()
        """
    )

    result = user.runpytest_inprocess("-p", "no:randomly")

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        ["these services have never been up:", "service 'db' (Database): start_failed OSError: no database"]
    )
    assert "left something behind" not in result.stdout.str()


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
        def test_pace(relay_sim, phone, relay_clock):
            relay_sim.manners.inbound_ring_s = 200.0
            assert phone("+15550001111").dials(context="nobody").is_hung_up(within=2.0).end_reason == "noAnswer"
            assert relay_clock.now == 0.2
        """
    )

    user.runpytest_inprocess().assert_outcomes(passed=1)


def test_time_is_virtual_and_there_is_one_thread(user: pytest.Pytester):
    """Proves SEMANTICS V2: ten minutes of a call take milliseconds, several applications run beside each other."""
    user.makepyfile(
        """
        import threading
        from relay_actors import CallActor, RelayApp
        from office import app

        other = RelayApp()

        @other.calls("patience")
        class Patience(CallActor):
            async def run(self):
                await self.answer()
                await self.sleep(600)
                await self.play_tts("Thank you for waiting.").wait()

        def test_long_call(relay_app, phone, relay_clock):
            threads = threading.active_count()
            relay_app(app)
            relay_app(other)
            caller = phone("+15550001111").dials(context="patience").is_connected()
            relay_clock.advance(601)
            caller.hears("thank you")
            assert 601 <= relay_clock.now < 602
            phone("+15550002222").dials(context="office").hears("press 1")
            assert threading.active_count() == threads

        def test_long_wait(relay_app, phone, relay_clock):
            relay_app(other)
            phone("+15550001111").dials(context="patience").hears("thank you", within=700)
            assert repr(relay_clock) == "<RelayClock at 600.000 s, virtual>"
        """
    )

    user.runpytest_inprocess().assert_outcomes(passed=2)


def test_real_time_is_there_for_who_asks_for_it(user: pytest.Pytester):
    """By a fixture, by the marker, or for all; and who asks too late, or wants to move it, is told."""
    user.makepyfile(
        """
        import pytest
        from relay_actors.errors import ConfigError
        from office import app

        def is_real(relay_clock, why):
            with pytest.raises(ConfigError, match=f"advance.5.: this test runs in real time, because .*{why}"):
                relay_clock.advance(5)

        def test_by_fixture(relay_server, relay_app, relay_clock, phone, relay_pace):
            relay_app(app)
            phone("+15550001111").dials(context="office").hears("press 1")
            is_real(relay_clock, "relay_server")
            assert relay_pace == 0.05

        @pytest.mark.relay(real=True)
        def test_by_marker(relay_clock, relay_app, phone):
            relay_app(app)
            phone("+15550001111").dials(context="office").hears("press 1")
            is_real(relay_clock, "marker")

        def test_too_late(relay_app, request):
            with pytest.raises(ConfigError, match="name it among the arguments"):
                request.getfixturevalue("relay_server")

        def test_anywhere(relay_clock, relay_pace):
            assert relay_pace == 1.0
            relay_clock.advance(5)
        """
    )

    user.runpytest_inprocess("--relay-seeds=2").assert_outcomes(passed=6)
    result = user.runpytest_inprocess("--relay-real", "-k", "anywhere or marker")
    result.assert_outcomes(passed=1, failed=1)
    assert "to repeat it" not in result.stdout.str()


def test_a_test_runs_under_as_many_seeds_as_are_asked_for(user: pytest.Pytester):
    """Beside its own params; a marker's seed wins, and what uses no fixture of ours is left alone."""
    user.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("key", ["a", "b"])
        def test_params(phone, key): ...

        @pytest.mark.relay(seed=7)
        def test_fixed(relay_sim): ...

        class TestGroup:
            def test_member(self, relay_clock): ...

        def test_other(tmp_path): ...
        """
    )

    def ids(*options: str) -> list[str]:
        items, _ = user.inline_genitems(*options)
        return [item.nodeid.partition("::")[2] for item in items]

    name = "TestGroup::test_member"
    assert ids() == ["test_params[a]", "test_params[b]", "test_fixed", name, "test_other"]
    assert ids("--relay-seed=9") == [
        "test_params[a-seed9]", "test_params[b-seed9]", "test_fixed", f"{name}[seed9]", "test_other"
    ]  # fmt: skip
    assert ids("--relay-seeds=3")[-5:] == ["test_fixed", *(f"{name}[seed{seed}]" for seed in range(3)), "test_other"]
    assert len(ids("--relay-seeds=3")) == 6 + 5


def test_a_parameter_of_the_tests_own_is_not_taken_for_the_seed(user: pytest.Pytester):
    """Whatever it is called: the line that repeats the test would run it under another seed."""
    user.makepyfile(
        test_own="""
        import pytest

        @pytest.mark.parametrize("key", ["seed7"])
        def test_key(phone, key):
            assert False
        """
    )
    user.runpytest_inprocess().stdout.re_match_lines([r"pytest 'test_own.py::test_key\[seed7\]'$"])


RACE = """
from relay_actors import Actor, CallActor, RelayApp

app = RelayApp()

class Till(Actor):
    def __init__(self):
        super().__init__()
        self.left = 1

    def on_receive(self, message):
        self.left -= message
        return self.left

app.service(Till, name="till")

@app.calls("office")
class Office(CallActor):
    async def run(self):
        await self.answer()
        await (await self.prompt_tts("Press 1.", {"digits": {"max": 1}})).wait()
        till = self.app.lookup("till")
        if await till.ask(0, block=False):
            till.tell(1)
            await self.play_tts("It is yours.").wait()
        else:
            await self.play_tts("Too late.").wait()
"""

RACING = """
from race import app

def test_one(relay_app, phone):
    relay_app(app)
    callers = [phone(f"+1555000111{number}").dials(context="office") for number in (1, 2)]
    for caller in callers:
        caller.hears("press 1")
    for caller in callers:
        caller.presses("1")
    for caller in callers:
        caller.is_hung_up()
    assert sorted(str(caller.heard[-1]) for caller in callers) == ["It is yours.", "Too late."]
"""


def test_a_failing_seed_shows_where_it_parts_from_a_passing_one_and_how_to_repeat_it(user: pytest.Pytester):
    """Proves SEMANTICS V3: the line that repeats it gives the same timeline."""
    user.makepyfile(race=RACE, test_race=RACING)

    result = user.runpytest_inprocess("--relay-seeds=30", "--relay-timeline=full")

    assert {"passed", "failed"} <= result.parseoutcomes().keys(), "another order of draws: take more seeds"
    text = result.stdout.str()
    reports = re.split(r"^_+ (test_one\[seed\d+\]) _+$", text, flags=re.MULTILINE)[1:]
    parted = {name: body for name, body in zip(reports[::2], reports[1::2], strict=True) if "first divergence" in body}
    assert parted
    name, body = next(reversed(parted.items()))
    assert re.search(
        r">>>>>>>>>>  first divergence: with seed \d+, which passed, here came: .*\n +0\.000  (frame|person)", body
    )
    assert "to repeat it" in body
    seed = int(name.removeprefix("test_one[seed").removesuffix("]"))
    command = f"pytest 'test_race.py::{name}' --relay-seed={seed}"
    assert command in body

    again = user.runpytest_inprocess(f"test_race.py::{name}", f"--relay-seed={seed}", "--relay-timeline=full")
    again.assert_outcomes(failed=1)

    def timeline(report: str) -> list[str]:
        return [line for line in report.splitlines() if re.match(r" +\d+\.\d{3}  (person|frame|actor|note) ", line)]

    assert len(timeline(body)) > 50
    assert timeline(again.stdout.str()) == timeline(body)


def test_a_wait_in_vain_is_marked_where_it_began(user: pytest.Pytester):
    """What came after that is what came in its place."""
    user.makepyfile(
        """
        from office import app

        def test_wrong_prompt(relay_app, phone):
            relay_app(app)
            caller = phone("+15550001111").dials(context="office").hears("press 1")
            caller.presses("2").hears("hello", within=1)
        """
    )

    result = user.runpytest_inprocess("--relay-timeline=5")

    result.stdout.fnmatch_lines(
        [
            "*- timeline -*",
            "            … * more",
            "*person  +15550001111 * pressed 2",
            ">>>>>>>>>>  from here on the test waited in vain",
            "*person  +15550001111 * ended (hangup)",
            "*- to repeat it -*",
            "pytest test_a_wait_in_vain_is_marked_where_it_began.py::test_wrong_prompt",
        ]
    )
    assert "signalwire.connect" not in result.stdout.str()
    assert "signalwire.connect" in user.runpytest_inprocess("--relay-timeline=full").stdout.str()


def test_faults_are_given_to_the_simulator_before_the_test_and_told(user: pytest.Pytester):
    """The marker of a class and that of its test both count, the nearer one for what it says."""
    user.makepyfile(
        """
        import pytest
        from office import app

        @pytest.mark.relay(seed=3)
        class TestFaults:
            @pytest.mark.relay(faults=["reject method=calling.play_and_collect times=9"])
            def test_told(self, relay_app, phone, relay_sim, _relay_seed):
                assert _relay_seed == 3
                relay_app(app)
                phone("+15550001111").dials(context="office").hears("press 1")
        """
    )

    result = user.runpytest_inprocess()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["     0.000  note * fault: reject method=calling.play_and_collect times=9"])


@pytest.mark.parametrize(
    ("marker", "told"),
    [
        ("sed=3", "*@pytest.mark.relay of *: sed[?] It takes seed=…, faults=[[]…] and real=… only"),
        ("'fast'", "*@pytest.mark.relay of *: 'fast'[?]*"),
        ("faults='drop'", "*give faults as a list, faults=[[]'drop']*"),
        ("faults=[{'fault': 'drop'}]", "*inject({'fault': 'drop'}): give the fault as text, such as 'drop', or *"),
        ("seed='7'", "*@pytest.mark.relay of *: seed='7' is no whole number"),
        ("real='no'", "*@pytest.mark.relay of *: real='no' is neither True nor False"),
    ],
)
def test_a_wrong_marker_is_told(user: pytest.Pytester, marker: str, told: str):
    """It would change nothing, and nobody would notice."""
    user.makepyfile(f"import pytest\n\n@pytest.mark.relay({marker})\ndef test_it(phone): ...\n")

    user.runpytest_inprocess().stdout.fnmatch_lines([told])


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--relay-seeds=0", "invalid number '0': give a whole one, 1 or more"),
        ("--relay-seeds=many", "invalid number 'many'"),
        ("--relay-timeline=0", "invalid number '0'"),
        ("--relay-seed=x", "invalid int value: 'x'"),
    ],
)
def test_a_wrong_option_is_told(user: pytest.Pytester, option: str, told: str):
    """Before anything runs."""
    result = user.runpytest_inprocess(option)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*argument {option.partition('=')[0]}: {told}*"])


def test_workers_share_the_seeds(user: pytest.Pytester):
    """With pytest-xdist; the line that repeats a test is the same."""
    user.makepyfile("def test_never(relay_sim):\n    assert relay_sim.calls\n")

    result = user.runpytest_subprocess("-n", "1", "--relay-seeds=2")

    result.assert_outcomes(failed=2)
    result.stdout.re_match_lines([r"pytest 'test_workers\w+.py::test_never\[seed1\]' --relay-seed=1"])


def test_the_marker_is_explained(user: pytest.Pytester):
    """`pytest --markers`; and ``--strict-markers`` knows it."""
    user.runpytest_inprocess("--markers").stdout.fnmatch_lines(["@pytest.mark.relay(seed=…, faults=[[]…], real=…): *"])


def test_the_fixtures_are_explained(user: pytest.Pytester):
    """`pytest --fixtures` is where a user looks first."""
    text = user.runpytest_subprocess("--fixtures").stdout.str()

    for name in ("relay_app", "phone", "relay_sim", "relay_clock", "relay_server", "relay_pace"):
        assert re.search(rf"^{name} -- .*plugin\.py:\d+\n    \S", text, re.MULTILINE), name
