"""What an application asks of the server beside its calls and texts. Layer: hall. Source: PROTOCOL 2.1, 4."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from relay_actors.actors.call_ref import CallRef
from relay_actors.config import check_contexts
from relay_actors.errors import ConfigError
from relay_actors.protocol.base import JsonObject
from relay_actors.runtime.future import Future

if TYPE_CHECKING:
    from relay_actors.actors.tree import Tree

__all__ = ["Requesting"]


class Requesting(abc.ABC):
    """Adds to an application what can be asked of the server. All of it from any thread; futures give the answers."""

    @abc.abstractmethod
    def _running(self) -> Tree:
        """Return what runs, or raise `ConfigError`."""

    def execute(self, method: str, params: Mapping[str, object]) -> Future[JsonObject]:
        """Send any request; the future gives its whole result object. Any thread.

        Raises:
            RelayError: in the future, when the server refuses or the answer is lost.

        Source: PROTOCOL 2.1.
        """
        if not isinstance(method, str) or not method or not isinstance(params, Mapping):
            raise ConfigError(f"execute({method!r}, …): give a method's name and a dictionary of params")
        return self._running().execute(method, dict(params))

    def take_back(self, asked: Future[JsonObject]) -> None:
        """Have a request of `execute` not sent, for whose answer nobody waits, if it has not left yet. Any thread."""
        with contextlib.suppress(ConfigError):  # it does not run any more, and sends nothing
            self._running().take_back(asked)

    def receive(self, contexts: Sequence[str]) -> Future[JsonObject]:
        """Take calls and texts of more contexts; the future settles with the server's answer. Any thread."""
        return self._running().change_contexts(check_contexts(contexts), adds=True)

    def unreceive(self, contexts: Sequence[str]) -> Future[JsonObject]:
        """Take no more calls and texts of these contexts; running calls go on. Any thread."""
        return self._running().change_contexts(check_contexts(contexts), adds=False)

    def is_giving_up(self, tag: str) -> bool:
        """Whether a dial of that tag is over here, and the server has still to say so; a second at most. Any thread."""
        former = self._running().office.find(("tag", tag))
        return isinstance(former, CallRef) and former.is_giving_up

    @property
    def relay_protocol(self) -> str:
        """The name of the present session, or ""."""
        return self._running().office.relay_protocol
