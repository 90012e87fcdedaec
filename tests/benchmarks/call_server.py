"""A RELAY server that does nothing but one short call, over and over, as fast as it can. For benchmarks only.

Run as a process of its own: ``python -m tests.benchmarks.call_server PORT CERT KEY CALLS AT_ONCE``. It waits for one
client, offers it CALLS inbound calls, AT_ONCE of them at a time, and prints how long they took. A call is: answer,
play and its end, play_and_collect and its digit, end. No library parses or writes its frames, so that it is never the
slower side; what it understands is just enough.
"""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import ssl
import sys
import time

_ID = re.compile(rb'"id":\s*"([^"]+)"')
_METHOD = re.compile(rb'"method":\s*"([^"]+)"')
_CALL = re.compile(rb'"call_id":\s*"([^"]+)"')
_CONTROL = re.compile(rb'"control_id":\s*"([^"]+)"')


def main(port: int, cert: str, key: str, calls: int, at_once: int) -> None:
    """Serve one client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with socket.create_server(("127.0.0.1", port)) as listener:
        print(f"port {listener.getsockname()[1]}", flush=True)
        raw, _address = listener.accept()
    with context.wrap_socket(raw, server_side=True) as client:
        _Server(client, calls, at_once).serve()


class _Server:
    def __init__(self, client: ssl.SSLSocket, calls: int, at_once: int) -> None:
        self._client = client
        self._to_offer = calls
        self._at_once = at_once
        self._left = calls
        self._number = 0
        self._out: list[bytes] = []
        self._began = 0.0

    def serve(self) -> None:
        self._upgrade()
        buffer = b""
        while self._left:
            chunk = self._client.recv(262144)
            if not chunk:
                print("client gone", flush=True)
                return
            buffer = self._take_frames(buffer + chunk)
            if self._out:
                self._client.sendall(b"".join(self._out))
                self._out.clear()
        print(f"seconds {time.perf_counter() - self._began:.6f}", flush=True)

    def _upgrade(self) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += self._client.recv(4096)
        key = re.search(rb"(?i)sec-websocket-key: (\S+)", request)
        assert key is not None
        accept = base64.b64encode(hashlib.sha1(key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        self._client.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )

    def _take_frames(self, data: bytes) -> bytes:
        position = 0
        while True:
            rest = len(data) - position
            if rest < 6:
                break
            length, head = data[position + 1] & 0x7F, 6
            if length == 126:
                if rest < 8:
                    break
                length, head = int.from_bytes(data[position + 2 : position + 4], "big"), 8
            elif length == 127:
                raise ValueError("too long for this server")
            if rest < head + length:
                break
            mask = data[position + head - 4 : position + head]
            body = data[position + head : position + head + length]
            key = (mask * (length // 4 + 1))[:length]
            text = (int.from_bytes(body, "little") ^ int.from_bytes(key, "little")).to_bytes(length, "little")
            position += head + length
            self._on_text(text)
        return data[position:]

    def _on_text(self, text: bytes) -> None:
        method = _METHOD.search(text)
        if method is None:
            return  # an acknowledgement
        request = _ID.search(text)
        assert request is not None
        name = method[1]
        if name == b"signalwire.connect":
            self._answer(request[1], b'"protocol":"signalwire_bench","identity":"bench@x"')
            self._began = time.perf_counter()
            for _ in range(min(self._at_once, self._to_offer)):
                self._offer()
            return
        self._answer(request[1], b'"code":"200","message":"OK"')
        call = _CALL.search(text)
        if call is None:
            return
        call_id = call[1]
        control = _CONTROL.search(text)
        control_id = control[1] if control else b""
        if name == b"calling.answer":
            self._event(b"calling.call.state", call_id, b'"call_state":"answered"')
        elif name == b"calling.play":
            self._event(b"calling.call.play", call_id, b'"control_id":"' + control_id + b'","state":"playing"')
            self._event(b"calling.call.play", call_id, b'"control_id":"' + control_id + b'","state":"finished"')
        elif name == b"calling.play_and_collect":
            digit = b'"result":{"type":"digit","params":{"digits":"1","terminator":""}}'
            self._event(b"calling.call.play", call_id, b'"control_id":"' + control_id + b'","state":"playing"')
            self._event(b"calling.call.play", call_id, b'"control_id":"' + control_id + b'","state":"finished"')
            self._event(b"calling.call.collect", call_id, b'"control_id":"' + control_id + b'",' + digit)
        elif name == b"calling.end":
            self._event(b"calling.call.state", call_id, b'"call_state":"ended","end_reason":"hangup"')
            self._left -= 1
            if self._to_offer:
                self._offer()

    def _offer(self) -> None:
        self._to_offer -= 1
        self._number += 1
        device = b'"device":{"type":"phone","params":{"from_number":"+15550000001","to_number":"+15550000002"}}'
        inner = b'"call_state":"created","direction":"inbound","context":"bench",' + device
        self._event(b"calling.call.receive", b"call-%08d" % self._number, inner)

    def _answer(self, request_id: bytes, result: bytes) -> None:
        self._frame(b'{"jsonrpc":"2.0","id":"' + request_id + b'","result":{' + result + b"}}")

    def _event(self, event_type: bytes, call_id: bytes, params: bytes) -> None:
        self._number += 1
        self._frame(
            b'{"jsonrpc":"2.0","id":"e-%08d","method":"signalwire.event","params":{"event_type":"%s",'
            b'"event_channel":"signalwire_bench","timestamp":1767225604.25,"project_id":"p","space_id":"s",'
            b'"params":{"node_id":"node@x","call_id":"%s",%s}}}' % (self._number, event_type, call_id, params)
        )

    def _frame(self, text: bytes) -> None:
        length = len(text)
        header = bytes((0x81, length)) if length < 126 else b"\x81\x7e" + length.to_bytes(2, "big")
        self._out.append(header + text)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
