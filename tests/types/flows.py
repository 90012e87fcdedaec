"""What a type checker knows of a call's flow. Nobody runs it: mypy reads it, with each unused ignore an error."""

from __future__ import annotations

from typing import Any, assert_type

from relay_actors import CallActor, ServiceActor
from relay_actors.actors.actions import Action, AIAction, CollectAction, PlayAction
from relay_actors.events import (
    CallStateEvent,
    CollectEvent,
    ConnectEvent,
    DetectEvent,
    FaxEvent,
    PayEvent,
    PlayEvent,
    QueueEvent,
    RecordEvent,
    RelayEvent,
    StreamEvent,
    TapEvent,
    TranscribeEvent,
)
from relay_actors.params import digits, phone, ringtone
from relay_actors.protocol.base import JsonObject

KINDS: tuple[type[Any], ...] = (ConnectEvent, QueueEvent)


class Flow(CallActor):
    """A call that does a bit of everything."""

    async def what_is_awaited(self) -> None:
        """An operation gives itself, when it is accepted; a command the answer, an object."""
        assert_type(await self.play_tts("Hello"), PlayAction)
        assert_type(await self.prompt_tts("Press", digits(max=1)), CollectAction)
        assert_type(self.play_tts("Hello").get(timeout=1), PlayAction)
        assert_type(await self.answer(), JsonObject)
        assert_type(await self.play_tts("Hello").stop(), JsonObject)

    async def what_is_waited_for(self, other: Action) -> None:
        """Each kind of operation has events of its own kind."""
        prompt = self.prompt_tts("Press", digits(max=1))
        assert_type(await prompt.wait(), CollectEvent | Any)
        assert_type(prompt.wait(timeout=2).get(), CollectEvent | Any)
        assert_type(await self.play_tts("Hello").wait(), PlayEvent | Any)
        assert_type(await self.collect(digits={"max": 1}).wait(), CollectEvent | Any)
        assert_type(await self.record().wait(), RecordEvent | Any)
        assert_type(await self.detect_answering_machine().wait(), DetectEvent | Any)
        assert_type(await self.send_fax("https://example.com/a.pdf").wait(), FaxEvent | Any)
        assert_type(await self.tap({}, {}).wait(), TapEvent | Any)
        assert_type(await self.stream("wss://example.com").wait(), StreamEvent | Any)
        assert_type(await self.transcribe().wait(), TranscribeEvent | Any)
        assert_type(await self.pay("https://example.com").wait(), PayEvent | Any)
        assert_type(await AIAction(self, "id").wait(), RelayEvent | Any)
        assert_type(await other.wait(), Any)

    async def what_may_be_the_end_of_the_call(self) -> str:
        """Who waits where the call may be over can look what it was."""
        event = await self.record().wait()
        if isinstance(event, CallStateEvent):
            return event.end_reason
        match event:
            case RecordEvent(url=url):
                return url
            case _:
                return ""

    async def what_is_told_of_as_a_mistake(self) -> str:
        """The commonest mistake, a forgotten ``wait()``; and what is spelled wrong."""
        prompt = await self.prompt_tts("Press", digits(max=1))
        _ = prompt.digits  # type: ignore[attr-defined]  # of the event
        _ = (await self.answer()).call_state  # type: ignore[attr-defined]  # of the event
        event = await prompt.wait()
        _ = event.digts  # type: ignore[union-attr]  # misspelt
        return (await prompt.wait()).digits

    async def what_comes_next(self) -> None:
        """A message has the type that was asked for."""
        assert_type(await self.next(ConnectEvent), ConnectEvent)
        assert_type(await self.next(ConnectEvent, timeout=3), ConnectEvent)
        assert_type(await self.next(ConnectEvent, where=lambda e: e.connect_state == "connected"), ConnectEvent)
        assert_type(await self.next(ConnectEvent, QueueEvent), ConnectEvent | QueueEvent)
        both = self.next(ConnectEvent, QueueEvent, where=lambda e: bool(e.event_type), timeout=2.0)
        assert_type(await both, ConnectEvent | QueueEvent)
        assert_type(await self.next((ConnectEvent, QueueEvent)), Any)
        assert_type(await self.next((ConnectEvent, QueueEvent), where=lambda e: e.call_id), Any)
        assert_type(await self.next(ConnectEvent, QueueEvent, PlayEvent), Any)
        assert_type(await self.next(ConnectEvent, (QueueEvent, PlayEvent)), Any)
        assert_type(await self.next(*KINDS), Any)
        await self.next(ConnectEvent, where=lambda e: e.conect_state == "connected")  # type: ignore[attr-defined]
        await self.next("calling.call.connect")  # type: ignore[call-overload]  # no class
        await self.connect(phone(to="+15550100200"))
        await self.connect(phone(to="+15550100200"), ringback=[ringtone("us")])


class Service(ServiceActor):
    """A service that waits, and asks the application."""

    async def what_is_awaited(self) -> None:
        """Blocking code gives what its function returns."""
        assert_type(await self.blocking(len, "four"), int)
        assert_type(self.blocking(str, 4).get(timeout=1), str)
        assert_type(await self.sleep(1), None)
        self.app.dial(Flow, phone(to="+15550100101", from_="+15550100100"))
