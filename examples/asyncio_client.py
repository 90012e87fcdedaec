"""A support line for people who live in asyncio: one handler for calls, one for texts, and a coroutine that dials."""

from typing import Any

from relay_actors import Apologise, RelayError
from relay_actors.client import Call, Message, RelayClient
from relay_actors.events import CollectEvent, RelayEvent

LINE = "+15550100100"


async def support(call: Call) -> None:
    """Handle one caller. It is a task of its own, so it may wait for whatever it likes."""
    call.on("calling.call.play", heard)
    await call.answer()
    menu = await call.prompt_tts("Press 1 for sales, or stay on the line.", {"digits": {"max": 1}})
    event = await menu.wait()
    if isinstance(event, CollectEvent) and event.digits == "1":
        await call.transfer("https://example.com/sales.swml")
        return
    hint = await call.play_tts("Nobody is here. Please send us a text. Goodbye.")
    await hint.wait()
    await call.hangup()


def heard(event: RelayEvent) -> None:
    """Take note of what is played; it may be a coroutine function as well."""
    print(event.call_id, event.params["state"])


async def confirm(client: RelayClient, message: Message) -> None:
    """Answer a text, and wait until that has arrived."""
    answer = await client.send_message(to_number=message.from_number, from_number=LINE, body="We will call you.")
    await answer.wait(timeout=60)


async def call_back(client: RelayClient, number: str) -> bool:
    """Call somebody; return whether they say that they are content."""
    phone = {"type": "phone", "params": {"from_number": LINE, "to_number": number}}
    try:
        call = await client.dial([[phone]], dial_timeout=30)
    except RelayError as error:
        print(f"{number} was not reached: {error.message}")
        return False
    question = await call.prompt_tts("Are you content? Press 1 for yes.", {"digits": {"max": 1}})
    event = await question.wait()  # completed by the end of the call, too, if that comes first
    await call.hangup()
    return isinstance(event, CollectEvent) and event.digits == "1"


def support_line(**options: Any) -> RelayClient:
    """Return the client: project, token and host come from the environment."""
    client = RelayClient(contexts=["support"], **options)
    client.on_call(support)

    @client.on_message
    async def on_text(message: Message) -> None:
        await confirm(client, message)

    return client


def isolated() -> RelayClient:
    """Return one whose calls have a thread and a loop each: what blocks in a handler holds up no other call."""
    return support_line(isolation="call")


def forgiving() -> RelayClient:
    """Return one that says that it is sorry, to whoever was talking to a handler that has crashed."""
    return support_line(on_give_up=Apologise("We are sorry. Please call again."))


if __name__ == "__main__":
    support_line().run()  # SIGTERM lets the calls that are up end in peace
