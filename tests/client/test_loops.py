"""A client and the loops of its program."""

from __future__ import annotations

import asyncio
import gc
import warnings

import pytest

from relay_actors.client import Call
from tests.client.conftest import CALLER, Stage, person


def test_who_connects_again_when_the_loop_has_gone_has_the_handlers_on_the_new_one(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """A second `asyncio.run` in a program whose first one has not disconnected: nobody is turned away for that."""

    async def serve(call: Call) -> None:
        await call.answer()
        await (await call.play_tts("Welcome.")).wait()
        await call.hangup()

    stage.client.on_call(serve)

    async def again() -> None:
        async with stage.client:
            line = stage.phone(CALLER).dials(context="office")
            await person(line.hears, "welcome")
            await person(line.is_hung_up)

    asyncio.run(stage.client.connect())
    asyncio.run(again())
    assert len(stage.sent("signalwire.connect")) == 1
    assert caplog.text == ""


def test_run_within_a_loop_says_what_to_write(stage: Stage) -> None:
    """In a notebook, for example; and nothing is left behind of which Python warns."""

    async def story() -> None:
        with pytest.raises(
            RuntimeError, match=r"client\.run\(\) makes a loop of its own.*async with client:"
        ) as caught:
            stage.client.run()
        assert caught.value.__context__ is None

    gc.collect()  # what others have left behind
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        stage.plays(story, connected=False)
        gc.collect()
    assert [str(warning.message) for warning in told] == []
