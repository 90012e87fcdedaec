"""Live transcription and translation: what is said and heard on a leg becomes text while it runs. Layer: simulator.

The text goes to the webhook that the command names; no event tells of it. Source: PROTOCOL 12, D18. No source shows the
bodies of these webhooks: they carry the names that the commands use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from relay_actors.protocol.readers import read_flag, read_object, read_text, read_texts
from relay_actors.simulator.calls import Call, Params, Running
from relay_actors.simulator.replies import Reply, accepted, refused
from relay_actors.simulator.sounds import Sound, spoken

__all__ = ["LiveTranscription", "LiveTranslation"]

THERE: Final = "remote-caller"
"""The person at the end of the leg."""
HERE: Final = "local-caller"
"""Whoever that person hears: the application's prompts, or the other leg."""

LAG_S: Final = 0.5
"""From the beginning of the words to that of their translation."""


class LiveTranscription(Running):
    """One live transcription; kept among what runs on the leg, so that it hears its words and ends with it."""

    name = "live_transcribe"
    noun = "transcription"

    def __init__(self, call: Call, settings: Params, url: str) -> None:
        self._call = call
        self._settings = settings
        self._url = url
        self._roles = read_texts(settings.get("direction")) or [HERE, THERE]
        self._sends_each = read_flag(settings.get("live_events")) is not False
        self._log: list[dict[str, object]] = []
        self._is_speaking = False

    @classmethod
    def control(cls, call: Call, params: Params) -> Reply:
        """Do one ``action``: ``start``, ``stop``, ``summarize`` (and what a subclass adds)."""
        action, settings = _read_action(params.get("action"))
        url = read_text(settings.get("webhook")) or read_text(settings.get("status_url"))
        url = url or read_text(params.get("status_url")) or ""
        running = call.running.get((cls.name,))
        if action == "start":
            if running is not None:
                return refused("409", f"A live {cls.noun} is active on this call")
            call.running[cls.name,] = started = cls(call, settings, url)
            call.on_heard.append(started.sound_heard)
            return accepted(f"Live {cls.noun} started", call_id=call.call_id)
        if not isinstance(running, cls):
            return refused("409", f"No live {cls.noun} is active on this call")  # not 404, by which clients mean calls
        message = running.do(action, settings, url)
        if not message:
            return refused("400", f"action must have one key that a live {cls.noun} knows, not {action!r}")
        return accepted(message, call_id=call.call_id)

    def do(self, action: str, settings: Params, url: str) -> str:
        """Do an action on what runs, and return the message of the answer; an empty one for an unknown action."""
        match action:
            case "stop":
                self.call_ends()
                return f"Live {self.noun} stopped"
            case "summarize":
                self._tell("summary", {"summary": self._summary()}, to=url)
                return f"Live {self.noun} summarized"
            case _:
                return ""

    def call_ends(self) -> None:
        """Stop, and tell what was said in all."""
        if self._call.running.pop((self.name,), None) is None:
            return
        self._call.on_heard.remove(self.sound_heard)
        told: dict[str, object] = {"log": list(self._log)}
        if read_flag(self._settings.get("ai_summary")):
            told["summary"] = self._summary()
        self._tell("finished", told)

    def words_said(self, words: str, confidence: float) -> bool:
        """Write down what the person says; nobody was asked for it, so that it is not listening."""
        self.write(THERE, words)
        return True

    def sound_heard(self, sound: Sound) -> None:
        """Write down what the person is told."""
        if sound.kind in ("tts", "voice") and not self._is_speaking:
            self.write(HERE, sound.text)

    def write(self, role: str, words: str) -> None:
        """Add an utterance, and tell it at once if that is wanted."""
        if role not in self._roles:
            return
        utterance = {"role": role, "content": words, **self.extra(role, words)}
        self._log.append(utterance)
        if self._sends_each:
            self._tell("utterance", {**utterance, "timestamp": self._call.world.wall_ms()})

    def extra(self, role: str, words: str) -> Mapping[str, object]:
        """Return what an utterance has beside its words."""
        return {"lang": read_text(self._settings.get("lang")) or read_text(self._settings.get("language")) or "en"}

    def _tell(self, what: str, fields: Mapping[str, object], *, to: str = "") -> None:
        body = {"event": f"{self.name}.{what}", "call_id": self._call.call_id, **fields}
        self._call.world.webhooks.send(to or self._url, body)

    def _summary(self) -> str:
        return "\n".join(f"{utterance['role']}: {utterance['content']}" for utterance in self._log)


class LiveTranslation(LiveTranscription):
    """One live translation: each side hears, after the words, what they mean in its own language."""

    name = "live_translate"
    noun = "translation"

    def __init__(self, call: Call, settings: Params, url: str) -> None:
        super().__init__(call, settings, url)
        # ``source`` and ``target`` in RELAY's own frames, ``from_lang`` and ``to_lang`` in the documents of SWML.
        self._languages = {
            THERE: read_text(settings.get("source")) or read_text(settings.get("from_lang")) or "en",
            HERE: read_text(settings.get("target")) or read_text(settings.get("to_lang")) or "en",
        }

    def do(self, action: str, settings: Params, url: str) -> str:
        """Do an action; ``inject`` lets one side hear a message in its language."""
        if action != "inject":
            return super().do(action, settings, url)
        words = read_text(settings.get("message")) or read_text(settings.get("text")) or ""
        role = read_text(settings.get("direction")) or THERE
        self._let_hear(role, self._call.world.scripts.translate(words, self._languages.get(role, "en")))
        return "Message injected"

    def extra(self, role: str, words: str) -> Mapping[str, object]:
        """Translate, and let the other side hear it."""
        other = HERE if role == THERE else THERE
        language = self._languages[other]
        translation = self._call.world.scripts.translate(words, language)
        self._call.world.after(LAG_S, lambda: self._let_hear(other, translation))
        return {"lang": self._languages.get(role, ""), "translation": translation, "to_lang": language}

    def _let_hear(self, role: str, words: str) -> None:
        """Speak to one side, while it runs. Where nobody else is on the call, nobody ``here`` can hear it."""
        leg = self._call if role == THERE else self._call.peer
        if leg is None or self._call.running.get((self.name,)) is not self:
            return
        self._is_speaking = True
        leg.hear(spoken(words, language=self._languages.get(role, "")))
        self._is_speaking = False


def _read_action(action: object) -> tuple[str, Params]:
    """Return the word and the settings of an ``action``, whichever of its three shapes it has (PROTOCOL 12, D18)."""
    if isinstance(action, str):
        return action, {}
    body = read_object(action) or {}
    if (word := read_text(body.get("action"))) is not None:
        return word, {key: value for key, value in body.items() if key != "action"}
    if len(body) != 1:
        return "", {}
    ((word, settings),) = body.items()
    return word, read_object(settings) or {}
