"""The application of the official SDK, run on our client: only its import may differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity.mishaps import numbers
from tests.parity.mishaps.bench import open_bench, open_sim
from tests.parity.mishaps.telling import ALL_HEARD, undisturbed
from tests.parity.mishaps.with_client import application, with_our_import
from tests.parity.mishaps.with_ours import app

THEIRS = Path(__file__).with_name("with_sdk.py").read_text("utf-8")


def test_one_line_is_changed_and_no_other():
    changed = [
        (before, after)
        for before, after in zip(THEIRS.splitlines(), with_our_import(THEIRS).splitlines(), strict=True)
        if before != after
    ]

    ((before, after),) = changed
    assert before.startswith("from signalwire.relay import ")
    assert after == before.replace("signalwire.relay", "relay_actors.client")


@pytest.mark.parametrize(
    "source",
    [
        "import signalwire.relay\n",
        "from signalwire.relay import Call\nfrom signalwire.relay import RelayClient\n",
        "from signalwire.relay import Call\nfrom signalwire.relay.event import RelayEvent\n",
        "from relay_actors.client import Call\n",
    ],
)
def test_an_application_that_is_not_changed_by_one_line_is_refused(source):
    with pytest.raises(ValueError, match="one line has to name the official client"):
        with_our_import(source)


def test_both_applications_take_the_same_calls(monkeypatch):
    for name in ("SIGNALWIRE_PROJECT_ID", "SIGNALWIRE_API_TOKEN", "SIGNALWIRE_SPACE"):
        monkeypatch.setenv(name, "parity")
    monkeypatch.setenv("SIGNALWIRE_LOG_LEVEL", "warning")
    module = {"__name__": "with_client"}
    exec(application(), module)

    called = {getattr(numbers, name) for name in numbers.__all__ if str(getattr(numbers, name)).startswith("+1555999")}
    assert set(module["NUMBERS"]) == called
    assert len(called) == len(numbers.CONTEXTS) - 1  # one context is for texts
    assert sorted(app.contexts) == sorted(module["client"].contexts) == sorted(numbers.CONTEXTS)


def test_it_runs_and_each_run_finds_the_simulator_as_if_nothing_had_happened():
    with open_sim() as sim:
        with open_bench(sim, "tests.parity.mishaps.with_client") as bench:
            bench.ask("PATCH", "/manners", dial_event_first=True)
            assert undisturbed(bench) == ALL_HEARD
        with open_bench(sim, "tests.parity.mishaps.with_client") as bench:
            assert bench.ask("GET", "/manners")["manners"]["dial_event_first"] is False
            assert bench.ask("GET", "/phones")["phones"] == []
