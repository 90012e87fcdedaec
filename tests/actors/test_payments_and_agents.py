"""Applications that leave the person to a service: payment, AI, referral. Source: PROTOCOL 11.10, 11.11, 12."""

from __future__ import annotations

import pytest

from relay_actors import CallActor, CallEnded
from relay_actors.errors import CommandRejectedError
from relay_actors.events import CallStateEvent, PayEvent, ReferEvent, RelayEvent
from relay_actors.simulator import Turn
from tests.actors.world import CONTEXT, Witness, World, over_seeds

CARD = "4111111111111111"
CONNECTOR = "https://pay.example.com/connector"


class Checkout(CallActor):
    """Takes 25.99, and says what became of it."""

    def on_receive(self, message: object) -> None:
        if isinstance(message, PayEvent):
            self.data.setdefault("steps", []).append((message.step, message.error_type))
        super().on_receive(message)

    async def run(self) -> None:
        await self.answer()
        payment = await self.pay(CONNECTOR, charge_amount=25.99, max_attempts=2, postal_code=False)
        event = await payment.wait(timeout=120)
        self.data["result"] = event.result
        await self.play_tts("It is paid." if event.result == "success" else "It is not paid.").wait()
        await self.hangup()


@over_seeds(5)
def test_a_caller_pays_with_card_expiry_and_code(world: World):
    line, handle = world.inbound(Checkout)
    line.hears("card number").presses(CARD)
    line.hears("expires").presses("1225")
    line.hears("in the past").presses("1230")
    line.hears("security code").presses("123")
    line.hears("25.99 usd").hears("Thank you", within=30).hears("It is paid.", within=30)
    line.is_hung_up()

    assert handle.data["steps"] == [
        ("payment-card-number", ""),
        ("expiration-date", ""),
        ("expiration-date", "invalid-date"),
        ("security-code", ""),
        ("payment-processing", ""),
        ("payment-completed", ""),
    ]
    assert handle.data["result"] == "success"
    (order,) = world.sim.webhooks
    assert (order.url, order.body["chargeAmount"]) == (CONNECTOR, "25.99")


def test_a_refused_card_is_told_to_the_application(world: World):
    world.sim.next_payment(ends="payment-connector-error", code="card_declined")
    line, handle = world.inbound(Checkout)
    line.hears("card number").presses(f"{CARD}1230123").hears("It is not paid.", within=30)
    assert handle.data["result"] == "payment-connector-error"


class Concierge(CallActor):
    """Leaves the caller to an agent, and takes over when that is done."""

    async def run(self) -> None:
        await self.answer()
        agent = await self.ai(prompt={"text": "You are a concierge."}, global_data={"room": 7})
        self.data["agent"] = agent
        await agent.wait(timeout=120)
        await self.play_tts("Connecting you to the desk.").wait()


@over_seeds(5)
def test_an_application_goes_on_when_its_agent_has_finished(world: World):
    line, handle = world.inbound(Concierge)
    line.hears("I am a concierge").says("A taxi please").hears("A taxi please").says("That is all")
    line.hears("Goodbye").hears("Connecting you to the desk.")
    assert isinstance(handle.data["agent"].result, RelayEvent)
    assert handle.data["agent"].result.event_type == "calling.call.ai"


def test_an_application_talks_to_its_agent_while_the_caller_does(world: World):
    world.sim.next_agent("Hello.", Turn("Your taxi is here.", hears="taxi"))
    line, handle = world.inbound(Concierge)
    line.hears("Hello.")
    handle.ai_hold(timeout=30, prompt="One moment.").get(timeout=5)
    line.hears("One moment.")
    handle.ai_unhold().get(timeout=5)
    handle.ai_message(message_text="The taxi has come.", role="user", global_data={"taxi": True}).get(timeout=5)
    line.hears("Your taxi is here.").hears("Connecting")

    (conversation,) = world.sim.conversations
    assert conversation.global_data == {"room": 7, "taxi": True}


def test_a_message_to_nobody_is_an_error_and_not_lost(world: World):
    """A 404 would have been taken for a call that is gone."""
    _line, handle = world.answered(Witness)
    with pytest.raises(CommandRejectedError, match="no AI session"):
        handle.ai_message(message_text="Hello?").get(timeout=5)


def test_an_application_that_refers_its_caller_sees_how_it_went_and_the_call_end(world: World):
    world.takes_calls(Witness)
    line = world.sim.phone("sip:ann@example.org").dials(context=CONTEXT)
    world.until(lambda: world.app.call(line.call_id))
    handle = world.app.call(line.call_id)
    assert handle is not None
    handle.answer().get(timeout=5)
    desk = world.sim.phone("sip:sales@example.org").answers()
    handle.refer({"type": "sip", "params": {"to": "sip:sales@example.org"}}).get(timeout=5)
    line.talks_to(desk)

    told = world.seen(handle, ReferEvent, CallStateEvent, CallEnded)
    assert [event.state for event in told if isinstance(event, ReferEvent)] == ["inProgress", "success"]
    assert handle.end_reason == "hangup"
    desk.says("Sales, good morning")
    line.hears("Sales, good morning")
