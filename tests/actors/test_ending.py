"""How an application is told to end."""

from __future__ import annotations

import logging
import queue
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest

from relay_actors.actors.calls_supervisor import CallsSupervisor
from relay_actors.actors.desk import DeskActor
from relay_actors.actors.ending import HAND_OVER, Ending, heeding_signals, next_word, own_signals
from relay_actors.actors.shutdown import Shutdown
from relay_actors.errors import ActorDead, CommandRejectedError, ConfigError, NotSentError
from tests.actors.world import CONTEXT, Witness, World, device
from tests.support.plain_app import app_for
from tests.support.plain_server import DEADLINE_S, PlainServer


def shutdown_of(world: World) -> Shutdown:
    shutdown = world.app._run
    assert shutdown is not None
    return shutdown


class CrashError(Exception):
    """Something that nobody has foreseen."""


class Bomb:
    """A signal that an actor fails by."""

    def handle(self, cell: Any) -> None:
        raise CrashError

    def refuse(self, cell: Any) -> None:
        """It was given up before."""


def test_each_signal_is_more_urgent_than_the_one_before(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """H7: drain, take nothing new, hang up; each is logged with counts."""
    caplog.set_level(logging.INFO, "relay_actors.app")
    words: list[str] = []
    line, _handle = world.answered(Witness)
    ringing, _other = world.inbound(number="+15550002222")
    ending = world.app.ending(words.append, drain_s=600.0)

    assert ending.hear("SIGTERM") is False
    world.run(1)
    assert [params["contexts"] for params in world.sent("signalwire.unreceive")] == [[CONTEXT]]
    assert not line.is_over
    assert not ringing.is_over
    assert "SIGTERM: draining calls_up=2 for_s=600" in caplog.text

    assert ending.hear("SIGINT") is False
    ringing.is_hung_up()
    world.run(1)
    assert not line.is_over
    assert "SIGINT again: nothing new begins calls_up=2 declined=1" in caplog.text
    with pytest.raises(NotSentError, match="being shut down"):
        world.app.dial(Witness, [[device("+15550100101")]])

    assert words == []
    assert ending.hear("SIGTERM") is False
    line.is_hung_up()
    world.run(1)
    assert "SIGTERM for the third time: hanging up calls_up=1" in caplog.text
    assert "drained" in words
    assert ending.hear("drained") is True
    assert ending.error is None
    assert [params["reason"] for params in world.sent("calling.end")] == ["decline", "hangup"]


def test_a_part_that_has_failed_for_good_lets_calls_finish_first(world: World) -> None:
    """S8: as long as there is a connection, whoever is up may go on to the end; then the error is told."""
    words: list[str] = []
    line, _handle = world.answered(Witness)
    ending = world.app.ending(words.append, drain_s=600.0)
    [desk] = [cell for cell in world.system.living if isinstance(cell.actor, DeskActor)]
    for _ in range(4):
        desk.signal(Bomb())
        world.settle()
    assert words == ["ended"]
    assert ending.hear("ended") is False
    world.run(60)
    assert words == ["ended"]
    assert not line.is_over
    line.hangs_up()
    world.run(1)
    assert "drained" in words
    assert ending.hear("drained") is True
    assert isinstance(ending.error, ActorDead)
    assert "DeskActor ended for good: error CrashError" in str(ending.error)
    world.app.stop()


def test_a_supervisor_that_has_failed_for_good_leaves_no_call_up(world: World) -> None:
    """S8, X7: its calls cannot outlive it (L6), so they are hung up, while there is somebody to do it."""
    words: list[str] = []
    line, _handle = world.answered(Witness)
    ending = world.app.ending(words.append, drain_s=600.0)
    [supervisor] = [cell for cell in world.system.living if isinstance(cell.actor, CallsSupervisor)]
    for _ in range(4):
        supervisor.signal(Bomb())
        world.settle()
    line.is_hung_up()
    assert ending.hear(words[0]) is False
    world.run(5)
    assert words[-1] == "drained"
    assert isinstance(ending.error, ActorDead)
    world.app.stop()


def test_calls_of_a_connection_that_is_gone_are_not_waited_for(world: World) -> None:
    """S8: nothing more is heard of them."""
    words: list[str] = []
    world.answered(Witness)
    ending = world.app.ending(words.append, drain_s=600.0)
    for _ in range(4):
        world.tree.office.connection._cell.signal(Bomb())
        world.settle()
    assert "ended" in words
    assert ending.hear("ended") is False
    begun = world.clock.now()
    world.until(lambda: "drained" in words, within_s=30)
    assert world.clock.now() - begun < 6.0
    world.app.stop()


def test_a_connection_that_has_ended_for_good_is_the_end(server: PlainServer) -> None:
    """And says what has ended it."""
    words: queue.SimpleQueue[str] = queue.SimpleQueue()
    app = app_for(server)
    app.start(wait_s=None)
    ending = app.ending(words.put)
    for _ in range(3):
        peer = server.accept()
        peer.error(peer.expect("signalwire.connect"), -32002, "401 Unauthorized")
    assert ending.hear(words.get(timeout=DEADLINE_S)) is False
    while not ending.hear(words.get(timeout=DEADLINE_S)):
        continue
    assert isinstance(ending.error, CommandRejectedError)
    app.stop()


def test_an_application_that_was_stopped_elsewhere_is_at_its_end(world: World) -> None:
    """And without an error."""
    words: list[str] = []
    world.start()
    ending = world.app.ending(words.append)
    world.app.stop()
    assert ending.hear(words[-1]) is True
    assert ending.error is None


def test_the_end_of_a_run_that_is_over_already_is_told_at_once(world: World) -> None:
    """Whoever stops it may be quicker than who waits for that; but without a run there is nothing to wait for."""
    words: list[str] = []
    world.start()
    run = world.app.launch()  # it is up: nothing is begun
    world.app.stop()
    ending = world.app.ending(words.append, run=run)
    assert ending.hear(words[-1]) is True
    assert ending.error is None
    with pytest.raises(ConfigError, match="not running"):
        world.app.ending(words.append)


def test_signals_are_told_by_name_and_the_fourth_ends_the_process(caplog: pytest.LogCaptureFixture) -> None:
    """H7: whatever anybody waits for. Afterwards they are what they were."""
    told: list[str] = []
    left: list[int] = []
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with heeding_signals(told.append, lambda: 7, leave=left.append):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGTERM):
            signal.raise_signal(number)
        assert left == []
        signal.raise_signal(signal.SIGINT)
    assert told == ["SIGINT", "SIGTERM", "SIGTERM"]
    assert left == [1]
    assert "SIGINT for the fourth time: ending now calls_up=7" in caplog.text
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


FORKS = """
import os, signal
from relay_actors.actors.ending import heeding_signals
is_there, says_so = os.pipe()
with heeding_signals(print, hands_over=True):
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
        if (child := os.fork()) == 0:
            try:
                os.write(says_so, b".")
                signal.pause()
            except KeyboardInterrupt:
                os._exit(7)
            os._exit(0)
        os.read(is_there, 1)
        os.kill(child, number)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        signal.raise_signal(number)
"""


def test_the_fourth_signal_ends_the_process_also_where_standard_output_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """H7: Python has None in its place then."""
    left: list[int] = []
    monkeypatch.setattr("sys.stdout", None)
    with heeding_signals([].append, leave=left.append):
        for _ in range(4):
            signal.raise_signal(signal.SIGTERM)
    assert left == [1]


def test_a_process_that_was_forked_off_ends_by_the_signals_that_the_application_heeds() -> None:
    """H9: `multiprocessing` ends its workers by SIGTERM when the program ends, and then waits for them."""
    done = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True, timeout=DEADLINE_S, check=True)
    assert done.stdout.split() == ["-15", "SIGTERM", "-10", "SIGUSR1", "7", "SIGINT"]


def test_the_signal_of_a_hand_over_is_none_of_the_ladder(caplog: pytest.LogCaptureFixture) -> None:
    """C4, H7: however often it comes, it makes nothing more urgent."""
    told: list[str] = []
    left: list[int] = []
    before = signal.getsignal(signal.SIGUSR1)
    with heeding_signals(told.append, hands_over=True, leave=left.append):
        for _ in range(5):
            signal.raise_signal(HAND_OVER)
        signal.raise_signal(signal.SIGTERM)
    assert told == ["SIGUSR1"] * 5 + ["SIGTERM"]
    assert left == []
    assert signal.getsignal(signal.SIGUSR1) == before
    with heeding_signals(told.append):
        assert signal.getsignal(signal.SIGUSR1) == before  # without a journal it is the program's own


@pytest.mark.parametrize("somebody_waits", [True, False])
def test_calls_are_handed_over_if_somebody_is_there_to_take_them(
    world: World, caplog: pytest.LogCaptureFixture, somebody_waits: bool
) -> None:
    """C4: a stray signal ends nothing."""
    caplog.set_level(logging.INFO, "relay_actors.app")
    line, _handle = world.answered(Witness)
    ending = Ending(shutdown_of(world), 600.0, [].append, lambda: somebody_waits)
    assert ending.hear("SIGUSR1") is somebody_waits
    assert ending.hands_over is somebody_waits
    said = "handing over to the next process calls_up=1" if somebody_waits else "no process waits for the journal"
    assert said in caplog.text
    world.run(1)
    assert not line.is_over  # whoever runs it does the rest
    assert world.sent("signalwire.unreceive") == []
    assert world.app.ending([].append).hear("SIGUSR1") is False  # it has no journal


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


def test_words_come_in_order() -> None:
    """Whoever waits for them hears signals meanwhile."""
    news: queue.SimpleQueue[str] = queue.SimpleQueue()
    for word in ("SIGTERM", "drained"):
        news.put(word)
    assert [next_word(news), next_word(news)] == ["SIGTERM", "drained"]


@pytest.mark.parametrize(("word", "is_seen"), [("SIGINT", True), ("SIGTERM", False)])
def test_who_presses_ctrl_c_while_calls_are_up_sees_why_it_is_not_over(
    world: World, caplog: pytest.LogCaptureFixture, word: str, *, is_seen: bool
) -> None:
    """Without any set-up of a log; a deploy's signal is told to who looks for it."""
    caplog.set_level(logging.WARNING, "relay_actors.app")
    world.answered(Witness)
    world.app.ending(lambda _word: None, drain_s=600.0).hear(word)
    assert ("draining calls_up=1" in caplog.text) is is_seen


def test_a_signal_with_a_handler_of_the_programs_is_its_own() -> None:
    """What Python does by itself is none."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        assert own_signals() == []
        signal.signal(signal.SIGTERM, lambda _number, _frame: None)
        assert own_signals() == [signal.SIGTERM]
        told: list[str] = []
        with heeding_signals(told.append, spares=own_signals()):
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
        assert told == ["SIGINT"]
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
