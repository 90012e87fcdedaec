"""How long others wait beside an actor that is flooded, and beside handlers that block (SEMANTICS D2, K11)."""

import threading
from typing import Any

from relay_actors.errors import MailboxFull
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.clock import SystemClock
from relay_actors.runtime.system import System

__all__ = ["main"]

_OTHERS = 999
_SECONDS = 10.0
_BACKLOG = 1000
_P99_S = 0.020
_clock = SystemClock()
_enough = threading.Event()


class _Flooded(Actor):
    """Has always as many messages waiting as at the beginning."""

    def on_receive(self, message: Any) -> None:
        if not _enough.is_set():
            self.actor_ref.tell(message)


class _Other(Actor):
    """Notes how late each message is."""

    def __init__(self, delays: list[float]) -> None:
        super().__init__()
        self._delays = delays

    def on_receive(self, sent: float) -> None:
        self._delays.append(_clock.now() - sent)


class _Blocks(Actor):
    """A careless handler."""

    mailbox_capacity = 5

    def on_receive(self, message: threading.Event) -> None:
        message.wait(0.05)


def main() -> bool:
    """Return whether the others waited too long."""
    flooded = _measure("one actor flooded", flood=True, block=False)
    blocked = _measure("one actor blocked all the time, with a full mailbox", flood=False, block=True)
    return flooded > _P99_S or blocked > _P99_S


def _measure(what: str, *, flood: bool, block: bool) -> float:
    _enough.clear()
    system = System(name="fairness", blocking_report_s=None)
    delays: list[float] = []
    others = [system.start(_Other, delays) for _ in range(_OTHERS)]
    never = threading.Event()
    blocks = system.start(_Blocks) if block else None
    if flood:
        flooded = system.start(_Flooded)
        for number in range(_BACKLOG):
            flooded.tell(number)
    pause, until, sent = threading.Event(), _clock.now() + _SECONDS, 0
    began = _clock.now()
    while (now := _clock.now()) < until:
        while sent < (now - began) * _OTHERS:  # each of them one message a second
            others[sent % _OTHERS].tell(_clock.now())
            sent += 1
        if blocks is not None:
            try:
                blocks.tell(never)
            except MailboxFull:
                pause.wait(0.0005)
        pause.wait(0.001)
    _enough.set()
    for ref in others:
        ref.ask(_clock.now(), timeout=30.0)
    system.stop(30.0)
    delays.sort()
    p99 = delays[int(len(delays) * 0.99)]
    print(
        f"{what}: {len(delays)} messages to {_OTHERS} others, delay in ms "
        f"p50={delays[len(delays) // 2] * 1e3:.2f} p99={p99 * 1e3:.2f} max={delays[-1] * 1e3:.2f} "
        f"(must be: p99 < {_P99_S * 1e3:.0f})"
    )
    return p99
