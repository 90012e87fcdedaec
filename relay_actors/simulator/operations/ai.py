"""An AI agent that talks to the person on the line. Layer: simulator.

It listens, thinks for a moment, and answers; who speaks while it does interrupts it. What it says comes from
`Simulator.next_agent`, or from its prompt. Source: PROTOCOL 10.5, 11.11, 12; the bodies of the webhooks follow
SignalWire's pages on ``post_prompt_url`` and SWAIG.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from relay_actors.protocol.readers import read_number, read_object, read_text
from relay_actors.simulator.agents import Agent, PoliteAgent, ScriptedAgent, Turn
from relay_actors.simulator.calls import Call, Params
from relay_actors.simulator.conversations import Conversation
from relay_actors.simulator.operations.base import Operation
from relay_actors.simulator.operations.play import Player
from relay_actors.simulator.replies import Reply, accepted, refused
from relay_actors.simulator.sounds import AUDIO_S, Sound, spoken
from relay_actors.simulator.timers import Timer

__all__ = ["Ai", "AmazonBedrock", "hold_ai", "message_ai", "unhold_ai"]

THINK_S: Final = 0.5
"""From the last word of the person to the first word of the agent."""

HOLD_S: Final = 300.0
"""How long a hold lasts that does not say."""


class Ai(Operation):
    """``calling.ai``: one conversation, one at a time on a leg. When the call ends under it, no event tells of it."""

    event_type = "calling.call.ai"
    started_message = "AI started"
    engine = "ai"
    is_listening = True

    def begin(self) -> Reply:
        """Start, unless an agent is there already."""
        if _agent_on(self.call) is not None:
            return refused("409", "An AI session is active on this call")
        return super().begin()

    def start(self) -> dict[str, object]:
        """Greet the person after a moment."""
        prompt = _words_of(self.params.get("prompt"))
        scripts = self.call.world.scripts
        known = read_object(self.params.get("global_data")) or {}
        self.conversation = Conversation(self.call.call_id, self.engine, prompt, known)
        scripts.conversations.append(self.conversation)
        self._settings = read_object(self.params.get("params")) or {}
        script = scripts.next_agent()
        self._summary = script.summary if script is not None else ""
        self._agent: Agent = ScriptedAgent(script) if script is not None else self._polite_agent()
        self._player: Player | None = None
        self._timer: Timer | None = None
        self._unanswered = ""
        self._has_begun = False
        self._later(self._open)
        return {}

    def stop(self) -> None:
        """Report ``finished``."""
        self._end("finished")

    def call_ends(self) -> None:
        """End without an event. Source: PROTOCOL 10.5, 11.11."""
        self._close_as("call ended")

    def words_said(self, words: str, confidence: float) -> bool:
        """Listen, unless on hold; the agent stops speaking, but for its last words."""
        if self.conversation.state != "running":
            return False
        self.conversation.note("user", words)
        self._take(words)
        return True

    # What the application does.

    def message(self, role: str, words: str, reset: Params | None, facts: Params) -> None:
        """Tell the agent something: as the person (``user``) to be answered, as anybody else to be known."""
        self.conversation.global_data.update(facts)
        if reset is not None:
            self._reset(reset)
        if words:
            self.conversation.note(role, words)
            if role == "user":
                self._take(words)

    def hold(self, timeout_s: float, prompt: str) -> None:
        """Say the prompt, and then let the person wait; nobody listens meanwhile."""
        self._fall_silent()
        self.conversation.state = "on hold"
        self.is_listening = False
        music = read_text(self._settings.get("hold_music"))
        waiting = Sound("audio", music, AUDIO_S) if music else Sound("silence", "", timeout_s)
        self._say(prompt, then=lambda: self._play(waiting, loops=0 if music else 1, then=_nothing))
        self._timer = self.after(timeout_s, lambda: self.unhold(""))

    def unhold(self, prompt: str) -> None:
        """Go on where the conversation was, after saying the prompt."""
        self._fall_silent()
        self.conversation.state = "running"
        self.is_listening = True
        self._say(prompt, then=self._go_on)

    # Talking.

    def _open(self) -> None:
        self._has_begun = True
        turn = self._agent.opens()
        if turn is not None:
            self._do(turn)
        elif self._agent.is_over:
            self._end(self._agent.ends)

    def _take(self, words: str) -> None:
        self._unanswered = f"{self._unanswered} {words}".strip()
        if self.conversation.state == "running" and not self._agent.is_over:
            self._fall_silent()
            self._later(self._answer)

    def _answer(self) -> None:
        self._has_begun = True
        words, self._unanswered = self._unanswered, ""
        self._do(self._agent.answers(words))

    def _do(self, turn: Turn) -> None:
        if turn.calls:
            self._call_function(turn)
        self._say(turn.says, then=self._go_on)

    def _go_on(self) -> None:
        if self._has_begun and self._agent.is_over:
            self._end(self._agent.ends)
        elif self._unanswered:
            self._later(self._answer)
        elif not self._has_begun:
            self._later(self._open)

    def _say(self, words: str, *, then: Callable[[], None]) -> None:
        if not words:
            then()
            return
        self.conversation.note("assistant", words)
        language = _first_language(self.params.get("languages"))
        sound = spoken(words, language=language.get("code", ""), voice=language.get("voice", ""))
        self._play(sound, loops=1, then=then)

    def _play(self, sound: Sound, *, loops: int, then: Callable[[], None]) -> None:
        self._player = Player(self.call, [sound], loops=loops, at_end=then)
        self._player.start()

    def _fall_silent(self) -> None:
        if self._player is not None:
            self._player.stop()
        if self._timer is not None:
            self._timer.cancel()

    def _later(self, act: Callable[[], None]) -> None:
        self._timer = self.after(THINK_S, act)

    def _reset(self, reset: Params) -> None:
        self.conversation.note("system", "reset")
        self.conversation.forget()
        prompt = _words_of(reset.get("system_prompt"))
        if prompt:
            self.conversation.prompt = prompt
        if prompt and isinstance(self._agent, PoliteAgent):
            self._agent = PoliteAgent(prompt)
            self._unanswered = ""
            self._has_begun = False
            if self.conversation.state == "running":
                self._fall_silent()
                self._later(self._open)
        wish = _words_of(reset.get("user_prompt"))
        if wish:
            self.conversation.note("user", wish)
            self._take(wish)

    def _polite_agent(self) -> PoliteAgent:
        greeting = read_text(self._settings.get("static_greeting")) or ""
        return PoliteAgent(self.conversation.prompt, name=read_text(self.params.get("agent")) or "", greeting=greeting)

    # What is told by HTTP.

    def _call_function(self, turn: Turn) -> None:
        self.conversation.note("function", turn.calls)
        swaig = read_object(self.params.get("SWAIG")) or {}
        listed = swaig.get("functions")
        functions = [read_object(item) or {} for item in (listed if isinstance(listed, list) else [])]
        declared = next((function for function in functions if function.get("function") == turn.calls), None)
        if declared is None:
            self.conversation.note("system", f"there is no function {turn.calls}")
            return
        defaults = read_object(swaig.get("defaults")) or {}
        body: dict[str, object] = {
            "function": turn.calls,
            "argument": {"parsed": [dict(turn.arguments)]},
            "call_id": self.call.call_id,
            "ai_session_id": self.control_id,
            "caller_id_num": self.call.number("from_number"),
            "global_data": dict(self.conversation.global_data),
        }
        self.conversation.function_calls.append(body)
        self.call.world.webhooks.send(declared.get("web_hook_url") or defaults.get("web_hook_url"), body)

    def _tell_post_prompt(self) -> None:
        body: dict[str, object] = {
            "action": "post_conversation",
            "call_id": self.call.call_id,
            "ai_session_id": self.control_id,
            "call_log": self.conversation.log(),
            "swaig_log": list(self.conversation.function_calls),
            "global_data": dict(self.conversation.global_data),
        }
        if _words_of(self.params.get("post_prompt")):
            body["post_prompt_data"] = {"raw": self._summary or self.conversation.summary()}
        self.call.world.webhooks.send(self.params.get("post_prompt_url"), body)

    # The end.

    def _end(self, how: str) -> None:
        if not self._close_as("hung up" if how == "hangs up" else how):
            return
        if how == "hangs up":
            self.call.end("hangup")
        elif how != "silent" and self.is_named_on_the_wire:
            self.report(state=how)

    def _close_as(self, state: str) -> bool:
        if not self.close():
            return False
        self._fall_silent()
        self.conversation.state = "finished" if state == "silent" else state
        self._tell_post_prompt()
        return True


class AmazonBedrock(Ai):
    """``calling.amazon_bedrock``: the same without a name: no event tells of it, and nothing stops it but its end."""

    engine = "amazon_bedrock"
    is_named_on_the_wire = False


def message_ai(call: Call, params: Params) -> Reply:
    """Do ``calling.ai_message``."""
    agent = _agent_on(call)
    if agent is None:
        return _no_agent()
    agent.message(
        read_text(params.get("role")) or "user",
        read_text(params.get("message_text")) or "",
        read_object(params.get("reset")),
        read_object(params.get("global_data")) or {},
    )
    return accepted("Message sent", call_id=call.call_id)


def hold_ai(call: Call, params: Params) -> Reply:
    """Do ``calling.ai_hold``."""
    agent = _agent_on(call)
    if agent is None:
        return _no_agent()
    if agent.conversation.state == "on hold":
        return refused("409", "The AI session is on hold already")
    timeout_s = read_number(params.get("timeout", HOLD_S))
    if timeout_s is None or timeout_s <= 0:
        return refused("400", "timeout must be a number of seconds above 0")
    agent.hold(timeout_s, read_text(params.get("prompt")) or "")
    return accepted("AI on hold", call_id=call.call_id)


def unhold_ai(call: Call, params: Params) -> Reply:
    """Do ``calling.ai_unhold``."""
    agent = _agent_on(call)
    if agent is None:
        return _no_agent()
    if agent.conversation.state != "on hold":
        return refused("409", "The AI session is not on hold")
    agent.unhold(read_text(params.get("prompt")) or "")
    return accepted("AI resumed", call_id=call.call_id)


def _agent_on(call: Call) -> Ai | None:
    return next((running for running in call.running.values() if isinstance(running, Ai)), None)


def _no_agent() -> Reply:
    # Not 404: clients take that for a call that is gone, and what was to be said would be lost without a word.
    return refused("409", "There is no AI session on this call")


def _words_of(prompt: object) -> str:
    """Return the text of a prompt, which is text or an object with ``text``."""
    return read_text(prompt) or read_text((read_object(prompt) or {}).get("text")) or ""


def _first_language(languages: object) -> dict[str, str]:
    first = read_object(languages[0]) if isinstance(languages, list) and languages else None
    return {key: value for key, value in (first or {}).items() if isinstance(value, str)}


def _nothing() -> None:
    """Do nothing."""
