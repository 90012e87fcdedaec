"""What is built by the names of this window is what the verbs take and the server wants."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest

from relay_actors import params
from relay_actors.actors.verbs import AllVerbs
from relay_actors.params import (
    audio,
    digits,
    phone,
    recording,
    ringtone,
    rtp,
    silence,
    sip,
    speech,
    tap_audio,
    tts,
    websocket,
)
from tests.actors.world import Witness, World

BUILT: list[tuple[str, tuple[Any, ...], dict[str, Any], dict[str, Any]]] = [
    (
        "play",
        ([tts("Hi"), audio("https://example.com/a.wav"), silence(0.5), ringtone("us", duration=4)],),
        {},
        {
            "play": [
                {"type": "tts", "params": {"text": "Hi"}},
                {"type": "audio", "params": {"url": "https://example.com/a.wav"}},
                {"type": "silence", "params": {"duration": 0.5}},
                {"type": "ringtone", "params": {"name": "us", "duration": 4}},
            ]
        },
    ),
    (
        "prompt_tts",
        ("Hi", digits(max=4, terminators="#") | speech(language="de-DE") | {"initial_timeout": 5.0}),
        {},
        {
            "play": [{"type": "tts", "params": {"text": "Hi"}}],
            "collect": {
                "digits": {"max": 4, "terminators": "#"},
                "speech": {"language": "de-DE"},
                "initial_timeout": 5.0,
            },
        },
    ),
    ("collect", (), {"digits": digits(max=1), "speech": speech()}, {"digits": {"max": 1}, "speech": {}}),
    (
        "record",
        (recording(beep=True, format="wav", max_length=30),),
        {},
        {"record": {"audio": {"beep": True, "format": "wav", "max_length": 30}}},
    ),
    (
        "connect",
        (phone(to="+15550100101", from_="+15550100100", timeout=20),),
        {},
        {
            "devices": [
                [
                    {
                        "type": "phone",
                        "params": {"to_number": "+15550100101", "from_number": "+15550100100", "timeout": 20},
                    }
                ]
            ]
        },
    ),
    (
        "connect",
        ([[phone("+15550100101"), sip("sip:bob@example.com", from_="sip:us@example.com", from_name="Us")]],),
        {},
        {
            "devices": [
                [
                    {"type": "phone", "params": {"to_number": "+15550100101"}},
                    {
                        "type": "sip",
                        "params": {"to": "sip:bob@example.com", "from": "sip:us@example.com", "from_name": "Us"},
                    },
                ]
            ]
        },
    ),
    (
        "tap",
        (tap_audio("both"), rtp("203.0.113.7", 4000, codec="PCMU")),
        {},
        {
            "tap": {"type": "audio", "params": {"direction": "both"}},
            "device": {"type": "rtp", "params": {"addr": "203.0.113.7", "port": 4000, "codec": "PCMU"}},
        },
    ),
    (
        "tap",
        (tap_audio(), websocket("wss://example.com/tap", rate=8000)),
        {},
        {
            "tap": {"type": "audio", "params": {}},
            "device": {"type": "ws", "params": {"uri": "wss://example.com/tap", "rate": 8000}},
        },
    ),
    ("refer", (sip("sip:bob@example.com"),), {}, {"device": {"type": "sip", "params": {"to": "sip:bob@example.com"}}}),
]


@pytest.mark.parametrize(("verb", "args", "kwargs", "sent"), BUILT)
def test_what_is_built_goes_out_as_the_wire_wants_it(
    verb: str, args: tuple[Any, ...], kwargs: dict[str, Any], sent: dict[str, Any]
):
    """And the server, which checks its schema, has nothing to say against it."""
    with World() as world:
        _line, handle = world.answered(Witness)
        getattr(handle, verb)(*args, **kwargs)
        world.settle()
        [request] = [frame for frame in world.sim.frames.received() if set(sent) <= set(frame.params)]
        ids = {"call_id", "node_id", "control_id"}
        assert {key: value for key, value in request.params.items() if key not in ids} == sent
        assert world.sim.violations == ()


def test_every_builder_is_used_above():
    """One that nobody uses would not be proved."""
    calls = [node for node in ast.walk(ast.parse(Path(__file__).read_text("utf-8"))) if isinstance(node, ast.Call)]
    assert set(params.__all__) <= {call.func.id for call in calls if isinstance(call.func, ast.Name)}


def test_the_page_of_the_window_shows_verbs_that_exist():
    """Its examples are the first thing that a reader copies."""
    shown = inspect.getdoc(params) or ""
    verbs = {line.split("(")[0].strip().removeprefix("self.") for line in shown.splitlines() if "self." in line}
    assert verbs
    assert all(hasattr(AllVerbs, verb) for verb in verbs)
