"""`TextKit`: one inbound text's actor in a unit test. Layer: door."""

from __future__ import annotations

from collections.abc import Sequence

from relay_actors.actors.message import MessageActor, MessageRef
from relay_actors.actors.message_handle import TextMessage
from relay_actors.config import Limits, Timing
from relay_actors.errors import ConfigError
from relay_actors.testing.actor_kit import CALLER, OURS, ActorKit

__all__ = ["TextKit"]


class TextKit(ActorKit[MessageActor]):
    """One inbound text's actor, alone: the test lets a text arrive, and looks at what is sent.

    ::

        with TextKit(Echo) as kit:
            kit.arrives("Hello")
            assert kit.expect(SendMessage).body == "You said: Hello"

    Args:
        actor_class: the class.
        seed: from which all chance follows.
        timing: of the application.
        limits: of the application.

    Raises:
        ConfigError: it is no class of texts.
    """

    def __init__(
        self,
        actor_class: type[MessageActor],
        *,
        seed: int = 0,
        timing: Timing | None = None,
        limits: Limits | None = None,
    ) -> None:
        if not (isinstance(actor_class, type) and issubclass(actor_class, MessageActor)):
            raise ConfigError(f"TextKit({actor_class!r}): give a subclass of MessageActor; for calls there is CallKit")
        super().__init__(actor_class, seed=seed, timing=timing, limits=limits)

    def arrives(
        self,
        body: str = "",
        *,
        context: str = "office",
        from_number: str = CALLER,
        to_number: str = OURS,
        media: Sequence[str] = (),
    ) -> None:
        """Let a text arrive, and everything happen that follows at once.

        Args:
            body: the text.
            context: by which it comes in.
            from_number: who has sent it.
            to_number: who was meant.
            media: URLs.

        Raises:
            ConfigError: there was one already.
        """
        self.app.messages(context)(self._actor_class)
        self._start()
        params = {
            "message_id": self.system.new_id(),
            "context": context,
            "direction": "inbound",
            "from_number": from_number,
            "to_number": to_number,
            "body": body,
            "media": list(media),
            "segments": 1,
            "message_state": "received",
            "tags": [],
        }
        self.wire.tells({"event_type": "messaging.receive", "params": params, "context": context})
        self.settle()

    @property
    def message(self) -> TextMessage:
        """What is known of the text.

        Raises:
            ConfigError: there was none yet.
        """
        ref = self.ref
        assert isinstance(ref, MessageRef)
        return ref.kept.message
