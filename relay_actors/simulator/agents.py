"""What an AI agent says: as a test has written it, or else what its prompt suggests. Layer: simulator, pure.

Nothing here understands language. The agent without a script is polite, takes up what it hears, and knows a goodbye
when it hears one: enough for demonstrations, and for applications that only have to see a conversation begin and end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, get_args

from relay_actors.errors import ConfigError

__all__ = ["AGENT_ENDS", "Agent", "AgentEnd", "AgentScript", "PoliteAgent", "ScriptedAgent", "Turn"]

AgentEnd = Literal["finished", "hangs up", "error", "silent"]
AGENT_ENDS: Final[tuple[AgentEnd, ...]] = get_args(AgentEnd)

_GOODBYE: Final = re.compile(r"\b(good ?bye|bye|that is all|that's all|hang up)\b", re.IGNORECASE)
_YOU_ARE: Final = re.compile(r"\s*you are (?P<who>[^.!?\n]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of an agent, in the order: hear, call, say.

    Attributes:
        says: the words; empty to say nothing.
        hears: the turn waits for words that contain this; None: for any words, and the first turn for none.
        calls: a SWAIG function that is called before anything is said.
        arguments: of that function.
    """

    says: str = ""
    hears: str | None = None
    calls: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgentScript:
    """A whole conversation, told from the agent's side.

    Attributes:
        turns: one after the other.
        ends: what happens after the last one: ``finished`` (the client is told), ``hangs up``, ``error`` (the client
            is told of a failure), ``silent`` (the client is told nothing, as by real servers; PROTOCOL 10.5).
        summary: what comes out of the post prompt; made of the conversation when empty.

    Raises:
        ConfigError: there is no such end.
    """

    turns: tuple[Turn, ...]
    ends: AgentEnd = "finished"
    summary: str = ""

    def __post_init__(self) -> None:
        if self.ends not in AGENT_ENDS:
            raise ConfigError(f"an agent cannot be made to end as {self.ends!r}: only as {', '.join(AGENT_ENDS)}")


class Agent(Protocol):
    """Who decides what is said next."""

    ends: AgentEnd

    def opens(self) -> Turn | None:
        """Return what it says first, or None to let the person begin."""

    def answers(self, words: str) -> Turn:
        """Return what it says to these words."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be said."""


class ScriptedAgent:
    """Goes through a script; words that do not fit make it ask again."""

    def __init__(self, script: AgentScript) -> None:
        self.ends: AgentEnd = script.ends
        self._left = list(script.turns)

    def opens(self) -> Turn | None:
        """Return the first turn, unless it waits for words."""
        return self._left.pop(0) if self._left and self._left[0].hears is None else None

    def answers(self, words: str) -> Turn:
        """Return the next turn if it waits for these words."""
        if not self._left:
            return Turn()
        if (self._left[0].hears or "").casefold() in words.casefold():
            return self._left.pop(0)
        return Turn("I am sorry, I did not understand that.")

    @property
    def is_over(self) -> bool:
        """Whether the script is."""
        return not self._left


class PoliteAgent:
    """Greets as its prompt says, takes up what it hears, and ends at a goodbye.

    Args:
        prompt: what it is told to be.
        name: of the saved agent, if the command named one.
        greeting: what it says first; made of the prompt when empty.
    """

    ends: AgentEnd = "finished"

    def __init__(self, prompt: str, *, name: str = "", greeting: str = "") -> None:
        self._greeting = greeting or _greeting(prompt, name)
        self.is_over = False

    def opens(self) -> Turn:
        """Greet."""
        return Turn(self._greeting)

    def answers(self, words: str) -> Turn:
        """Take up the words, or say goodbye."""
        if _GOODBYE.search(words):
            self.is_over = True
            return Turn("Thank you for calling. Goodbye.")
        return Turn(f"You said: {words.strip().rstrip('.!?')}. What else can I do for you?")


def _greeting(prompt: str, name: str) -> str:
    who = _YOU_ARE.match(prompt)
    if who is not None:
        return f"Hello, I am {who['who'].strip()}. How can I help you?"
    return f"Hello, this is {name}. How can I help you?" if name else "Hello, how can I help you?"
