"""A RELAY server for tests that shares nothing with ours: hand-written JSON over the `websockets` library.

It knows no state of its own. A test says, frame by frame, what it expects and what it answers, from PROTOCOL.md and
``frames.jsonl``; so our client is not merely proven to agree with our own simulator, which uses the same codec.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import json
import os
import queue
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

__all__ = ["CALL", "DEADLINE_S", "FRAMES", "NODE", "PROTOCOL", "PlainPeer", "PlainServer"]

DEADLINE_S = 20.0
"""After this a wait in a test has failed."""
QUIET_S = 0.05
"""How long to look for something that must not come. What is wrong here comes at once."""

CALL = "9a3e5c70-1d2b-4f86-a7c4-58b0e6d1f293"
NODE = "e2f41b07-5c7d-4a8e-b0d9-3f6a1c2d4e58@us-east"
PROTOCOL = "signalwire_d41f7a0c9be35268_4c9e1f70-8a2b-4d63-b5e7-90d1f2a3c4b5_1f0e2d3c"

FRAMES: dict[str, dict[str, Any]] = {
    row["name"]: row
    for row in map(json.loads, Path(__file__).parents[1].joinpath("data/frames.jsonl").read_text("utf-8").splitlines())
}
"""The example frames by name, each with ``direction`` and ``frame``."""

Frame = dict[str, Any]

_numbers = itertools.count(1)
"""Of frames: over all connections, for a resumed session may repeat an id only with the same event."""


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


class PlainServer:
    """Listens on loopback; the test takes each connection by hand.

    Args:
        port: to listen on again after `close`; any by default.
        tls: a server's context, for ``wss``.
    """

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._accepted: queue.SimpleQueue[PlainPeer] = queue.SimpleQueue()
        self._peers: list[PlainPeer] = []
        self._over = threading.Event()
        self._server: Server = serve(
            self._handle, "127.0.0.1", port, ssl=tls, ping_interval=None, compression=None, max_size=None
        )
        self._thread = threading.Thread(target=self._server.serve_forever, name="plain-server")
        before = _descriptors()
        self._thread.start()
        # It polls by one more descriptor, which its own thread opens: whoever counts them must not see it come later.
        until, pause = time.monotonic() + DEADLINE_S, threading.Event()
        while _descriptors() <= before and time.monotonic() < until:
            pause.wait(0.001)
        self.port: int = self._server.socket.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    @property
    def host(self) -> str:
        """What a client is told: ``127.0.0.1:port``."""
        return f"127.0.0.1:{self.port}"

    @property
    def accepted(self) -> int:
        """How many connections there have been."""
        return len(self._peers)

    def accept(self, within_s: float = DEADLINE_S) -> PlainPeer:
        """Wait for the next connection."""
        try:
            return self._accepted.get(timeout=within_s)
        except queue.Empty:
            raise AssertionError(f"nobody has connected within {within_s} s") from None

    def accept_login(self, result: Frame | None = None) -> PlainPeer:
        """Wait for the next connection, and let it log in."""
        peer = self.accept()
        peer.let_in(result)
        return peer

    def close(self) -> None:
        """Break all connections and listen no more. Idempotent."""
        self._over.set()
        for peer in self._peers:
            peer.vanish()
        self._server.shutdown()
        self._thread.join(DEADLINE_S)

    def _handle(self, connection: ServerConnection) -> None:
        peer = PlainPeer(connection)
        self._peers.append(peer)
        self._accepted.put(peer)
        # Until somebody says so, or the client has gone. (The library's thread that reads is all there is to tell by.)
        while not peer.gone.wait(0.01) and connection.recv_events_thread.is_alive():
            continue


class PlainPeer:
    """The server's end of one connection. Every wait has a deadline and tells what came instead."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._unread: collections.deque[Frame] = collections.deque()
        self.frames: list[Frame] = []
        """Everything that the client has said so far, as far as somebody has waited for it."""
        self.gone = threading.Event()

    # -- what the client says ----------------------------------------------------------------------------------------

    def expect(self, method: str, within_s: float = DEADLINE_S, **params: object) -> Frame:
        """Wait for a request of this method, and with these params if some are given; others stay unread."""

        def fits(frame: Frame) -> bool:
            given = frame.get("params", {})
            return frame.get("method") == method and all(given.get(key) == value for key, value in params.items())

        return self._wait(fits, f"{method} {params or ''}", within_s)

    def expect_ack(self, frame_id: object, within_s: float = DEADLINE_S) -> Frame:
        """Wait for the acknowledgement of an event, or the answer to a request, of ours."""
        return self._wait(
            lambda frame: "method" not in frame and frame.get("id") == frame_id, f"ack {frame_id!r}", within_s
        )

    def acks_of(self, frame_id: object) -> list[Frame]:
        """Return the acknowledgements so far. To be sure that all have come, call `settle` before."""
        return [frame for frame in self.frames if "method" not in frame and frame.get("id") == frame_id]

    def expect_nothing(self, but: str = "") -> None:
        """See that no more requests come, other than of method ``but``."""
        with contextlib.suppress(TimeoutError):
            while True:
                frame = self._read(QUIET_S)
                assert frame.get("method") in (None, but), f"this should not have come: {frame}"

    def settle(self) -> None:
        """Wait until the client has acknowledged everything that was sent to it."""
        for _ in range(2):  # a ping may be answered a little ahead of the events before it
            self.expect_ack(self.send_request("signalwire.ping", {}))

    def expect_end(self, within_s: float = DEADLINE_S) -> str:
        """Wait until the client has closed; return ``goodbye`` (1000) or ``broken``."""
        try:
            while True:
                self._read(within_s)
        except TimeoutError:
            raise AssertionError(f"the client has not closed within {within_s} s") from None
        except ConnectionClosed as closed:
            self.gone.set()
            return "goodbye" if closed.rcvd is not None and closed.rcvd.code == 1000 else "broken"

    # -- what is said to the client ----------------------------------------------------------------------------------

    def let_in(self, result: Frame | None = None) -> Frame:
        """Answer the log in; return its frame."""
        login = self.expect("signalwire.connect")
        self.answer(login, result if result is not None else {"protocol": PROTOCOL, "identity": f"identity@{NODE}"})
        return login

    def answer(self, request: Frame, result: object) -> None:
        self.send({"jsonrpc": "2.0", "id": request["id"], "result": result})

    def ok(self, request: Frame, **more: object) -> None:
        """Accept a request."""
        self.answer(request, {"code": "200", "message": "OK", **more})

    def error(self, request: Frame, code: object, message: object) -> None:
        """Answer with a JSON-RPC error."""
        self.send({"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": message}})

    def event(self, event_type: str, params: Frame, *, id: object = ..., **outer: object) -> Any:
        """Send an event; return its frame id. ``id=None`` sends none."""
        frame_id = f"event-{next(_numbers)}" if id is ... else id
        frame: Frame = {
            "jsonrpc": "2.0",
            "id": frame_id,
            "method": "signalwire.event",
            "params": {
                "event_type": event_type,
                "event_channel": PROTOCOL,
                "timestamp": 1767225604.25,
                "project_id": "project",
                "space_id": "c4a1f8b2-77d0-4f39-8d2e-19b3c5a6e7f8",
                **outer,
                "params": params,
            },
        }
        if frame_id is None:
            del frame["id"]
        self.send(frame)
        return frame_id

    def call(self, call_id: str = CALL, context: str = "support", **more: object) -> Any:
        """Offer a call; return the frame id."""
        return self.event(
            "calling.call.receive",
            {
                "call_id": call_id,
                "node_id": NODE,
                "call_state": "created",
                "direction": "inbound",
                "device": {"type": "phone", "params": {"from_number": "+14045550101", "to_number": "+14045550199"}},
                "context": context,
                **more,
            },
            context=context,
        )

    def state(self, call_state: str, call_id: str = CALL, **more: object) -> Any:
        """Tell the state of a call; return the frame id."""
        return self.event(
            "calling.call.state",
            {"call_id": call_id, "node_id": NODE, "call_state": call_state, "direction": "inbound", **more},
        )

    def send_request(self, method: str, params: object) -> str:
        """Ask something of the client; return the frame id."""
        frame_id = f"request-{next(_numbers)}"
        self.send({"jsonrpc": "2.0", "id": frame_id, "method": method, "params": params})
        return frame_id

    def send(self, frame: object) -> None:
        self.send_text(json.dumps(frame))

    def send_text(self, text: str | bytes | list[str]) -> None:
        """Send a message as it is: bytes as a binary one, a list in fragments."""
        self._connection.send(text)

    @contextlib.contextmanager
    def in_one_go(self) -> Iterator[None]:
        """Let what is sent inside reach the client all at once: the kernel holds it back until the end."""
        held_back = getattr(socket, "TCP_CORK", None) or socket.TCP_NOPUSH  # Linux, or the BSDs and macOS
        self._connection.socket.setsockopt(socket.IPPROTO_TCP, held_back, 1)
        try:
            yield
        finally:
            self._connection.socket.setsockopt(socket.IPPROTO_TCP, held_back, 0)

    def close(self) -> None:
        """Say goodbye, and hang up."""
        self.gone.set()
        with contextlib.suppress(ConnectionClosed, OSError):
            self._connection.close()

    def vanish(self) -> None:
        """Break the connection, with no goodbye. Idempotent."""
        with contextlib.suppress(OSError):
            self._connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._connection.socket.shutdown(socket.SHUT_RDWR)
        self.gone.set()  # only now: the library says goodbye as soon as its handler returns

    # -- inside ------------------------------------------------------------------------------------------------------

    def _wait(self, fits: Callable[[Frame], bool], what: str, within_s: float) -> Frame:
        for frame in self._unread:
            if fits(frame):
                self._unread.remove(frame)
                return frame
        deadline = time.monotonic() + within_s
        try:
            while True:
                frame = self._read(max(0.0, deadline - time.monotonic()))
                if fits(frame):
                    self._unread.remove(frame)
                    return frame
        except TimeoutError:
            raise AssertionError(f"{what} has not come within {within_s} s, but: {list(self._unread)}") from None
        except ConnectionClosed as closed:
            raise AssertionError(f"the client hung up ({closed}) before {what}: {list(self._unread)}") from None

    def _read(self, timeout_s: float) -> Frame:
        text = self._connection.recv(timeout=timeout_s)
        assert isinstance(text, str), f"the client sent a binary message: {text!r}"
        frame = json.loads(text)
        assert isinstance(frame, dict), f"the client sent no object: {text}"
        assert frame.get("jsonrpc") == "2.0", f"the client sent no JSON-RPC 2.0: {text}"
        self.frames.append(frame)
        self._unread.append(frame)
        return frame
