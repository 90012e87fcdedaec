"""The load server: its frames, and that it speaks as much RELAY as our clients need for each of its scenarios."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.tls import TlsFiles, make_tls_files
from relay_actors.transport.websocket_frames import TEXT, compose
from tests.benchmarks.contest import Contender, Contest, NotMeasuredError, floor, ours
from tests.benchmarks.load.quantiles import quantiles
from tests.benchmarks.load.wire import cut

WITHIN_S = 30.0


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return make_tls_files(tmp_path_factory.mktemp("tls"), clock=SystemClock())


def test_requests_are_cut_out_wherever_a_read_ends():
    """And acknowledgements are left out: nobody counts them."""
    request = b'{"jsonrpc":"2.0","id":"1","method":"calling.answer","params":{"call_id":"call-1"}}'
    long = request[:-1] + b" " * 200 + b"}"
    ack = b'{"jsonrpc":"2.0","id":"e-00000001","result":{}}'
    stream = b"".join(compose(TEXT, text, b"\x01\x02\x03\x04") for text in (request, ack, long, ack, request))
    for size in (1, 7, 50, len(stream)):
        texts: list[bytes] = []
        rest = b""
        for at in range(0, len(stream), size):
            rest = cut(rest + stream[at : at + size], texts)
        assert texts == [request, long, request]
        assert rest == b""


def test_percentiles_are_of_all():
    """The slowest is in them, and of nothing nothing is said."""
    assert quantiles([]) == {}
    found = quantiles([number / 100 for number in range(100)])
    assert (found["p50"], found["p95"], found["p99"], found["max"]) == (0.5, 0.95, 0.99, 0.99)


@pytest.mark.parametrize("contender", [floor(), ours("ivr"), ours("ivr-messages")], ids=str)
def test_calls_are_brought_to_their_end(tls: TlsFiles, contender: Contender):
    """By a client with no actors as well, and by one that spins."""
    with Contest(tls, contender, "saturated", spin=True, calls=20, at_once=5, warm_up=10) as contest:
        contest.wait_for("began", WITHIN_S)
        assert contest.cpu_s() > 0
        contest.go()
        assert contest.wait_for("ended", WITHIN_S)["seconds"] > 0


def test_calls_that_come_at_a_rate_are_stamped(tls: TlsFiles):
    """Each of the four steps of a call is an event with its command."""
    with Contest(tls, floor(), "at_rate", rate=200.0, calls=20, warm_up=5) as contest:
        contest.wait_for("began", WITHIN_S)
        contest.go()
        ended = contest.wait_for("ended", WITHIN_S)
    assert ended["latencies"]["samples"] == 80
    assert ended["unfinished"] == 0


def test_a_flood_ends_when_all_is_handled(tls: TlsFiles):
    """The client says so, by a command."""
    client = ours("listens", BENCH_EVENTS=str(2 + 8 + 40))
    with Contest(tls, client, "live", calls=8, commands=2, warm_up=2, events=40, rate=100.0, paced_s=0.2) as contest:
        for mark in ("ready", "up", "flooded"):
            contest.wait_for(mark, WITHIN_S)
            assert contest.resident_bytes() > 0
            contest.go()
        assert contest.wait_for("over", WITHIN_S)["latencies"]["samples"] > 0


def test_a_lost_connection_and_a_killed_process_are_come_back_from(tls: TlsFiles, tmp_path: Path):
    """What is measured there is what the server sees."""
    with Contest(tls, ours("commands"), "dropped", calls=5, in_flight=2) as contest:
        contest.wait_for("up", WITHIN_S)
        contest.go()
        over = contest.wait_for("over", WITHIN_S)
    assert over["lost"] == 0
    assert over["usable_s"] >= over["again_s"] > 0
    with Contest(tls, ours("commands", journal=tmp_path / "calls.db"), "killed", calls=5) as contest:
        contest.wait_for("up", WITHIN_S)
        contest.kill_client()
        contest.start_client()
        contest.go()
        contest.wait_for("again", WITHIN_S)
        assert contest.wait_for("over", WITHIN_S)["answered"] == 5


def test_a_client_that_dies_is_a_reason_and_no_wait(tls: TlsFiles):
    """The last line that it has written is in it."""
    with (
        pytest.raises(NotMeasuredError, match=r"it: the client ended with 1: no such thing"),
        Contest(tls, Contender("it", ("python3", "-c", "exit('no such thing')")), "killed", calls=5) as contest,
    ):  # fmt: skip
        contest.wait_for("up", WITHIN_S)


def test_a_client_that_hangs_is_a_reason_too(tls: TlsFiles):
    """Whatever is wrong with a contender, the others are measured."""
    with (
        Contest(tls, Contender("it", ("python3", "-c", "import signal; signal.pause()")), "killed", calls=5) as contest,
        pytest.raises(NotMeasuredError, match=r"it: no 'up' within 0.3 s"),
    ):
        contest.wait_for("up", 0.3)
