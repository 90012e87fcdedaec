"""What it takes to start a call's actor, all the way from the text of its offer to the texts of its commands."""

from __future__ import annotations

import time

from relay_actors import CallActor
from relay_actors.events import CallReceiveEvent
from tests.benchmarks.micro.in_process import offers, started

__all__ = ["with_one_command", "with_two_actions"]


class _TwoActions(CallActor):
    def on_receive(self, message: object) -> None:
        if isinstance(message, CallReceiveEvent):
            self.play_audio("https://example.com/music.mp3")
            self.record()


class _OneCommand(CallActor):
    def on_receive(self, message: object) -> None:
        if isinstance(message, CallReceiveEvent):
            self.answer()


def _start(actor_class: type[CallActor], commands: int, number: int) -> float:
    _app, server = started(actor_class)
    server.say(offers(number))
    server.wait_for_commands(commands * number)
    more = offers(number, first=number)
    before_s = time.process_time()
    server.say(more)
    server.wait_for_commands(2 * commands * number)
    return (time.process_time() - before_s) / number


def with_two_actions(number: int) -> float:
    """So many calls come in, each begins to play and to record; CPU seconds of one, after as many others."""
    return _start(_TwoActions, 2, number)


def with_one_command(number: int) -> float:
    """So many calls come in, each is answered; CPU seconds of one, after as many others."""
    return _start(_OneCommand, 1, number)
