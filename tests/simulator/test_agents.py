"""What AI agents say."""

from __future__ import annotations

import pytest

from relay_actors.simulator.agents import AgentScript, PoliteAgent, ScriptedAgent, Turn


@pytest.mark.parametrize(
    ("prompt", "name", "greeting"),
    [
        ("You are a helpful agent. Be brief.", "", "Hello, I am a helpful agent. How can I help you?"),
        ("Be kind.", "Sigmond", "Hello, this is Sigmond. How can I help you?"),
        ("", "", "Hello, how can I help you?"),
    ],
)
def test_an_agent_greets_as_its_prompt_says(prompt: str, name: str, greeting: str):
    assert PoliteAgent(prompt, name=name).opens() == Turn(greeting)


def test_an_agent_without_a_script_takes_up_what_it_hears_until_a_goodbye():
    agent = PoliteAgent("")
    assert "two tickets" in agent.answers("two tickets.").says
    assert not agent.is_over
    assert "Goodbye" in agent.answers("That is all, thank you").says
    assert agent.is_over


@pytest.mark.parametrize("words", ["the byebug debugger", "a goodbyeless day"])
def test_a_goodbye_is_a_word_of_its_own(words: str):
    agent = PoliteAgent("")
    agent.answers(words)
    assert not agent.is_over


def test_a_script_goes_on_only_when_it_hears_what_it_waits_for():
    agent = ScriptedAgent(AgentScript((Turn("Name?"), Turn("And the order?", hears="smith"), Turn("Done."))))
    assert agent.opens() == Turn("Name?")
    assert "did not understand" in agent.answers("What?").says
    assert agent.answers("John Smith").says == "And the order?"
    assert not agent.is_over
    assert agent.answers("anything").says == "Done."
    assert agent.is_over


def test_a_script_that_waits_for_words_lets_the_person_begin():
    assert ScriptedAgent(AgentScript((Turn("Hi.", hears=""),))).opens() is None


def test_an_empty_script_is_over_before_it_begins():
    agent = ScriptedAgent(AgentScript(()))
    assert agent.opens() is None
    assert agent.is_over
    assert agent.answers("hello") == Turn()
