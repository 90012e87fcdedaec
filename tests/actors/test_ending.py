"""How an application is told to end."""

from __future__ import annotations

import queue
import signal
import threading

import pytest

from relay_actors.actors.ending import heeding_signals
from relay_actors.errors import CommandRejectedError, ConfigError
from tests.support.plain_app import Recorder, answering, app_for, logged_in
from tests.support.plain_server import DEADLINE_S, PlainServer


def test_the_first_signal_drains_and_the_second_hangs_up(server: PlainServer) -> None:
    """Whoever waits for the words, in whatever loop. SEMANTICS H6."""
    words: queue.SimpleQueue[str] = queue.SimpleQueue()
    with logged_in(server, Recorder(answering)) as (app, peer):
        ending = app.ending(words.put, drain_s=60.0)
        peer.call()
        peer.ok(peer.expect("calling.answer"))
        peer.state("answered")
        assert ending.hear("SIGTERM") is False
        peer.ok(peer.expect("signalwire.unreceive"))
        assert words.empty()
        assert ending.hear("SIGINT") is False
        word = words.get(timeout=DEADLINE_S)
        assert word == "drained"
        assert ending.hear(word) is True
        assert ending.error is None
        peer.state("ended")


def test_a_connection_that_has_ended_for_good_is_the_end(server: PlainServer) -> None:
    """And says what has ended it."""
    words: queue.SimpleQueue[str] = queue.SimpleQueue()
    app = app_for(server)
    app.start(wait_s=None)
    ending = app.ending(words.put)
    for _ in range(3):
        peer = server.accept()
        peer.error(peer.expect("signalwire.connect"), -32002, "401 Unauthorized")
    assert ending.hear(words.get(timeout=DEADLINE_S)) is True
    assert isinstance(ending.error, CommandRejectedError)
    app.stop()


def test_signals_are_told_by_name_and_the_third_ends_the_process() -> None:
    """Afterwards they are what they were."""
    told: list[str] = []
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with heeding_signals(told.append):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.raise_signal(number)
        with pytest.raises(SystemExit) as caught:
            signal.raise_signal(signal.SIGINT)
    assert told == ["SIGINT", "SIGTERM"]
    assert caught.value.code == 1
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_only_the_main_thread_hears_signals() -> None:
    """Others are told so, before anything is changed."""
    raised: list[BaseException] = []

    def elsewhere() -> None:
        with pytest.raises(ConfigError, match="main thread") as caught, heeding_signals(print):
            raise AssertionError("it was entered")
        raised.append(caught.value)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(DEADLINE_S)
    assert len(raised) == 1
