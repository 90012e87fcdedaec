"""A program, here our own, is run under our client as a process, with people, against a simulator over TLS."""

from __future__ import annotations

from tests.parity.mishaps.bench import open_sim
from tests.parity.shipped.comparing import Run
from tests.parity.shipped.frames import Frame
from tests.parity.shipped.scenarios import CALLER, OF_EXAMPLES, Scenario
from tests.parity.shipped.sources import EXAMPLES, OURS
from tests.parity.shipped.theatre import Theatre

GREETER = """
from signalwire.relay import RelayClient

client = RelayClient(project="...", token="...", host="example.signalwire.com", contexts=["default"])


@client.on_call
async def handle(call):
    print(f"call {call.call_id}")
    await call.answer()
    await (await call.play_tts("Welcome!")).wait()
    await call.hangup()


client.run()
"""


def test_a_program_that_runs_until_it_is_interrupted_and_one_that_fails(tmp_path):
    (tmp_path / "greeter.py").write_text(GREETER, "utf-8")
    (tmp_path / "fails.py").write_text("raise KeyError('a bug')", "utf-8")

    with open_sim(0.05) as sim:
        theatre = Theatre(sim)
        greeter = theatre.run(OURS, tmp_path / "greeter.py", OF_EXAMPLES["examples/quickstart_relay.py"][0])
        fails = theatre.run(OURS, tmp_path / "fails.py", Scenario(name="nobody", is_interrupted=False))

    assert (greeter.ended, greeter.status, greeter.otherwise) == ("by itself", 0, "")
    assert greeter.printed == ["call call 1"]
    assert greeter.heard == {CALLER: [["Welcome!"]]}
    assert [frame.method for frame in greeter.frames["call 1"]] == ["calling.answer", "calling.play", "calling.end"]
    assert greeter.frames["call 1"][2] == Frame(
        "calling.end", {"call_id": "call 1", "node_id": "id", "reason": "hangup"}
    )
    assert fails == Run(ended="KeyError LookupError Exception", status=1, printed=[])


def test_each_example_has_scenarios_with_names_of_their_own():
    assert OF_EXAMPLES.keys() == set(EXAMPLES)
    for scenarios in OF_EXAMPLES.values():
        names = [scenario.name for scenario in scenarios]
        assert len(set(names)) == len(names) >= 2
