"""What becomes of what is awaited no longer: cancelled, by a time-out of the application's own for example."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable

import pytest

from relay_actors.protocol.events import MessageStateEvent, RelayEvent
from tests.client.conftest import CALLER, DEADLINE_S, OURS, Stage, person, until


async def gives_up(awaitable: Awaitable[object]) -> None:
    """Begin to wait, and wait no longer."""
    task = asyncio.ensure_future(awaitable)
    await asyncio.sleep(0)
    await given_up(task)


async def given_up(task: asyncio.Future[object]) -> None:
    """Wait no longer."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


# -- connecting ------------------------------------------------------------------------------------------------------


def test_who_gives_up_connecting_takes_the_connection_from_nobody_else(stage: Stage) -> None:
    """Two requests of a web server, each with a time-out of its own: the first one is over sooner."""
    stage.sim.stop_answering("signalwire.connect")

    async def story() -> None:
        connecting = [asyncio.create_task(stage.client.connect()) for _ in range(3)]
        await until(lambda: stage.sent("signalwire.connect"))
        connecting[0].cancel()
        await asyncio.wait(connecting[:1])
        assert stage.client.app.is_running
        for task in connecting[1:]:
            task.cancel()
        await asyncio.wait(connecting)
        assert not stage.client.app.is_running  # the last one leaves nothing behind
        connecting = [asyncio.create_task(stage.client.connect()) for _ in range(2)]
        await until(lambda: len(stage.sent("signalwire.connect")) == 2)
        connecting[0].cancel()
        stage.sim.resume_answering()
        stage.sim.drop_sockets()
        await connecting[1]
        assert stage.client.relay_protocol
        await stage.client.disconnect()

    stage.plays(story, connected=False)


# -- waits -----------------------------------------------------------------------------------------------------------


def test_the_predicate_of_a_wait_that_was_given_up_is_asked_no_more(stage: Stage) -> None:
    """It may do something; and with the official client it is not (PROTOCOL 8.4)."""
    asked: list[str] = []

    def is_it(event: RelayEvent) -> bool:
        asked.append(event.event_type)
        return False

    async def story() -> None:
        call, _line = await stage.answered()
        await gives_up(call.wait_for("calling.call.play", is_it))
        await gives_up(call.wait_for("calling.call.play", is_it, timeout=DEADLINE_S))
        await (await call.play_silence(0.1)).wait(DEADLINE_S)

    stage.plays(story)
    assert asked == []


def test_waits_that_were_given_up_do_not_pile_up(stage: Stage) -> None:
    """Who looks at something else every second of a long call, and then waits on."""

    async def story() -> int:
        call, _line = await stage.answered()
        for _ in range(20):
            await gives_up(call.wait_for("calling.call.fax"))
            await gives_up(call.wait_for_ended())
            await gives_up(call.wait_for_ending(timeout=DEADLINE_S))
        await call.hold()
        return len(call.leg.waits)

    assert stage.plays(story) <= 1


# -- requests --------------------------------------------------------------------------------------------------------


def test_what_is_given_up_while_there_is_no_connection_is_not_sent(stage: Stage) -> None:
    """Who tries a text once more would have it sent twice, and a prompt heard twice (PROTOCOL 6.4)."""
    told: list[str] = []

    def failed(event: MessageStateEvent) -> None:
        told.append(f"{event.message_state}: {event.reason}")

    async def story() -> None:
        client = stage.client
        call, _line = await stage.answered()
        music = await call.play_silence(3600.0)
        with stage.sim.socket_down():
            await until(lambda: call.leg.is_cut_off)
            await gives_up(client.execute("calling.x", {}))
            await gives_up(client.send_message(to_number=CALLER, from_number=OURS, body="Hello", on_completed=failed))
            await gives_up(call.record())
            await gives_up(call.play_tts("Are you there?"))
            await gives_up(call.hold())
            again = asyncio.create_task(client.send_message(to_number=CALLER, from_number=OURS, body="Hello"))
            await until(lambda: told)
        assert (await (await again).wait(DEADLINE_S)).params["message_state"] == "delivered"
        await call.unhold()
        assert not music.is_done

    stage.plays(story)
    for method in ("calling.x", "calling.record", "calling.hold"):
        assert stage.sent(method) == []
    assert len(stage.sent("calling.play")) == 1
    assert len(stage.sent("messaging.send")) == 1
    [reason] = told
    assert reason.startswith("failed: ")
    assert "messaging.send was not sent: nobody waits for it any more" in reason


def test_what_is_given_up_behind_a_command_in_doubt_is_not_sent(stage: Stage) -> None:
    """It waits until it is known what has become of that, which may take longer than the connection."""
    stage.client.app.timing = dataclasses.replace(stage.client.app.timing, reconcile_s=0.1)
    stage.sim.stop_answering("calling.hold")

    async def story() -> None:
        call, _line = await stage.answered()
        hold = asyncio.create_task(call.hold())
        await until(lambda: stage.sent("calling.hold"))
        with stage.sim.socket_down():
            await until(lambda: call.leg.is_cut_off)
            await gives_up(call.play_tts("Are you there?"))
            stage.sim.resume_answering()
        await asyncio.gather(hold, return_exceptions=True)
        await call.unhold()

    stage.plays(story)
    assert stage.sent("calling.play") == []


@pytest.mark.parametrize("when", ["before", "meanwhile", "after"])
def test_a_command_in_doubt_that_is_given_up_is_not_sent_again(stage: Stage, when: str) -> None:
    """K6: its answer was lost with the connection; it would be heard after all, long after who asked for it went on."""
    stage.client.app.timing = dataclasses.replace(stage.client.app.timing, reconcile_s=0.3)
    stage.sim.stop_answering("calling.play")

    async def story() -> None:
        call, _line = await stage.answered()
        playing: asyncio.Future[object] = asyncio.ensure_future(call.play_tts("Are you there?"))
        await until(lambda: stage.sent("calling.play"))
        if when == "before":
            await given_up(playing)
        with stage.sim.socket_down():
            await until(lambda: call.leg.is_cut_off)
            if when == "meanwhile":
                await given_up(playing)
            stage.sim.resume_answering()
        await until(lambda: not call.leg.is_cut_off)
        if when == "after":
            await given_up(playing)
        await call.hold()
        await until(lambda: not call.leg.under_way)

    stage.plays(story)
    assert len(stage.sent("calling.play")) == 1


def test_a_hang_up_that_is_given_up_is_sent_all_the_same(stage: Stage) -> None:
    """Nobody is left in a call of which everybody thinks that it is over."""

    async def story() -> None:
        call, line = await stage.answered()
        with stage.sim.socket_down():
            await until(lambda: call.leg.is_cut_off)
            await gives_up(call.hangup())
        await person(line.is_hung_up)

    stage.plays(story)


def test_what_is_given_up_when_it_was_sent_is_done(stage: Stage) -> None:
    """Nobody can take it back."""

    async def story() -> None:
        call, line = await stage.answered()
        stage.sim.inject("answer_late", method="calling.play", seconds=0.1)
        playing = asyncio.create_task(call.play_tts("Are you there?"))
        await until(lambda: stage.sent("calling.play"))
        playing.cancel()
        await person(line.hears, "are you there")

    stage.plays(story)
