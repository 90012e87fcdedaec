"""`Message`: one text, for asyncio. Layer: door. Source: PROTOCOL 14, 20."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

from relay_actors.actors.message import MessageActor
from relay_actors.actors.message_handle import MessageHandle, TextMessage, TextView
from relay_actors.client.base import client_of
from relay_actors.errors import RelayActorsError
from relay_actors.protocol.events import MessageReceiveEvent, RelayEvent
from relay_actors.runtime.loop_calls import LoopCalls

__all__ = ["ClientText", "Message"]


class Message(TextView):
    """A text that came in, or that was sent. What was sent is followed until its last state.

    Arguments and attributes are those of the official client: names, numbers, ``body`` and ``media`` of the text; into
    how many ``segments`` the network cuts it; the last known ``state``, and the ``reason`` why it was not delivered.
    """

    def __init__(
        self,
        *,
        message_id: str = "",
        context: str = "",
        direction: str = "",
        from_number: str = "",
        to_number: str = "",
        body: str = "",
        media: Sequence[str] | None = None,
        segments: int = 0,
        state: str = "",
        reason: str = "",
        tags: Sequence[str] | None = None,
    ) -> None:
        lists = list(media or ()), list(tags or ())
        self._text = TextMessage(
            direction, message_id, context, from_number, to_number, body, lists[0], segments, state, reason, lists[1]
        )
        self._handle: MessageHandle | None = None
        self._loops: LoopCalls | None = None

    @classmethod
    def of(cls, text: TextMessage, handle: MessageHandle | None = None, loops: LoopCalls | None = None) -> Self:
        """Return a text that came in or, with its handle and where handlers run, one that was sent."""
        message = cls()
        message._text, message._handle, message._loops = text, handle, loops
        return message

    def __repr__(self) -> str:
        return f"<Message id={self.message_id!r} state={self.state!r} direction={self.direction!r}>"

    @property
    def text(self) -> TextMessage:
        """What is known of it."""
        return self._text

    @property
    def is_done(self) -> bool:
        """Whether its last state is known; never of a text that came in."""
        return self._handle is not None and self._handle.is_done

    @property
    def result(self) -> RelayEvent | None:
        """The event with its last state, or None."""
        return self._handle.result if self._handle is not None else None

    def on(self, handler: Callable[[Any], Any]) -> None:
        """Have ``handler(event)`` called with every state, on the loop on which this is called.

        Of a text that came in there are none.
        """
        if self._handle is not None and self._loops is not None:
            self._handle.on(self._loops.on_loop(handler))

    async def wait(self, timeout: float | None = None) -> RelayEvent:
        """Wait for its last state, and return the event: ``delivered``, ``undelivered`` or ``failed``.

        Args:
            timeout: seconds; None waits for ever. A time-out does not harm the text.

        Raises:
            TimeoutError: no last state in time.
            RelayActorsError: nothing more will be heard of it, because its session is gone; or this is no text that
                was sent, so that there is nothing to wait for.
        """
        if self._handle is None:
            raise RelayActorsError(f"{self!r} was not sent from here: no state follows, so there is none to wait for")
        event: RelayEvent = await self._handle.wait(timeout)
        return event


class ClientText(MessageActor):
    """Takes each inbound text of a client, and has the handler started. None of the user's code runs in it."""

    def on_receive(self, message: object) -> None:
        """Take the text."""
        client = client_of(self)
        if not isinstance(message, MessageReceiveEvent):
            super().on_receive(message)
        elif client.message_handler is None:
            self.log.warning("no on_message handler: the text is not handled message_id=%s", message.message_id)
        else:
            client.loops.run(client.message_handler, Message.of(self.message))
