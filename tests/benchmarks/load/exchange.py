"""What every scenario has in common: RELAY, as far as these calls need it, and the stamps of when what was sent."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import orjson

from tests.benchmarks.load.wire import Gate, GoneError, Wire

__all__ = ["Exchange"]


class Exchange:
    """One session of one client. A scenario says what happens: `on_log_in`, `on_time` and the ``on_…`` of a command.

    `due` keeps, for each call that was told something upon which it is to act, when that was written; the next
    command of the call takes it out, into `latencies`, in seconds.
    """

    LOG_IN_WITHIN_S = 30.0

    def __init__(self, gate: Gate) -> None:
        self.is_over = False
        self.latencies: list[float] = []
        self.busy_s = 0.0
        self.now = 0.0
        self.wire: Wire | None = None
        self._gate = gate
        self._due: dict[str, float] = {}
        self._to_stamp: list[str] = []
        self._frames: list[bytes] = []
        self._number = 0

    def serve(self, deadline_s: float) -> None:
        """Serve until the scenario is over.

        Raises:
            GoneError: the client is, and the scenario does not expect that.
            TimeoutError: the scenario has not come to its end in time.
        """
        deadline = time.perf_counter() + deadline_s
        while not self.is_over:
            self.wire = self._gate.accept(self.LOG_IN_WITHIN_S)
            try:
                while not self.is_over and self.wire is not None:
                    self._turn(self.wire)
                    if self.now > deadline:
                        raise TimeoutError(f"not over after {deadline_s:g} s: {self.progress()}")
            except GoneError:
                self.on_gone()

    def _turn(self, wire: Wire) -> None:
        wire.wait(self.next_time())
        texts = wire.receive()
        self.now = began = time.perf_counter()
        for text in texts:
            self._on_request(orjson.loads(text))
        self.on_time()
        if self._frames or wire.is_full:
            self._stamp()
            wire.send(self._frames)
            self._frames.clear()
            self.busy_s += time.perf_counter() - began

    def _stamp(self) -> None:
        now = time.perf_counter()
        for call_id in self._to_stamp:
            self._due[call_id] = now
        self._to_stamp.clear()

    def _on_request(self, request: dict[str, Any]) -> None:
        method, params = request["method"], request["params"]
        if method == "signalwire.connect":
            self._answer(request["id"], b'"protocol":"signalwire_bench","identity":"bench@x"')
            self.on_log_in()
            return
        call_id = params.get("call_id", "")
        told = self._due.pop(call_id, None)
        if told is not None:
            self.latencies.append(self.now - told)
        if self.takes(method, call_id, params):
            self._answer(request["id"], b'"code":"200","message":"OK"')
            handle = getattr(self, "on_" + method.rpartition(".")[2], None)
            if handle is not None:
                handle(call_id, params)

    # -- what a scenario says ----------------------------------------------------------------------------------------

    def on_log_in(self) -> None:
        """The client has logged in, and its answer is on its way."""

    def on_gone(self) -> None:
        """The connection has broken; unless this is expected, it is the end."""
        raise GoneError("the client closed the connection")

    def on_time(self) -> None:
        """After what has come in was handled: once a turn."""

    def next_time(self) -> float | None:
        """When `on_time` is wanted at the latest, if nothing comes in."""
        return None

    def takes(self, method: str, call_id: str, params: dict[str, Any]) -> bool:
        """Whether a command is answered and carried out; else it stays in flight."""
        return True

    def progress(self) -> str:
        """How far it has come, for a failure."""
        return "no more is known"

    # -- what a scenario does ----------------------------------------------------------------------------------------

    def mark(self, name: str, *, waits: bool = True, **facts: Any) -> None:
        """Tell the harness how far it is; wait until it has looked at the client, unless not ``waits``."""
        print(json.dumps({"mark": name, "at": time.perf_counter(), **facts}), flush=True)
        if waits and not sys.stdin.readline():
            raise SystemExit("the harness has gone")
        self.now = time.perf_counter()

    def break_off(self) -> None:
        """Break the connection without a word; what was not sent yet never is."""
        assert self.wire is not None
        self.wire.drop()
        self.wire = None
        self._frames.clear()

    def offer(self, call_id: str) -> None:
        """Offer an inbound call."""
        device = b'"device":{"type":"phone","params":{"from_number":"+15550000001","to_number":"+15550000002"}}'
        inner = b'"call_state":"created","direction":"inbound","context":"bench",' + device
        self.event(b"calling.call.receive", call_id, inner, is_acted_on=True)

    def operation(
        self, kind: bytes, call_id: str, params: dict[str, Any], state: bytes, *, acted: bool = False
    ) -> None:
        """Report the state of an operation that a command has begun."""
        inner = b'"control_id":"%s","state":"%s"' % (params["control_id"].encode(), state)
        self.event(kind, call_id, inner, is_acted_on=acted)

    def event(self, kind: bytes, call_id: str, inner: bytes, *, is_acted_on: bool = False) -> None:
        """Tell a call something; ``is_acted_on``: its next command is what it does upon that."""
        if is_acted_on:
            self._to_stamp.append(call_id)
        self._number += 1
        self._frame(
            b'{"jsonrpc":"2.0","id":"e-%08d","method":"signalwire.event","params":{"event_type":"%s",'
            b'"event_channel":"signalwire_bench","timestamp":1767225604.25,"project_id":"p","space_id":"s",'
            b'"params":{"node_id":"node@x","call_id":"%s",%s}}}' % (self._number, kind, call_id.encode(), inner)
        )

    def _answer(self, request_id: str, result: bytes) -> None:
        self._frame(b'{"jsonrpc":"2.0","id":"' + request_id.encode() + b'","result":{' + result + b"}}")

    def _frame(self, text: bytes) -> None:
        length = len(text)
        head = b"\x81%c" % length if length < 126 else b"\x81\x7e" + length.to_bytes(2, "big")
        self._frames.append(head + text)
