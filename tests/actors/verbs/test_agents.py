"""Verbs on artificial agents."""

from __future__ import annotations

import pytest

from relay_actors.actors.actions import AIAction
from relay_actors.actors.verbs.agents import AgentVerbs
from relay_actors.events import CallStateEvent
from tests.actors.verbs.on_the_wire import Case, case, defined_in, is_refused, sent_by, without_ids
from tests.actors.world import Witness, World

PROMPT = {"text": "You take orders for pizza."}

CASES = [
    case("ai", "calling.ai", {}),
    case(
        "ai",
        "calling.ai",
        {
            "agent": "/private/pizza",
            "prompt": PROMPT,
            "post_prompt": {"text": "Summarise."},
            "post_prompt_url": "https://example.com/done",
            "post_prompt_auth_user": "me",
            "post_prompt_auth_password": "secret",
            "global_data": {"shop": 5},
            "pronounce": [{"replace": "SW", "with": "SignalWire"}],
            "hints": ["salami"],
            "languages": [{"name": "English", "code": "en-US", "voice": "v"}],
            "SWAIG": {"functions": []},
            "params": {"temperature": 0.3},
            "x": 1,
        },
        agent="/private/pizza",
        prompt=PROMPT,
        post_prompt={"text": "Summarise."},
        post_prompt_url="https://example.com/done",
        post_prompt_auth_user="me",
        post_prompt_auth_password="secret",
        global_data={"shop": 5},
        pronounce=[{"replace": "SW", "with": "SignalWire"}],
        hints=["salami"],
        languages=[{"name": "English", "code": "en-US", "voice": "v"}],
        SWAIG={"functions": []},
        ai_params={"temperature": 0.3},
        x=1,
    ),
    case("amazon_bedrock", "calling.amazon_bedrock", {}),
    case(
        "amazon_bedrock",
        "calling.amazon_bedrock",
        {"prompt": PROMPT, "params": {"a": 1}, "SWAIG": {}},
        prompt=PROMPT,
        ai_params={"a": 1},
        SWAIG={},
    ),
    case("ai_message", "calling.ai_message", {"message_text": "Hi", "role": "user"}, message_text="Hi", role="user"),
    case("ai_message", "calling.ai_message", {"reset": {"full": True}}, reset={"full": True}),
    case("ai_hold", "calling.ai_hold", {}),
    case("ai_hold", "calling.ai_hold", {"timeout": "60", "prompt": "Wait."}, timeout=60, prompt="Wait."),
    case("ai_unhold", "calling.ai_unhold", {"prompt": "Here I am."}, prompt="Here I am."),
]


def test_these_are_all_of_them():
    """A verb that nobody calls below would not be proved."""
    assert {one.values[0].verb for one in CASES} == set(defined_in(AgentVerbs))


@pytest.mark.parametrize("one", CASES)
def test_a_verb_sends_what_was_given_and_nothing_else(world: World, one: Case):
    """A time-out goes out as text (PROTOCOL 12)."""
    handle, params = sent_by(world, one)
    assert without_ids(handle, params, control_id=one.verb == "ai") == one.params
    assert world.sim.violations == ()


@pytest.mark.parametrize(
    ("verb", "kwargs", "names"),
    [
        ("ai", {"prompt": "You take orders."}, "prompt"),
        ("ai", {"hints": "salami"}, "hints"),
        ("ai", {"languages": [5]}, "languages"),
        ("ai", {"ai_params": []}, "ai_params"),
        ("amazon_bedrock", {"SWAIG": 5}, "SWAIG"),
        ("ai_message", {"message_text": 5}, "message_text"),
        ("ai_message", {"global_data": "x"}, "global_data"),
        ("ai_hold", {"timeout": [60]}, "timeout"),
        ("ai_unhold", {"prompt": {}}, "prompt"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_sent(
    world: World, verb: str, kwargs: dict[str, object], names: str
):
    """What a script gets wrong must be said at its line, and not by the server seconds later."""
    is_refused(world, names, verb, (), kwargs)


def test_an_agent_that_says_nothing_at_its_end_is_over_with_the_call(world: World):
    """Otherwise whoever waits for it would wait for ever (PROTOCOL 10.5, 11.11)."""
    line, handle = world.answered(Witness)
    agent = handle.ai(prompt=PROMPT)
    assert type(agent.get(timeout=5)) is AIAction
    line.hangs_up()
    last = agent.wait(timeout=5).get()
    assert isinstance(last, CallStateEvent)
    assert last.call_state == "ended"


def test_a_password_is_not_shown(world: World):
    """It is a secret: a log line with the handle or its command must not give it away (PROTOCOL 16.1)."""
    _line, handle = world.answered(Witness)
    agent = handle.ai(
        post_prompt_auth_password="secret-word", SWAIG={"defaults": {"web_hook_auth_password": "secret-word"}}
    )
    assert "secret-word" not in f"{agent!r} {agent.command!r}"
