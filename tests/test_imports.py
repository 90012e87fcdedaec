"""What an import brings along. A program that only imports us, such as a test or a worker, must not pay for a run."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

WHAT_AN_APPLICATION_IMPORTS = """
from relay_actors import ActionCompleted, Actor, CallActor, MessageActor, RelayApp, RelayError
from relay_actors.commands import Hangup
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent
from relay_actors.params import phone, tts
"""

AN_APPLICATION = (
    WHAT_AN_APPLICATION_IMPORTS
    + """
app = RelayApp("project", "token", host="example.signalwire.com", contexts=["office"], journal="calls.db")


@app.calls("support")
class Support(CallActor):
    async def run(self):
        await self.answer()

    def on_receive(self, message):
        match message:
            case CallStateEvent(call_state="ended"):
                self.stop()


@app.messages()
class Inbox(MessageActor):
    def on_receive(self, message):
        pass
"""
)

A_RUN = """
from relay_actors import CallActor, RelayApp
from relay_actors.errors import ConnectFailedError


class Nowhere:
    def connect(self):
        raise ConnectFailedError("tcp", "nowhere:443", "nobody is there")

    def cancel(self):
        pass


app = RelayApp("project", "token", host="example.signalwire.com")
app.start(wait_s=None, connector=Nowhere())
assert app.is_running
app.stop()
"""

THE_ASYNCIO_CLIENT = "from relay_actors.client import RelayClient\nclient = RelayClient('project', 'token')\n"


def loaded_by(program: str) -> set[str]:
    """Return the names of all modules that a program loads in a process of its own."""
    tell = "\nimport sys\nprint(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program) + tell], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


LIBRARIES = {"cryptography", "msgpack", "opentelemetry", "orjson", "pytest", "rich", "websocket", "websockets"}
"""All that is not ours and not the standard library's, but for pykka."""

FOR_A_RUN = {"asyncio", "email", "http", "selectors", "socket", "sqlite3", "ssl", "subprocess", "tempfile"}

OF_A_RUN = {
    "relay_actors.actors.connection",
    "relay_actors.actors.replaying",
    "relay_actors.actors.tree",
    "relay_actors.journal.codec",
    "relay_actors.journal.sqlite",
    "relay_actors.protocol.client",
    "relay_actors.runtime.cell",
    "relay_actors.runtime.dispatcher_baton",
    "relay_actors.runtime.flow",
    "relay_actors.runtime.system",
    "relay_actors.transport.stages",
    "relay_actors.transport.websocket_client",
}

DOORS = {"relay_actors.cli", "relay_actors.client", "relay_actors.simulator", "relay_actors.testing"}


def test_the_package_alone_brings_nothing() -> None:
    """A name costs what is behind it, when it is asked for."""
    loaded = loaded_by("import relay_actors")

    assert loaded & (LIBRARIES | FOR_A_RUN | {"dataclasses", "inspect", "pykka"}) == set()
    assert {name for name in loaded if name.startswith("relay_actors.")} == {
        "relay_actors._version",
        "relay_actors.runtime",
        "relay_actors.runtime.base",
        "relay_actors.runtime.context",
    }


@pytest.mark.parametrize("program", [WHAT_AN_APPLICATION_IMPORTS, AN_APPLICATION], ids=["imports", "is made"])
def test_an_application_brings_no_more_than_its_classes_need(program: str) -> None:
    """Sockets, TLS, SQLite, asyncio and all that runs come with its start."""
    loaded = loaded_by(program)

    assert "pykka" in loaded
    assert loaded & (LIBRARIES | FOR_A_RUN) == set()
    assert loaded & (OF_A_RUN | DOORS) == set()


def test_the_asyncio_client_brings_asyncio_and_no_library() -> None:
    """It is for asyncio, and so are those who import it; all else comes with its connection."""
    loaded = loaded_by(THE_ASYNCIO_CLIENT)

    assert "asyncio" in loaded
    assert loaded & (LIBRARIES | {"email", "http", "sqlite3", "tempfile"}) == set()
    assert loaded & (OF_A_RUN - {"relay_actors.transport.stages"} | DOORS - {"relay_actors.client"}) == set()


def test_a_run_without_a_socket_or_a_journal_brings_neither() -> None:
    """As in tests, in the lab and on a memory transport; metrics and spans have to be asked for."""
    loaded = loaded_by(A_RUN)

    assert loaded >= {"relay_actors.actors.tree", "relay_actors.runtime.cell", "orjson"}
    assert loaded & {"cryptography", "opentelemetry", "pytest", "rich", "sqlite3", "websocket", "websockets"} == set()
    assert loaded & (DOORS | {"relay_actors.journal.sqlite", "relay_actors.transport.websocket_client"}) == set()


def test_an_actor_can_be_started_without_an_application() -> None:
    """As with pykka: the system in which it runs comes by itself, although no import has brought it."""
    program = """
    from relay_actors import Actor

    class Echo(Actor):
        def on_receive(self, message):
            return message

    ref = Echo.start()
    assert ref.ask(5) == 5
    ref.stop()
    """

    assert "relay_actors.runtime.system" in loaded_by(program)


def test_the_names_that_must_not_be_loaded_are_those_of_modules() -> None:
    """A name that has changed would never be found loaded again."""
    loaded = loaded_by("\n".join(f"import {name}" for name in sorted(OF_A_RUN | DOORS | FOR_A_RUN)))

    assert loaded >= OF_A_RUN | DOORS | FOR_A_RUN | {"msgpack", "orjson", "websocket"}
