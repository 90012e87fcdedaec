"""An AI agent on the line: what it says, what it is told, and how it ends. Source: PROTOCOL 10.5, 11.11, 12."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.simulator import Turn
from relay_actors.simulator.agents import AgentEnd
from relay_actors.simulator.conversations import ConversationSnapshot
from tests.simulator.stage import Inbound, Peer, Stage

POST = "https://hooks.example.com/post"
WHERE = "https://hooks.example.com/where"


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def start(call: Inbound, **params: Any) -> None:
    call.do("calling.ai", control_id="c1", **params)


def talk(stage: Stage) -> ConversationSnapshot:
    return stage.sim.conversations[-1]


def test_an_agent_greets_takes_up_what_it_hears_and_ends_at_a_goodbye(stage: Stage, call: Inbound):
    start(call, prompt={"text": "You are a helpful agent. Be kind."})
    call.line.hears("I am a helpful agent").says("I need two tickets")
    call.line.hears("two tickets").says("No, that is all")
    call.line.hears("Goodbye")
    assert call.peer.states("calling.call.ai") == []
    stage.run(5)

    assert call.peer.states("calling.call.ai", control_id="c1") == ["finished"]
    assert call.line.state == "answered"
    assert talk(stage).texts("user") == ["I need two tickets", "No, that is all"]
    assert (talk(stage).call_id, talk(stage).engine, talk(stage).state) == (call.call_id, "ai", "finished")


def test_an_agent_holds_the_conversation_that_a_test_has_written(stage: Stage, call: Inbound):
    stage.sim.next_agent("Which city?", Turn("And when?", hears="paris"), "Your ticket is booked.")
    start(call)
    call.line.hears("Which city?").says("Er")
    call.line.hears("did not understand").says("To Paris, please")
    call.line.hears("And when?").says("Tomorrow")
    call.line.hears("booked")
    stage.run(5)

    assert [str(utterance) for utterance in talk(stage).utterances] == [
        "assistant: Which city?",
        "user: Er",
        "assistant: I am sorry, I did not understand that.",
        "user: To Paris, please",
        "assistant: And when?",
        "user: Tomorrow",
        "assistant: Your ticket is booked.",
    ]
    assert call.peer.states("calling.call.ai") == ["finished"]


def test_a_person_that_nobody_accompanies_can_talk_to_an_agent(stage: Stage, peer: Peer):
    stage.sim.phone("+15550001111").reacts("help you", says="Two tickets").reacts("else", says="Goodbye")
    call = stage.inbound(peer)
    start(call)
    stage.run(30)
    assert peer.states("calling.call.ai") == ["finished"]


@pytest.mark.parametrize(
    ("ends", "events", "line", "state"),
    [
        ("finished", ["finished"], "answered", "finished"),
        ("error", ["error"], "answered", "error"),
        ("silent", [], "answered", "finished"),
        ("hangs up", [], "ended", "hung up"),
    ],
)
def test_each_way_to_end(stage: Stage, call: Inbound, ends: AgentEnd, events: list[str], line: str, state: str):
    stage.sim.next_agent("All lines are busy.", ends=ends)
    start(call)
    call.line.hears("busy")
    stage.run(5)

    assert call.peer.states("calling.call.ai") == events
    assert (call.line.state, talk(stage).state) == (line, state)


def test_an_agent_with_nothing_to_say_ends_at_once(stage: Stage, call: Inbound):
    stage.sim.next_agent()
    start(call)
    stage.run(1)
    assert call.peer.states("calling.call.ai") == ["finished"]


def test_an_ai_that_is_stopped_is_finished_and_silent(stage: Stage, call: Inbound):
    start(call)
    call.do("calling.ai.stop", control_id="c1")
    stage.run(30)

    assert call.peer.states("calling.call.ai") == ["finished"]
    assert call.line.heard == ()
    assert call.code("calling.ai.stop", control_id="c1") == "404"


@pytest.mark.parametrize("method", ["calling.ai", "calling.amazon_bedrock"])
def test_when_the_call_ends_under_it_no_event_tells_of_it(stage: Stage, call: Inbound, method: str):
    call.do(method, **({"control_id": "c1"} if method == "calling.ai" else {}), post_prompt_url=POST)
    call.line.hears("help you").hangs_up()

    assert call.peer.states("calling.call.ai") == []
    assert talk(stage).state == "call ended"
    assert [hook.url for hook in stage.sim.webhooks] == [POST]


def test_who_speaks_interrupts_the_agent_and_is_answered_once(stage: Stage, call: Inbound):
    """What is said in two breaths is one thing said."""
    start(call)
    call.line.hears("help you").says("Two")
    stage.run(0.3)
    call.line.says("tickets")
    stage.run(10)
    assert [sound.text for sound in call.line.heard][1:] == ["You said: Two tickets. What else can I do for you?"]


def test_the_last_words_of_an_agent_are_not_interrupted(stage: Stage, call: Inbound):
    start(call)
    call.line.hears("help you").says("Bye").hears("Goodbye").says("Wait!")
    stage.run(10)
    assert call.peer.states("calling.call.ai") == ["finished"]
    assert [sound.text for sound in call.line.heard][-1] == "Thank you for calling. Goodbye."


def test_a_person_can_begin(stage: Stage, call: Inbound):
    stage.sim.next_agent(Turn("Yes?", hears="hello"), "Bye.")
    start(call)
    stage.run(60)
    assert call.line.heard == ()
    call.line.says("Hello?").hears("Yes?")


def test_the_agent_speaks_the_language_it_is_given_and_greets_as_it_is_told(call: Inbound):
    start(
        call, languages=[{"name": "French", "code": "fr-FR", "voice": "claire"}], params={"static_greeting": "Allô ?"}
    )
    call.line.hears("Allô")
    assert (call.line.heard[0].language, call.line.heard[0].voice) == ("fr-FR", "claire")


# -- what is told by HTTP ----------------------------------------------------------------------------------------------


def test_a_function_is_called_where_it_is_declared(stage: Stage, call: Inbound):
    stage.sim.next_agent("Where to?", Turn("It is sunny there.", calls="weather", arguments={"city": "Paris"}))
    start(
        call,
        SWAIG={"functions": [{"function": "weather", "web_hook_url": WHERE}]},
        global_data={"vip": True},
    )
    call.line.hears("Where to?").says("Paris").hears("sunny")

    (hook,) = stage.sim.webhooks
    assert (hook.url, hook.body["function"]) == (WHERE, "weather")
    assert hook.body["argument"] == {"parsed": [{"city": "Paris"}]}
    assert (hook.body["call_id"], hook.body["global_data"]) == (call.call_id, {"vip": True})
    assert talk(stage).texts("function") == ["weather"]


def test_a_function_may_be_at_the_default_url(stage: Stage, call: Inbound):
    stage.sim.next_agent(Turn("Done.", calls="weather"))
    start(call, SWAIG={"defaults": {"web_hook_url": WHERE}, "functions": [{"function": "weather"}]})
    call.line.hears("Done.")
    assert [hook.url for hook in stage.sim.webhooks] == [WHERE]


@pytest.mark.parametrize("swaig", [{}, {"functions": "x"}, {"functions": [7, {"function": "other"}]}])
def test_a_function_that_is_not_declared_is_noted_and_called_nowhere(
    stage: Stage, call: Inbound, swaig: dict[str, Any]
):
    stage.sim.next_agent(Turn("Done.", calls="weather"))
    start(call, SWAIG=swaig)
    call.line.hears("Done.")
    assert stage.sim.webhooks == ()
    assert talk(stage).texts("system") == ["there is no function weather"]


@pytest.mark.parametrize(
    ("summary", "raw"), [("Wants a ticket.", "Wants a ticket."), ("", "The caller said: A ticket")]
)
def test_at_the_end_the_whole_conversation_is_told_with_the_result_of_the_post_prompt(
    stage: Stage, call: Inbound, summary: str, raw: str
):
    stage.sim.next_agent("Hello.", Turn("Fine.", calls="book"), summary=summary)
    start(
        call,
        post_prompt={"text": "Sum up."},
        post_prompt_url=POST,
        post_prompt_auth_password="secret",
        SWAIG={"functions": [{"function": "book"}]},
    )
    call.line.hears("Hello.").says("A ticket").hears("Fine.")
    stage.run(5)

    (hook,) = stage.sim.webhooks
    assert hook.url == POST
    assert (hook.body["action"], hook.body["ai_session_id"]) == ("post_conversation", "c1")
    assert hook.body["post_prompt_data"] == {"raw": raw}
    assert hook.body["call_log"] == [
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "A ticket"},
        {"role": "function", "content": "book"},
        {"role": "assistant", "content": "Fine."},
    ]
    assert [entry["function"] for entry in hook.body["swaig_log"]] == ["book"]
    assert "secret" not in str(hook)


# -- messages and holds ------------------------------------------------------------------------------------------------


def test_a_message_of_the_user_is_answered_and_one_of_the_system_only_known(stage: Stage, call: Inbound):
    start(call, global_data={"name": "Ann", "vip": False})
    call.line.hears("help you")
    assert call.do("calling.ai_message", role="system", message_text="She is a VIP.", global_data={"vip": True})
    stage.run(10)
    assert len(call.line.heard) == 1
    call.do("calling.ai_message", role="user", message_text="Two tickets")
    call.line.hears("You said: Two tickets")

    assert talk(stage).texts("system") == ["She is a VIP."]
    assert talk(stage).global_data == {"name": "Ann", "vip": True}


def test_a_reset_makes_another_agent_of_it(stage: Stage, call: Inbound):
    start(call, prompt={"text": "You are a clerk."}, post_prompt_url=POST)
    call.line.hears("I am a clerk").says("Something secret")
    call.do("calling.ai_message", reset={"system_prompt": "You are a doctor.", "user_prompt": "It hurts"})
    call.line.hears("It hurts")
    call.do("calling.ai.stop", control_id="c1")

    assert talk(stage).prompt == "You are a doctor."
    assert "secret" not in str(stage.sim.webhooks[-1].body["call_log"])
    call.do("calling.ai", control_id="c2")
    call.do("calling.ai_message", reset={"system_prompt": "You are a nurse."})
    call.line.hears("I am a nurse")
    call.do("calling.ai_hold")
    call.do("calling.ai_message", reset={"system_prompt": "You are a vet."})
    call.do("calling.ai_unhold")
    call.line.hears("I am a vet")


def test_on_hold_nobody_listens_until_the_time_is_over(stage: Stage, call: Inbound):
    start(call)
    call.line.hears("help you")
    call.do("calling.ai_hold", timeout="30", prompt="One moment.")
    call.line.hears("One moment.").hears("silence").says("Hello?")
    assert call.line.timeline[-1].what == "said 'Hello?' (nobody listened)"
    stage.run(29)
    assert talk(stage).state == "on hold"
    stage.run(1)
    assert talk(stage).state == "running"
    call.line.says("Two tickets").hears("You said: Two tickets")


def test_waiting_can_have_music(stage: Stage, call: Inbound):
    start(call, params={"hold_music": "https://a/music.wav"})
    call.do("calling.ai_hold", timeout="30")
    call.line.hears("music.wav").hears("music.wav", within=10)
    call.do("calling.ai.stop", control_id="c1")
    heard = call.line.heard
    stage.run(60)
    assert call.line.heard == heard


def test_a_hold_can_be_ended(stage: Stage, call: Inbound):
    start(call)
    call.line.hears("help you")
    call.do("calling.ai_hold")
    call.do("calling.ai_unhold", prompt="I am back.")
    call.line.hears("I am back.").says("Two tickets").hears("You said")
    stage.run(400)
    assert call.peer.states("calling.call.ai") == []


@pytest.mark.parametrize("held_after_s", [0.1, 0.6])
def test_what_a_hold_interrupts_is_made_up_for(stage: Stage, call: Inbound, held_after_s: float):
    """A greeting that was not begun, an answer that was being thought of, and a goodbye that was being said."""
    stage.sim.next_agent("Hello and welcome to this long greeting.", "Goodbye.")
    start(call)
    stage.run(held_after_s)
    call.do("calling.ai_hold")
    call.do("calling.ai_unhold")
    stage.run(1)
    call.line.hears("Hello and welcome").says("Bye")
    call.do("calling.ai_hold")
    call.do("calling.ai_message", message_text="Really")
    call.do("calling.ai_unhold")
    stage.run(0.6)
    call.line.hears("Goodbye.")
    call.do("calling.ai_hold")
    assert call.peer.states("calling.call.ai") == []
    call.do("calling.ai_unhold")
    assert call.peer.states("calling.call.ai") == ["finished"]


def test_a_call_that_ends_on_hold_is_over(stage: Stage, call: Inbound):
    start(call)
    call.do("calling.ai_hold", prompt="One moment.")
    call.line.hangs_up()
    stage.run(400)
    assert talk(stage).state == "call ended"


@pytest.mark.parametrize("method", ["calling.ai_message", "calling.ai_hold", "calling.ai_unhold"])
def test_where_there_is_no_agent_nothing_can_be_told(call: Inbound, method: str):
    """Not 404: clients take it for a call that is gone, and would lose the message without a word."""
    assert call.code(method) == "409"


def test_a_hold_that_makes_no_sense_is_refused(call: Inbound):
    start(call)
    assert call.code("calling.ai_unhold") == "409"
    assert call.code("calling.ai_hold", timeout="soon") == "400"
    assert call.code("calling.ai_hold", timeout="0") == "400"
    call.do("calling.ai_hold")
    assert call.code("calling.ai_hold") == "409"


# -- Bedrock -----------------------------------------------------------------------------------------------------------


def test_bedrock_is_an_agent_without_a_name(stage: Stage, call: Inbound):
    """Nothing stops it, and no event tells of it."""
    answer = call.do("calling.amazon_bedrock", prompt={"text": "You are a concierge."}, post_prompt_url=POST)
    assert answer == {"code": "200", "message": "AI started", "call_id": call.call_id}
    call.line.hears("I am a concierge")
    call.do("calling.ai_message", message_text="A taxi")
    call.line.hears("A taxi").says("Goodbye").hears("Goodbye")
    stage.run(5)

    assert call.peer.states("calling.call.ai") == []
    assert (talk(stage).engine, talk(stage).state) == ("amazon_bedrock", "finished")
    assert len(stage.sim.webhooks) == 1


@pytest.mark.parametrize("first", ["calling.ai", "calling.amazon_bedrock"])
def test_one_agent_on_a_call(call: Inbound, first: str):
    call.do(first, **({"control_id": "c1"} if first == "calling.ai" else {}))
    assert call.code("calling.ai", control_id="c2") == "409"
    assert call.code("calling.amazon_bedrock") == "409"


@given(
    st.lists(st.sampled_from(["hello", "goodbye", "hold", "unhold", "system", "user", "reset", "wait"]), max_size=12),
    st.sampled_from(["stop", "hang up", "wait"]),
)
def test_whatever_happens_a_conversation_ends_once(happens: list[str], end: str):
    """A wait for the agent must not hang, and its end must not be told twice."""
    stage = Stage()
    call = stage.inbound(stage.client("support"))
    start(call, post_prompt_url=POST)
    commands: dict[str, tuple[str, dict[str, Any]]] = {
        "hold": ("calling.ai_hold", {"timeout": "20"}),
        "unhold": ("calling.ai_unhold", {}),
        "system": ("calling.ai_message", {"role": "system", "message_text": "x"}),
        "user": ("calling.ai_message", {"message_text": "x"}),
        "reset": ("calling.ai_message", {"reset": {"system_prompt": "You are new."}}),
    }
    for what in happens:
        if what in commands:
            method, params = commands[what]
            assert call.code(method, **params) in ("200", "409")
        elif what == "wait":
            stage.run(3)
        else:
            call.line.says(what)
    if end == "stop":
        call.code("calling.ai.stop", control_id="c1")
    elif end == "wait":
        stage.run(30)
        call.line.says("goodbye")
        stage.run(30)
    was_told = call.peer.states("calling.call.ai")
    call.line.hangs_up()

    assert was_told == call.peer.states("calling.call.ai") == (["finished"] if end != "hang up" else was_told[:1])
    assert talk(stage).state in ("finished", "call ended")
    assert len(stage.sim.webhooks) == 1
