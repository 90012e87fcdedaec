"""Tests of `media_stream`, by a caller, an agent, and a WebSocket server that listens."""

import base64
import json
import threading
from collections.abc import Iterator
from typing import Any

import media_stream
import pytest
from media_stream import AGENT, app
from websockets.sync.server import ServerConnection, serve

from relay_actors.testing import AppRunner, PhoneMaker

pytestmark = pytest.mark.relay(real=True)  # the sound goes over a socket, to a listener that is not simulated

CALLER = "+15550001111"
SILENCE = 0xFF
"""In mu-law."""


class Listener:
    """What captions would be made of."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.token = ""
        self.has_begun, self.hears_something, self.is_over = threading.Event(), threading.Event(), threading.Event()

    def take(self, connection: ServerConnection) -> None:
        """Keep everything that one stream sends."""
        assert connection.request is not None
        self.token = connection.request.headers["Authorization"]
        for text in connection:
            self.heard.append(json.loads(text))
            self.has_begun.set()
            if any(set(frame) != {SILENCE} for frame in self.frames()):
                self.hears_something.set()
        self.is_over.set()

    def events(self, kind: str) -> list[dict[str, Any]]:
        """All messages of one kind."""
        return [message[kind] for message in self.heard if message["event"] == kind]

    def frames(self) -> list[bytes]:
        """The sound, 20 ms each."""
        return [base64.b64decode(media["payload"]) for media in self.events("media")]


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    """A real server on loopback."""
    found = Listener()
    with serve(found.take, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setattr(media_stream, "LISTENER", f"ws://127.0.0.1:{server.socket.getsockname()[1]}")
        yield found
        server.shutdown()
        thread.join()


def test_the_listener_hears_the_caller(relay_app: AppRunner, phone: PhoneMaker, listener: Listener) -> None:
    """The words themselves, as telephones send them; a key is told, too."""
    relay_app(app)
    caller = phone(CALLER).dials(context="captions")
    agent = phone(AGENT).rings().answers()
    caller.talks_to(agent)
    assert listener.has_begun.wait(timeout=5)
    caller.says("Hello, is this the shop?").presses("5")
    agent.hears("is this the shop").hears("digits 5")
    assert listener.hears_something.wait(timeout=5)
    agent.hangs_up()
    caller.hears("goodbye").is_hung_up()

    assert listener.is_over.wait(timeout=5)
    [start] = listener.events("start")
    assert (listener.token, start["customParameters"]) == ("Bearer a-secret", {"caller": CALLER})
    assert {len(frame) for frame in listener.frames()} == {160}
    assert [key["digit"] for key in listener.events("dtmf")] == ["5"]


def test_a_listener_that_is_down_holds_up_nobody(
    relay_app: AppRunner, phone: PhoneMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The conversation goes on without captions."""
    monkeypatch.setattr(media_stream, "LISTENER", "ws://127.0.0.1:1")
    relay_app(app)
    caller = phone(CALLER).dials(context="captions")
    agent = phone(AGENT).rings().answers()
    caller.talks_to(agent)
    agent.hangs_up()
    caller.hears("goodbye").is_hung_up()
