"""Verbs on artificial agents that speak on a call. Layer: hall. Source: PROTOCOL 11.11, 12."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relay_actors.actors.actions import AIAction
from relay_actors.actors.verbs.base import CallVerbs, OnCompleted
from relay_actors.actors.waits import Reply
from relay_actors.protocol.commands import AI, AIHold, AIMessage, AIUnhold, AmazonBedrock

__all__ = ["AgentVerbs"]


class AgentVerbs(CallVerbs):
    """`ai` starts an operation and gives its handle; the others give a `Reply`."""

    def ai(
        self,
        *,
        control_id: str | None = None,
        agent: str | None = None,
        prompt: Mapping[str, object] | None = None,
        post_prompt: Mapping[str, object] | None = None,
        post_prompt_url: str | None = None,
        post_prompt_auth_user: str | None = None,
        post_prompt_auth_password: str | None = None,
        global_data: Mapping[str, object] | None = None,
        pronounce: Sequence[Mapping[str, object]] | None = None,
        hints: Sequence[str] | None = None,
        languages: Sequence[Mapping[str, object]] | None = None,
        SWAIG: Mapping[str, object] | None = None,  # noqa: N803  # the wire's own name
        ai_params: Mapping[str, object] | None = None,
        on_completed: OnCompleted = None,
        **kwargs: Any,
    ) -> AIAction:
        """Let an agent speak with the caller. Most servers tell nothing of its end but the end of the call.

        Args:
            control_id: chosen for you.
            agent: of the server's, by its address.
            prompt: what it is to do: ``{"text": …}``.
            post_prompt: what it is asked when the conversation is over.
            post_prompt_url: where the answer to that goes.
            post_prompt_auth_user: for ``post_prompt_url``.
            post_prompt_auth_password: for ``post_prompt_url``; a secret.
            global_data: what it knows.
            pronounce: how words are said.
            hints: words that may come up.
            languages: which it speaks.
            SWAIG: functions that it may call.
            ai_params: its settings; ``params`` on the wire.
            on_completed: called with the event that completes it.
            kwargs: further params.
        """
        command = AI(
            control_id=control_id,
            agent=agent,
            prompt=prompt,
            post_prompt=post_prompt,
            post_prompt_url=post_prompt_url,
            post_prompt_auth_user=post_prompt_auth_user,
            post_prompt_auth_password=post_prompt_auth_password,
            global_data=global_data,
            pronounce=pronounce,
            hints=hints,
            languages=languages,
            SWAIG=SWAIG,
            ai_params=ai_params,
            extra=kwargs,
        )
        return self._begin(AIAction, command, on_completed)

    def amazon_bedrock(
        self,
        *,
        prompt: Mapping[str, object] | None = None,
        SWAIG: Mapping[str, object] | None = None,  # noqa: N803  # the wire's own name
        ai_params: Mapping[str, object] | None = None,
        global_data: Mapping[str, object] | None = None,
        post_prompt: Mapping[str, object] | None = None,
        post_prompt_url: str | None = None,
        **kwargs: Any,
    ) -> Reply:
        """Let an Amazon Bedrock agent speak with the caller, until the call ends.

        Args:
            prompt: what it is to do: ``{"text": …}``.
            SWAIG: functions that it may call.
            ai_params: its settings; ``params`` on the wire.
            global_data: what it knows.
            post_prompt: what it is asked when the conversation is over.
            post_prompt_url: where the answer to that goes.
            kwargs: further params.
        """
        return self.perform(
            AmazonBedrock(
                prompt=prompt,
                SWAIG=SWAIG,
                ai_params=ai_params,
                global_data=global_data,
                post_prompt=post_prompt,
                post_prompt_url=post_prompt_url,
                extra=kwargs,
            )
        )

    def ai_message(
        self,
        *,
        message_text: str | None = None,
        role: str | None = None,
        reset: Mapping[str, object] | None = None,
        global_data: Mapping[str, object] | None = None,
        **kwargs: Any,
    ) -> Reply:
        """Put a message into the agent's conversation.

        Args:
            message_text: what is said.
            role: by whom: ``user`` or ``system``.
            reset: what it is to forget.
            global_data: what it knows from now on.
            kwargs: further params.
        """
        return self.perform(
            AIMessage(message_text=message_text, role=role, reset=reset, global_data=global_data, extra=kwargs)
        )

    def ai_hold(self, *, timeout: str | float | None = None, prompt: str | None = None, **kwargs: Any) -> Reply:
        """Let the agent be silent.

        Args:
            timeout: seconds, after which it goes on by itself; goes out as text.
            prompt: what it says first.
            kwargs: further params.
        """
        return self.perform(AIHold(timeout=timeout, prompt=prompt, extra=kwargs))

    def ai_unhold(self, *, prompt: str | None = None, **kwargs: Any) -> Reply:
        """Let the agent go on.

        Args:
            prompt: what it says first.
            kwargs: further params.
        """
        return self.perform(AIUnhold(prompt=prompt, extra=kwargs))
