"""Recovery: how long a new process takes for the calls of the one before, against reading their journal alone."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from relay_actors.actors.call import CallActor
from relay_actors.app import RelayApp
from relay_actors.errors import ConnectFailedError
from relay_actors.events import RelayEvent
from relay_actors.journal.entries import (
    CallStarted,
    CommandIntended,
    CommandSettled,
    Entry,
    EventReceived,
    Noted,
    Outcome,
)
from relay_actors.journal.sqlite import SqliteStore
from relay_actors.transport.base import Transport

__all__ = ["CALLS", "ENTRIES", "measure"]

CALLS, ENTRIES = 1000, 50


class Talks(CallActor):
    """Plays one prompt after the other: three events each, and waits for each end."""

    async def run(self) -> None:
        await self.answer()
        while True:
            said = await self.play_tts("Please hold the line")
            await said.wait()


class Listens(CallActor):
    """Counts what it is told."""

    def on_receive(self, message: object) -> None:
        if isinstance(message, RelayEvent):
            self.data["events"] = self.data.get("events", 0) + 1


class _Nobody:
    """No connection can be opened: what is measured is over before one is needed."""

    def connect(self) -> Transport:
        raise ConnectFailedError("tcp", "nowhere", "this is a benchmark")

    def cancel(self) -> None:
        """There is nothing under way."""


def measure(calls: int = CALLS, length: int = ENTRIES) -> list[tuple[str, float, float]]:
    """Return name, seconds for reading the entries alone, and seconds until all calls are up again."""
    figures = []
    for name, entries in (("flows", _flow), ("handlers", _handler)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "calls.db"
            store = SqliteStore(path)
            for number in range(calls):
                store.append(islice(entries(f"call-{number}"), length))
            store.commit()
            began = time.perf_counter()
            read = sum(1 for _ in store.load())
            read_s = time.perf_counter() - began
            store.close()
            app = RelayApp("project", "token", host="relay.example.com", journal=path)
            app.calls("flows")(Talks)
            app.calls("handlers")(Listens)
            began = time.perf_counter()
            app.start(wait_s=None, connector=_Nobody())
            taken_s = time.perf_counter() - began
            up = app.calls_up
            app.hand_over()
            assert up == calls, f"{up} of {calls} calls were taken up"
            figures.append((f"{calls} {name}, {read / calls:.0f} entries each", read_s, taken_s))
    return figures


def _event(call_id: str, number: int, event_type: str, **params: object) -> EventReceived:
    inner = {"call_id": call_id, "node_id": "node", **params}
    payload = {"event_type": event_type, "timestamp": 1767225600.0 + number, "context": "flows", "params": inner}
    return EventReceived(subject=call_id, at=1767225600.0 + number, frame_id=f"{call_id}-{number}", payload=payload)


def _offered(call_id: str, actor: str) -> Iterator[Entry]:
    yield _event(call_id, 0, "calling.call.receive", call_state="created", direction="inbound", context="flows")
    yield CallStarted(subject=call_id, at=1767225600.0, actor=actor, direction="inbound", settings={"seed": call_id})


def _flow(call_id: str) -> Iterator[Entry]:
    at = 1767225600.0
    yield from _offered(call_id, f"{__name__}:Talks")
    yield Noted(subject=call_id, at=at, what="began", after=1)
    told = 1

    def command(number: int, method: str, **params: object) -> CommandIntended:
        ids = {"call_id": call_id, "node_id": "node"}
        return CommandIntended(
            subject=call_id, at=at, request_id=f"{call_id}-r{number}", method=method, params={**ids, **params},
            number=number, after=told, by="call",
        )  # fmt: skip

    def answer(number: int) -> CommandSettled:
        return CommandSettled(
            subject=call_id, at=at, request_id=f"{call_id}-r{number}", outcome=Outcome.OK, result={"code": "200"}
        )

    yield command(1, "calling.answer")
    yield answer(1)
    told += 1
    for number in count(2):
        control_id = f"{call_id}-c{number}"
        item = {"type": "tts", "params": {"text": "Please hold the line"}}
        yield command(number, "calling.play", control_id=control_id, play=[item])
        yield answer(number)
        for place, state in enumerate(("playing", "finished")):
            yield _event(call_id, 2 * number + place, "calling.call.play", control_id=control_id, state=state)
        told += 3


def _handler(call_id: str) -> Iterator[Entry]:
    yield from _offered(call_id, f"{__name__}:Listens")
    for number in count(1):
        yield _event(call_id, number, "calling.call.queue", status="waiting", position=number)
        data = {"events": number + 1}
        yield Noted(subject=call_id, at=1767225600.0, what="saved", values={"data": data}, after=number + 1)
