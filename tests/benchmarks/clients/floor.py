"""The floor: the same call by a client with no actors at all, as little work as Python allows.

It reads and writes in bulk, over TLS, parses each frame with orjson, acknowledges each event, matches each answer to
its request, looks at its code, and takes each call from state to state; there is nothing that a client could leave out
of that and still be told when a command is refused. It leaves out all else: no checks of what comes in or goes out, no
time-outs, pings, reconnecting or resuming, no queue for a slow socket, no ids that cannot be guessed, no duplicates
told apart, no logs, no limits, no classes of events, no coroutines, and no way to write another call than this one.

``python -m tests.benchmarks.clients.floor ivr``.
"""

from __future__ import annotations

import base64
import os
import socket
import ssl
from itertools import count
from typing import Any

import orjson

_PROMPT = {"digits": {"max": 1, "digit_timeout": 5.0}}
_LOG_IN = {
    "version": {"major": 2, "minor": 0, "revision": 0},
    "event_acks": True,
    "authentication": {"project": "p", "token": "t"},
    "contexts": ["bench"],
}


def _connect() -> ssl.SSLSocket:
    host, _, port = os.environ["SIGNALWIRE_SPACE"].partition(":")
    context = ssl.create_default_context(cafile=os.environ["SIGNALWIRE_RELAY_CA_FILE"])
    client = context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    client.sendall(
        f"GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += client.recv(1)
    return client


def _masked(texts: list[bytes]) -> bytes:
    keys = os.urandom(4 * len(texts))
    frames = []
    for number, text in enumerate(texts):
        length, key = len(text), keys[4 * number : 4 * number + 4]
        stream = int.from_bytes((key * (length // 4 + 1))[:length], "little")
        head = b"\x81%c" % (0x80 | length) if length < 126 else b"\x81\xfe" + length.to_bytes(2, "big")
        frames.append(head + key + (int.from_bytes(text, "little") ^ stream).to_bytes(length, "little"))
    return b"".join(frames)


class _Calls:
    def __init__(self) -> None:
        self.out: list[bytes] = []
        self._numbers = count(1)
        self._asked: dict[str, str] = {}
        self._calls: dict[str, tuple[str, str]] = {}  # what each waits for: which event, of which operation

    def ask(self, method: str, params: dict[str, Any]) -> None:
        request_id = str(next(self._numbers))
        self._asked[request_id] = method
        self.out.append(orjson.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}))

    def take(self, text: bytes) -> None:
        said = orjson.loads(text)
        if "method" not in said:
            method = self._asked.pop(said["id"])
            if method != "signalwire.connect" and said["result"]["code"][0] != "2":
                raise SystemExit(f"{method} was refused")
            return
        self.out.append(b'{"jsonrpc":"2.0","id":"' + said["id"].encode() + b'","result":{}}')
        payload = said["params"]
        params = payload["params"]
        call_id, kind = params["call_id"], payload["event_type"]
        ids = {"node_id": params["node_id"], "call_id": call_id}
        if kind == "calling.call.receive":
            self._calls[call_id] = ("", "")
            self.ask("calling.answer", ids)
        elif kind == "calling.call.state":
            if params["call_state"] == "answered":
                play = [{"type": "tts", "params": {"text": "Welcome."}}]
                self._begin("calling.play", "calling.call.play", ids, {"play": play})
            else:
                del self._calls[call_id]
        elif self._calls[call_id] == (kind, params["control_id"]):
            if kind == "calling.call.collect":
                self.ask("calling.end", {**ids, "reason": "hangup"})
            elif params["state"] == "finished":
                play = [{"type": "tts", "params": {"text": "Press 1."}}]
                awaited = "calling.call.collect"
                self._begin("calling.play_and_collect", awaited, ids, {"play": play, "collect": _PROMPT})

    def _begin(self, method: str, awaited: str, ids: dict[str, str], params: dict[str, Any]) -> None:
        control_id = str(next(self._numbers))
        self._calls[ids["call_id"]] = (awaited, control_id)
        self.ask(method, {**ids, "control_id": control_id, **params})


def main() -> None:
    """Serve calls until it is killed."""
    client, calls, held = _connect(), _Calls(), b""
    calls.ask("signalwire.connect", _LOG_IN)
    while True:
        if calls.out:
            client.sendall(_masked(calls.out))
            calls.out.clear()
        chunk = client.recv(65536)
        if not chunk:
            return
        held += chunk
        at, size = 0, len(held)
        while size - at >= 2:
            length, start = held[at + 1], at + 2
            if length == 126:
                length, start = held[at + 2] << 8 | held[at + 3], at + 4
            if start + length > size:
                break
            calls.take(held[start : start + length])
            at = start + length
        held = held[at:]


if __name__ == "__main__":
    main()
