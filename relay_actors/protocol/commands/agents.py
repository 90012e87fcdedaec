"""Commands on artificial agents that speak on a call. Layer: protocol, pure. Source: PROTOCOL 11.11, 12."""

from __future__ import annotations

from typing import Annotated, ClassVar

from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.commands.arguments import AnyText, As, Object, Objects, Scalar, Texts
from relay_actors.protocol.commands.command import ActionCommand, RelayCommand

__all__ = ["AI", "AIHold", "AIMessage", "AIUnhold", "AmazonBedrock"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AI(ActionCommand):
    """Let an agent speak; it usually ends with the call."""

    method: ClassVar[str] = "calling.ai"

    agent: AnyText | None = None
    prompt: Object | None = None
    post_prompt: Object | None = None
    post_prompt_url: AnyText | None = None
    post_prompt_auth_user: AnyText | None = None
    post_prompt_auth_password: AnyText | None = None
    global_data: Object | None = None
    pronounce: Objects | None = None
    hints: Texts | None = None
    languages: Objects | None = None
    SWAIG: Object | None = None
    ai_params: Annotated[Object | None, As("params")] = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AmazonBedrock(RelayCommand):
    """Let an Amazon Bedrock agent speak."""

    method: ClassVar[str] = "calling.amazon_bedrock"

    prompt: Object | None = None
    SWAIG: Object | None = None
    ai_params: Annotated[Object | None, As("params")] = None
    global_data: Object | None = None
    post_prompt: Object | None = None
    post_prompt_url: AnyText | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AIMessage(RelayCommand):
    """Put a message into the agent's conversation."""

    method: ClassVar[str] = "calling.ai_message"

    message_text: AnyText | None = None
    role: AnyText | None = None
    reset: Object | None = None
    global_data: Object | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AIHold(RelayCommand):
    """Put the agent on hold; ``timeout`` goes out as text."""

    method: ClassVar[str] = "calling.ai_hold"

    timeout: Scalar | None = None
    prompt: AnyText | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AIUnhold(RelayCommand):
    """Let the agent go on."""

    method: ClassVar[str] = "calling.ai_unhold"

    prompt: AnyText | None = None
