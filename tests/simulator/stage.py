"""A simulator in stopped time, and a client that knows JSON and nothing of this package's own client."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from relay_actors.runtime.clock import ManualClock
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.simulator import Simulator


class Peer:
    """One connection of a hand-written client: what comes is decoded and kept, and acknowledged when asked to."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.frames: list[dict[str, Any]] = []
        self.closed: str | None = None
        self._requests = 0
        self._acknowledged = 0
        sim.attach(self)

    def send_texts(self, texts: list[bytes]) -> None:
        self.frames.extend(json.loads(text) for text in texts)

    def close(self, *, clean: bool) -> None:
        self.closed = "clean" if clean else "broken"

    def send(self, frame: object) -> None:
        self.sim.receive(self, json.dumps(frame))

    def ask(self, method: str, **params: Any) -> dict[str, Any] | None:
        """Send a request and return its whole response, or None when there is none yet."""
        self._requests += 1
        request_id = f"r{self._requests}"
        self.send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        return self.response(request_id)

    def response(self, request_id: str) -> dict[str, Any] | None:
        found = [frame for frame in self.frames if frame.get("id") == request_id and "method" not in frame]
        return found[-1] if found else None

    def do(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request that must succeed and return its result."""
        response = self.ask(method, **params)
        assert response is not None
        assert "result" in response, response
        assert str(response["result"].get("code", "200")).startswith("2"), response
        return response["result"]

    def log_in(self, *contexts: str, **more: Any) -> dict[str, Any]:
        authentication = more.pop("authentication", {"project": "project-1", "token": "token-1"})
        version = {"major": 2, "minor": 0, "revision": 0}
        params = {"version": version, "event_acks": True, "authentication": authentication, **more}
        if contexts:
            params["contexts"] = list(contexts)
        return self.do("signalwire.connect", **params)

    def acknowledge(self) -> None:
        """Acknowledge every event that has come."""
        fresh, self._acknowledged = self.frames[self._acknowledged :], len(self.frames)
        for frame in fresh:
            if frame.get("method") == "signalwire.event":
                self.send({"jsonrpc": "2.0", "id": frame["id"], "result": {}})

    def envelopes(self, event_type: str = "") -> list[dict[str, Any]]:
        events = [frame["params"] for frame in self.frames if frame.get("method") == "signalwire.event"]
        return [event for event in events if event_type in ("", event["event_type"])]

    def events(self, event_type: str) -> list[dict[str, Any]]:
        """Return the inner params of all events of a type."""
        return [event["params"] for event in self.envelopes(event_type)]

    def states(self, event_type: str, key: str = "state", **of: Any) -> list[Any]:
        """Return one field of all events of a type, as far as they have the given values."""
        return [event.get(key) for event in self.events(event_type) if all(event.get(k) == v for k, v in of.items())]

    def call_states(self, call_id: str) -> list[str]:
        return self.states("calling.call.state", "call_state", call_id=call_id)

    def story(self) -> list[str]:
        """Return, in order, every response and event as one word or two."""
        told = []
        for frame in self.frames:
            if "method" not in frame:
                told.append("result" if "result" in frame else "error")
            elif frame["method"] == "signalwire.event":
                inner = frame["params"]["params"]
                word = next((str(inner[k]) for k in ("call_state", "state", "dial_state") if k in inner), "")
                told.append(f"{frame['params']['event_type'].removeprefix('calling.')} {word}".strip())
            else:
                told.append(frame["method"])
        return told

    def gone(self) -> None:
        """Lose the socket from this side."""
        self.sim.detach(self)


class Stage:
    """A simulator whose time moves only when it is moved."""

    def __init__(self, *, seed: int = 7, pace: float = 1.0, manners: Manners | None = None, **more: Any) -> None:
        self.clock = ManualClock()
        # Most tests read better without the event that follows each log-in; its own test switches it on.
        manners = manners or Manners(sends_authorization_state=False)
        self.sim = Simulator(clock=self.clock, random=Random(seed), pace=pace, manners=manners, **more)
        self.sim.drive = self.step

    def step(self) -> bool:
        """Jump to what is due next; False when nothing is."""
        due = self.sim.next_deadline()
        if due is None:
            return False
        self.clock.advance_to(due)
        self.sim.tick(self.clock.now())
        return True

    def run(self, seconds: float) -> None:
        """Let so many seconds pass."""
        until = self.clock.now() + seconds
        while (due := self.sim.next_deadline()) is not None and due <= until:
            self.step()
        self.clock.advance_to(until)

    def client(self, *contexts: str, **more: Any) -> Peer:
        """Return a client that is logged in."""
        peer = Peer(self.sim)
        peer.log_in(*contexts, **more)
        return peer

    def inbound(self, peer: Peer, *, answered: bool = True, number: str = "+15550001111") -> Inbound:
        """Let a person call, and the client answer."""
        line = self.sim.phone(number).dials(context="support")
        offer = peer.events("calling.call.receive")[-1]
        call = Inbound(peer, line, offer["call_id"], offer["node_id"])
        if answered:
            call.do("calling.answer")
        return call


class Inbound:
    """One inbound call from both sides: the client's commands, and the person's line."""

    def __init__(self, peer: Peer, line: Any, call_id: str, node_id: str) -> None:
        self.peer = peer
        self.line = line
        self.call_id = call_id
        self.node_id = node_id

    def ask(self, method: str, **params: Any) -> dict[str, Any] | None:
        return self.peer.ask(method, call_id=self.call_id, node_id=self.node_id, **params)

    def do(self, method: str, **params: Any) -> dict[str, Any]:
        return self.peer.do(method, call_id=self.call_id, node_id=self.node_id, **params)

    def code(self, method: str, **params: Any) -> str:
        response = self.ask(method, **params)
        assert response is not None
        return response["result"]["code"] if "result" in response else str(response["error"]["code"])

    @property
    def states(self) -> list[str]:
        return self.peer.call_states(self.call_id)


def tts(text: str) -> dict[str, Any]:
    return {"type": "tts", "params": {"text": text}}


def phone_device(number: str, **more: Any) -> dict[str, Any]:
    return {"type": "phone", "params": {"from_number": "+15559990000", "to_number": number, **more}}
