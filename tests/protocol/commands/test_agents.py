"""Commands on artificial agents."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from relay_actors.errors import ArgumentError
from relay_actors.protocol.commands import AI, AIHold, AIMessage, AmazonBedrock


def test_the_params_of_an_agent_are_called_so_on_the_wire() -> None:
    """PROTOCOL 20: ``ai_params`` goes out as ``params``."""
    agent = AI(prompt={"text": "Help."}, ai_params={"end_of_speech_timeout": 3000}, SWAIG={"functions": []})
    assert agent.to_params() == {
        "prompt": {"text": "Help."},
        "params": {"end_of_speech_timeout": 3000},
        "SWAIG": {"functions": []},
    }
    assert AmazonBedrock(ai_params={"a": 1}).to_params() == {"params": {"a": 1}}


def test_the_timeout_of_a_hold_is_text() -> None:
    """The wire wants a string (PROTOCOL 12)."""
    assert AIHold(timeout=30).to_params() == {"timeout": "30"}


def test_a_message_to_the_agent_may_be_empty() -> None:
    """All of it is optional; the server knows what to make of it."""
    assert AIMessage().to_params() == {}


@pytest.mark.parametrize(
    "make",
    [
        lambda: AI(prompt="Help."),  # type: ignore[arg-type]
        lambda: AI(hints="sales"),
        lambda: AI(languages={"name": "English"}),  # type: ignore[arg-type]
        lambda: AmazonBedrock(SWAIG=[]),  # type: ignore[arg-type]
    ],
)
def test_what_could_never_work_is_refused(make: Callable[[], object]) -> None:
    """Before anything is sent, at the line that is wrong."""
    with pytest.raises(ArgumentError, match=r"^calling\.\w+: \w+ must be"):
        make()


def test_a_password_is_not_shown() -> None:
    """Commands appear in logs and error reports (PROTOCOL 16.1)."""
    assert "sesame" not in repr(AI(post_prompt_auth_user="u", post_prompt_auth_password="sesame"))
