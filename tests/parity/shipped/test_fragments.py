"""Fragments, here our own, are run as they stand under our client, with people."""

from __future__ import annotations

import dataclasses
import json

import pytest

from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.tls import make_tls_files
from tests.parity.shipped.comparing import Run
from tests.parity.shipped.documents import Snippet
from tests.parity.shipped.fragments import body, play, run_from
from tests.parity.shipped.frames import Frame
from tests.parity.shipped.scenarios import CALLER
from tests.parity.shipped.sources import OURS
from tests.parity.shipped.staging import STAGINGS, Staging


@pytest.fixture
def run(tmp_path, monkeypatch):
    for name in ("SPACE", "PROJECT_ID", "API_TOKEN", "RELAY_CA_FILE"):
        monkeypatch.setenv(f"SIGNALWIRE_{name}", "")  # so that they are gone afterwards
    tls = make_tls_files(tmp_path, clock=SystemClock())

    def run(code, **staging):
        monkeypatch.setattr("tests.parity.shipped.fragments.STAGINGS", {"a page": Staging(**staging)})
        snippet = Snippet("a page", "", 1, code)
        monkeypatch.setattr(Snippet, "name", "a page")
        return play(snippet, OURS, tls)

    return run


def test_a_fragment_finds_its_call_and_what_it_sends_prints_and_lets_be_heard_is_told(run):
    code = """
action = await call.play([{"type": "tts", "params": {"text": "Hello"}}])
print((await action.wait()).params["state"], call.call_id)
"""
    found = run(code)

    assert (found.ended, found.printed, found.otherwise) == ("by itself", ["finished call 1"], "")
    assert found.heard == {CALLER: [["Hello"]]}
    assert [frame.method for frame in found.frames["call 1"]] == ["calling.answer", "calling.play"]


def test_what_a_fragment_raises_is_told_with_all_its_names(run):
    found = run("raise ConnectionResetError", call="")

    assert found.ended.split(" ")[:2] == ["ConnectionResetError", "ConnectionError"]


def test_a_fragment_that_never_ends_is_told_from_one_that_times_out(run, monkeypatch):
    monkeypatch.setattr("tests.parity.shipped.fragments.WITHIN_S", 1.0)

    assert run("await asyncio.get_running_loop().create_future()", call="").ended == "not at all"
    assert run("raise TimeoutError", call="").ended.split(" ")[0] == "TimeoutError"


def test_there_is_something_before_and_after_a_fragment_and_people_meanwhile(run):
    found = run(
        "print(before)",
        call="",
        first="before = 1",
        last="print('after')",
        people=lambda sim: sim.phone(CALLER).rings(within=0),
    )

    assert found.printed == ["1", "after"]
    assert found.otherwise == f"{CALLER} did not ring within 0 s"


def test_a_client_that_a_fragment_makes_is_connected_before_it_is_used(run):
    found = run('client = RelayClient(contexts=["a"])\nawait client.receive(["b"])', client="", call="", connects=True)

    assert [frame.method for frame in found.frames["the session"]] == ["signalwire.connect", "signalwire.receive"]


def test_a_fragment_that_awaits_nothing_is_no_coroutine():
    names = {}

    assert eval(body("x = 1"), names) is None
    assert names["x"] == 1


def test_what_one_process_prints_the_other_reads():
    told = Run(ended="by itself", heard={"+1": [["a"]]}, frames={"call 1": [Frame("calling.end", {"a": 1}, True)]})
    name, read = run_from(json.dumps(["a name", dataclasses.asdict(told)]))

    assert (name, read.frames, read.heard) == ("a name", told.frames, told.heard)
    assert read.frames["call 1"][0].is_late


def test_no_staging_has_a_call_without_a_client():
    assert all(one.client == "connected" for one in STAGINGS.values() if one.call)
