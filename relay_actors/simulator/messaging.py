"""Text messages in both directions. Layer: simulator. Source: PROTOCOL 14."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from relay_actors.errors import ConfigError
from relay_actors.protocol.readers import read_text, read_texts
from relay_actors.simulator.calls import Params
from relay_actors.simulator.post import Post
from relay_actors.simulator.replies import Reply, accepted, refused
from relay_actors.simulator.sessions import Session
from relay_actors.simulator.switchboard import Switchboard
from relay_actors.simulator.world import World

__all__ = ["MESSAGE_ENDS", "MessageEnd", "Messaging", "TextMessage"]

MessageEnd = Literal["undelivered", "failed", "sent"]
MESSAGE_ENDS: Final[tuple[MessageEnd, ...]] = get_args(MessageEnd)
"""What an outgoing message can be made to end as; with the last one it stays on its way."""

LETTERS_PER_SEGMENT: Final = 160
STEP_S: Final = 0.1
"""Between two states of an outgoing message, simulated."""


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text as a phone shows it."""

    from_number: str
    to_number: str
    body: str
    media: tuple[str, ...] = ()


class Messaging:
    """Carries texts between clients and phones.

    Args:
        reach: hands a text to the phone that it is for; returns why it was refused, or an empty string.
    """

    def __init__(
        self, world: World, post: Post, switchboard: Switchboard, *, reach: Callable[[TextMessage], str]
    ) -> None:
        self._world = world
        self._post = post
        self._switchboard = switchboard
        self._reach = reach
        self._outcomes: deque[tuple[str, str]] = deque()

    def script_next(self, state: MessageEnd, reason: str) -> None:
        """Let the next outgoing message end as ``undelivered`` or ``failed``, or stay ``sent``.

        Raises:
            ConfigError: a message cannot be made to end so.
        """
        if state not in MESSAGE_ENDS:
            raise ConfigError(f"a message cannot be made to end as {state!r}: only as {', '.join(MESSAGE_ENDS)}")
        self._outcomes.append((state, reason))

    def send(self, session: Session, params: Params) -> Reply:
        """Do ``messaging.send``: queued, initiated, sent, then one of three ends."""
        text = TextMessage(
            from_number=read_text(params.get("from_number")) or "",
            to_number=read_text(params.get("to_number")) or "",
            body=read_text(params.get("body")) or "",
            media=tuple(read_texts(params.get("media")) or ()),
        )
        if not text.to_number:
            return refused("400", "A message needs a number to go to")
        if not text.body and not text.media:
            return refused("400", "A message needs a body or media")
        message_id = self._world.new_id()
        context = read_text(params.get("context")) or ""
        tags = read_texts(params.get("tags")) or []
        described = {**_describe(text), "message_id": message_id, "context": context, "tags": tags, "tag": None}
        scripted = self._outcomes.popleft() if self._outcomes else None

        def tell(state: str, **more: object) -> None:
            params = {**described, "direction": "outbound", "message_state": state, **more}
            self._post.send(session, "messaging.state", params, context=context)

        def arrive() -> None:
            state, reason = scripted or ("", "")
            if state == "sent":
                return
            if not state:
                reason = self._reach(text)
                state = "undelivered" if reason else "delivered"
            tell(state, **({"reason": reason} if reason else {}))

        tell("queued")
        self._world.after(STEP_S, lambda: tell("initiated"))
        self._world.after(2 * STEP_S, lambda: tell("sent"))
        self._world.after(3 * STEP_S, arrive)
        return accepted("Message accepted", message_id=message_id)

    def receive(self, text: TextMessage, context: str) -> bool:
        """Give a text from a phone to a client of ``context``; return whether there is one."""
        session = self._switchboard.next_session(context)
        if session is None:
            return False
        params = {
            "message_id": self._world.new_id(),
            "context": context,
            "direction": "inbound",
            "tags": ["message", "inbound", "MMS" if text.media else "SMS"],
            "tag": None,
            **_describe(text),
            "message_state": "received",
        }
        self._post.send(session, "messaging.receive", params, context=context)
        return True

    def clear(self) -> None:
        """Forget what was scripted."""
        self._outcomes.clear()


def _describe(text: TextMessage) -> dict[str, object]:
    return {
        "from_number": text.from_number,
        "to_number": text.to_number,
        "body": text.body,
        "media": list(text.media),
        "segments": max(1, -(-len(text.body) // LETTERS_PER_SEGMENT)),
    }
