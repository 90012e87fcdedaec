"""A RELAY server that knows nothing of calls: it takes commands down, and answers as a test has said. Layer: door.

It stands at the far end of a memory transport; what reaches it has gone through the whole client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from relay_actors.actors.commands_again import CommandAgain
from relay_actors.errors import ArgumentError
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.catalog import COMMANDS
from relay_actors.protocol.commands import SUB_COMMANDS, RelayCommand, SubCommand
from relay_actors.protocol.server import (
    CommandArrived,
    Happening,
    LogInAsked,
    NonsenseArrived,
    PingArrived,
    ServerProtocol,
)
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.simulator.links import Link, LinkDriver
from relay_actors.simulator.replies import Result, accepted
from relay_actors.testing.expecting import matches
from relay_actors.transport.memory import MemoryConnector, MemoryTransport

__all__ = ["NODE", "ScriptedWire", "command_of"]

NODE: Final = "node-1@relay.example.com"
"""The server's node, as it goes with every command on a call."""

_IDS: Final = ("node_id", "call_id")


def command_of(method: str, params: Mapping[str, object]) -> RelayCommand:
    """Return the command that a request says; one of no known kind, or with unusual params, keeps them as they are.

    Args:
        method: of the wire.
        params: as sent; ``node_id`` and ``call_id`` are the call's and no part of the command.
    """
    rest = {key: value for key, value in params.items() if key not in _IDS}
    kind = COMMANDS.get(method)
    if kind is None:
        return CommandAgain(name=method, params=rest)
    arguments: dict[str, Any] = {
        name: rest.pop(key) for name, key in kind.wire_names().items() if rest.get(key) is not None
    }
    if issubclass(kind, SubCommand):
        arguments["action_method"] = next(started for started, own in SUB_COMMANDS.items() if method in own.values())
    try:
        return kind(**arguments, extra=rest)
    except (ArgumentError, TypeError):  # what ``extra`` has put there may be of any shape
        return CommandAgain(name=method, params={key: value for key, value in params.items() if key not in _IDS})


class ScriptedWire:
    """The server of one client. It does nothing by itself; all of it on one thread.

    Args:
        dispatcher: who runs the client.
        new_id: makes ids.
        on_command: told each command that arrives, before it is answered.

    Attributes:
        nonsense: what arrived and could not be acted upon.
    """

    def __init__(
        self, dispatcher: DeterministicDispatcher, new_id: Callable[[], str], on_command: Callable[[RelayCommand], None]
    ) -> None:
        self._dispatcher = dispatcher
        self._new_id = new_id
        self._on_command = on_command
        self._replies: list[tuple[object, Result | None]] = []
        self._link: Link | None = None
        self._protocol = ServerProtocol(new_id=new_id)
        self.nonsense: list[str] = []

    @property
    def connector(self) -> MemoryConnector:
        """Opens connections that end here."""
        return MemoryConnector(self._accept)

    def answers_next(self, command: object, reply: Result | None) -> None:
        """Answer the next command that is what ``command`` says by this; None leaves it unanswered.

        Args:
            command: a class of commands, a function that accepts one, or a command that it must equal.
            reply: where several are said for one command, they are used up in their order.
        """
        self._replies.append((command, reply))

    def tells(self, payload: Mapping[str, object]) -> None:
        """Send an event; as long as nobody is logged in, it is lost.

        Args:
            payload: ``event_type``, ``params`` and whatever else belongs to the envelope.
        """
        outer = {key: value for key, value in payload.items() if key not in ("event_type", "params")}
        params = payload.get("params")
        outer.setdefault("timestamp", self._dispatcher.clock.wall())
        self._protocol.send_event(str(payload["event_type"]), params if isinstance(params, dict) else {}, outer)
        self._flush()

    # -- for its link: see `relay_actors.simulator.links.Host` -------------------------------------------------------

    def attach(self, link: Link) -> None:
        """Take a new connection."""
        self._link = link
        self._protocol = ServerProtocol(new_id=self._new_id)

    def receive(self, link: Link, text: bytes | str) -> None:
        """Take one text."""
        if link is self._link:
            for happening in self._protocol.receive_text(text):
                self._take(happening)
            self._flush()

    def detach(self, link: Link) -> None:
        """Learn that the connection is gone."""
        if link is self._link:
            self._link = None

    def turn(self) -> AbstractContextManager[None]:
        """Nothing to hold: one thread does all of it."""
        return nullcontext()

    # -- what comes --------------------------------------------------------------------------------------------------

    def _accept(self, far: MemoryTransport) -> None:
        LinkDriver(self, far, schedule=lambda pump: self._dispatcher.run_blocking(pump, "pump"))

    def _take(self, happening: Happening) -> None:
        match happening:
            case LogInAsked():
                self._protocol.accept_log_in(_welcome())
            case PingArrived(id=id, params=params):
                self._protocol.respond(id, params)
            case CommandArrived(id=id, method=method, params=params):
                command = command_of(method, params)
                self._on_command(command)
                reply = self._reply_to(command)
                if reply is not None:
                    self._protocol.respond(id, {**self._facts(method, params), **reply.body})
            case NonsenseArrived(why=why):
                self.nonsense.append(why)
            case _:
                return

    def _reply_to(self, command: RelayCommand) -> Result | None:
        for index, (matcher, reply) in enumerate(self._replies):
            if matches(matcher, command):
                del self._replies[index]
                return reply
        return accepted("Accepted")

    def _facts(self, method: str, params: Mapping[str, object]) -> JsonObject:
        """Return what an answer says beside its code."""
        facts: JsonObject = {key: params[key] for key in ("call_id", "control_id") if key in params}
        if method == "messaging.send":
            facts["message_id"] = self._new_id()
        return facts

    def _flush(self) -> None:
        texts = self._protocol.texts_to_send()
        if texts and self._link is not None:
            self._link.send_texts(texts)


def _welcome() -> JsonObject:
    return {
        "identity": "test@relay.example.com",
        "protocol": "signalwire_test",
        "session_restored": False,
        "sessionid": "test-session",
        "nodeid": NODE,
        "authorization": {"project": "test-project", "expires_at": None, "scopes": ["calling", "messaging"]},
        "ice_servers": [],
    }
