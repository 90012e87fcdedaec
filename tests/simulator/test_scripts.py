"""What is said ahead about services, and what is remembered of them."""

from __future__ import annotations

import pytest

from relay_actors.errors import ConfigError
from relay_actors.simulator.agents import AgentScript, Turn
from relay_actors.simulator.scripts import BOUND, PaymentScript, Scripts, UserEvent
from tests.simulator.stage import Stage


def test_what_is_said_ahead_is_for_one_each_and_in_order():
    scripts = Scripts()
    scripts.payments.extend([PaymentScript("internal-error"), PaymentScript("payment-connector-error", "1", "no")])
    assert [scripts.next_payment().ends for _ in range(3)] == ["internal-error", "payment-connector-error", "success"]
    scripts.agents.append(AgentScript((Turn("Hi"),)))
    assert [scripts.next_agent() is None for _ in range(2)] == [False, True]


def test_a_payment_cannot_be_made_to_end_as_the_caller_alone_can_make_it_end(stage: Stage):
    with pytest.raises(ConfigError, match="payment-connector-error"):
        stage.sim.next_payment(ends="caller-hung-up")


def test_an_agent_cannot_be_made_to_end_in_a_way_that_nobody_knows(stage: Stage):
    with pytest.raises(ConfigError, match="hangs up"):
        stage.sim.next_agent("Hi", ends="explodes")  # type: ignore[arg-type]


def test_what_was_not_taught_is_marked_with_its_language():
    scripts = Scripts()
    scripts.teach("Hello", "Hola", "es")
    assert [scripts.translate(words, to) for words, to in (("hello", "ES"), ("hello", "fr"), ("bye", "es"))] == [
        "Hola",
        "[fr] hello",
        "[es] bye",
    ]


def test_only_so_many_user_events_are_remembered():
    scripts = Scripts()
    scripts.user_events.extend(UserEvent("c", n) for n in range(BOUND + 1))
    assert (len(scripts.user_events), scripts.user_events[0].event) == (BOUND, 1)


def test_all_is_forgotten_when_the_simulator_begins_anew(stage: Stage):
    stage.sim.next_payment(ends="internal-error")
    stage.sim.next_agent("Hi")
    stage.sim.teach_translation("a", "b", to="es")
    call = stage.inbound(stage.client("support"))
    call.do("calling.user_event", event="x")
    call.do("calling.ai", control_id="c1", post_prompt_url="https://a")
    stage.sim.reset()

    scripts = stage.sim._world.scripts
    assert (stage.sim.conversations, stage.sim.user_events, stage.sim.webhooks) == ((), (), ())
    assert (scripts.next_payment().ends, scripts.next_agent(), scripts.translate("a", "es")) == (
        "success",
        None,
        "[es] a",
    )


def test_a_user_event_is_seen_by_the_test_and_on_the_line(stage: Stage):
    """The seed sends text with free keys beside it, the schema wants an object (PROTOCOL D17)."""
    call = stage.inbound(stage.client("support"))
    before = len(call.peer.envelopes())
    call.do("calling.user_event", event="order_placed", order_id="12345")
    call.do("calling.user_event", event={"type": "order_placed"})

    assert stage.sim.user_events == (
        UserEvent(call.call_id, "order_placed", {"order_id": "12345"}),
        UserEvent(call.call_id, {"type": "order_placed"}),
    )
    assert "user event order_placed" in [moment.what for moment in call.line.timeline]
    assert len(call.peer.envelopes()) == before
