"""Tests of `asyncio_client`: people wait by blocking, so each has a thread, and the client has the loop."""

import asyncio
import threading

import pytest
from asyncio_client import LINE, call_back, forgiving, isolated, support_line

from relay_actors.client import Call, RelayClient
from relay_actors.testing import PhoneMaker, SimulatorServer

CUSTOMER = "+15550003333"


@pytest.fixture
def client(relay_server: SimulatorServer, monkeypatch: pytest.MonkeyPatch) -> RelayClient:
    """The support line, as it would find the simulator that ``relay-actors sim`` starts."""
    monkeypatch.setenv("SIGNALWIRE_PROJECT_ID", "test-project")
    monkeypatch.setenv("SIGNALWIRE_API_TOKEN", "test-token")
    monkeypatch.setenv("SIGNALWIRE_SPACE", f"{relay_server.host}:{relay_server.port}")
    monkeypatch.setenv("SIGNALWIRE_RELAY_SCHEME", "ws")
    return support_line()


def test_a_caller_who_presses_1_gets_to_sales(client: RelayClient, phone: PhoneMaker) -> None:
    """The person is a function that runs beside the loop."""

    def customer() -> None:
        line = phone(CUSTOMER).dials(context="support")
        line.hears("press 1").presses("1").is_transferred(to="https://example.com/sales.swml")

    async def story() -> None:
        async with client:
            await asyncio.to_thread(customer)

    asyncio.run(story())


def test_a_caller_whose_handler_blocks_holds_up_nobody(client: RelayClient, phone: PhoneMaker) -> None:
    """Not with a loop for each call."""
    may_go_on = threading.Event()
    apart = isolated()

    @apart.on_call
    async def blocks(call: Call) -> None:
        if call.from_number == CUSTOMER:
            assert may_go_on.wait(10)
        await call.answer()
        await (await call.play_tts("Hello.")).wait()
        await call.hangup()

    def customers() -> None:
        first = phone(CUSTOMER).dials(context="support")
        phone("+15550004444").dials(context="support").hears("hello").is_hung_up()
        may_go_on.set()
        first.hears("hello").is_hung_up()

    async def story() -> None:
        async with apart:
            await asyncio.to_thread(customers)

    asyncio.run(story())


def test_a_caller_whose_handler_crashes_is_told_so(client: RelayClient, phone: PhoneMaker) -> None:
    """And hung up."""
    sorry = forgiving()

    @sorry.on_call
    async def crashes(call: Call) -> None:
        await call.answer()
        raise KeyError("a bug")

    def customer() -> None:
        phone(CUSTOMER).dials(context="support").hears("we are sorry").is_hung_up()

    async def story() -> None:
        async with sorry:
            await asyncio.to_thread(customer)

    asyncio.run(story())


def test_a_caller_who_waits_is_asked_for_a_text(client: RelayClient, phone: PhoneMaker) -> None:
    """And gets an answer to it."""

    def customer() -> None:
        line = phone(CUSTOMER).dials(context="support")
        line.hears("press 1").presses("9")
        line.hears("send us a text").is_hung_up()
        phone(CUSTOMER).texts("Please call me.", context="support", to=LINE)
        phone(CUSTOMER).receives_text("we will call you")

    async def story() -> None:
        async with client:
            await asyncio.to_thread(customer)

    asyncio.run(story())


@pytest.mark.parametrize("is_content", [True, False])
def test_who_is_called_back_is_asked(client: RelayClient, phone: PhoneMaker, is_content: bool) -> None:
    """Content, or so discontent that they hang up."""

    def customer() -> None:
        line = phone(CUSTOMER).rings()
        line.answers().hears("are you content")
        if is_content:
            line.presses("1").is_hung_up()
        else:
            line.hangs_up()

    async def story() -> bool:
        async with client:
            answer, _ = await asyncio.gather(call_back(client, CUSTOMER), asyncio.to_thread(customer))
            return answer

    assert asyncio.run(story()) is is_content


def test_who_cannot_be_reached_is_told(
    client: RelayClient, phone: PhoneMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error says why."""
    phone(CUSTOMER).is_busy()

    async def story() -> bool:
        async with client:
            return await call_back(client, CUSTOMER)

    assert asyncio.run(story()) is False
    assert f"{CUSTOMER} was not reached: Dial failed" in capsys.readouterr().out
