"""What an AI agent and a person have said to each other, and what the agent knows. Layer: simulator, no I/O.

Source: PROTOCOL 11.11, 12.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["Conversation", "ConversationSnapshot", "Utterance"]


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing that was said.

    Attributes:
        role: ``assistant`` (the agent), ``user`` (the person), ``system`` (the application), ``function`` (its name).
        text: the words.
    """

    role: str
    text: str

    def __str__(self) -> str:
        return f"{self.role}: {self.text}"


@dataclass(frozen=True, slots=True)
class ConversationSnapshot:
    """A conversation as it was at one moment.

    Attributes:
        call_id: the leg.
        engine: ``ai`` or ``amazon_bedrock``.
        prompt: what the agent was told to be.
        state: ``running``, ``on hold``, or how it ended: ``finished``, ``error``, ``hung up``, ``call ended``.
        utterances: oldest first.
        global_data: what the agent knows.
    """

    call_id: str
    engine: str
    prompt: str
    state: str
    utterances: tuple[Utterance, ...]
    global_data: Mapping[str, object]

    def texts(self, role: str) -> list[str]:
        """Return what one role has said."""
        return [utterance.text for utterance in self.utterances if utterance.role == role]

    def __str__(self) -> str:
        return "\n".join([f"{self.engine} on call {self.call_id} ({self.state}):", *map(str, self.utterances)])


class Conversation:
    """A conversation that goes on. The simulator's lock guards it."""

    def __init__(self, call_id: str, engine: str, prompt: str, global_data: Mapping[str, object]) -> None:
        self.call_id = call_id
        self.engine = engine
        self.prompt = prompt
        self.state = "running"
        self.global_data = dict(global_data)
        self.utterances: list[Utterance] = []
        self.function_calls: list[dict[str, object]] = []
        self._since = 0

    def note(self, role: str, text: str) -> None:
        """Add what was said."""
        self.utterances.append(Utterance(role, text))

    def forget(self) -> None:
        """Let the agent forget what was said so far; it stays visible, but not in `log`."""
        self._since = len(self.utterances)

    def log(self) -> list[dict[str, object]]:
        """Return what the agent remembers, as webhooks tell it."""
        return [{"role": said.role, "content": said.text} for said in self.utterances[self._since :]]

    def summary(self) -> str:
        """Return what an agent would say of it at the end."""
        wishes = [said.text for said in self.utterances[self._since :] if said.role == "user"]
        return f"The caller said: {'; '.join(wishes)}" if wishes else "The caller said nothing."

    def snapshot(self) -> ConversationSnapshot:
        """Return it as it is now."""
        return ConversationSnapshot(
            call_id=self.call_id,
            engine=self.engine,
            prompt=self.prompt,
            state=self.state,
            utterances=tuple(self.utterances),
            global_data=MappingProxyType(dict(self.global_data)),
        )
