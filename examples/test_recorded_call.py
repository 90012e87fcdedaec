"""A call that was recorded, and is a test of `ivr_connect` since then: somebody pressed 0, and spoke with the agent."""

from pathlib import Path

from ivr_connect import app

from relay_actors.testing import replays

CALL = Path(__file__).with_name("recorded_call.jsonl")


def test_a_caller_who_pressed_0_was_put_through() -> None:
    """What the application sends is what it sent then, in ten orders of what can happen at one moment."""
    replays(CALL, app, seeds=10)
