"""Prints how fast it is, as ratios in one run: actors against stock pykka, timers, calls against the official SDK.

``make bench``, or ``python -m tests.benchmarks [calls] [at once] [rounds]``. The official SDK is measured when its
environment is there (``make parity`` makes it). Everything is measured over TLS, rounds interleaved, the median kept.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.tls import TlsFiles, make_tls_files
from tests.benchmarks import actors, flows, recovery, timers

_ROOT = Path(__file__).parents[2]
_SDK = _ROOT / ".venv-parity" / "bin" / "python"


def _calls_per_second(tls: TlsFiles, client: list[str], calls: int, at_once: int) -> float:
    server_args = ["0", str(tls.certificate_file), str(tls.key_file), str(calls), str(at_once)]
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.call_server", *server_args],
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
    )
    assert server.stdout is not None
    port = server.stdout.readline().split()[1]
    environment = {**os.environ, "SIGNALWIRE_RELAY_CA_FILE": str(tls.ca_file), "SIGNALWIRE_LOG_LEVEL": "critical"}
    args = [part.replace("PORT", port).replace("CA", str(tls.ca_file)) for part in client]
    with subprocess.Popen(
        args, cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as side:
        try:
            line = server.stdout.readline().split()
            server.wait(10)
        finally:
            side.terminate()
            server.kill()
            server.stdout.close()
    if line[:1] != ["seconds"]:
        raise SystemExit(f"the client failed: {' '.join(client)}")
    return calls / float(line[1])


def main(calls: int = 5_000, at_once: int = 100, rounds: int = 5) -> None:
    """Measure, and print five tables."""
    for title, theirs_are, figures in (
        ("actors, against stock pykka", "pykka", actors.measure()),
        ("timers, against asyncio's", "asyncio", timers.measure()),
        ("waiting, against asyncio's tasks", "asyncio", flows.measure()),
    ):
        print(f"{title:34}{theirs_are:>12}{'ours':>12}{'ratio':>9}")
        for name, theirs, ours in figures:
            unit, scale = ("B", 1.0) if "bytes" in name else ("  ", 1.0) if "threads" in name else ("µs", 1e6)
            print(f"{name:34}{theirs * scale:>10.2f} {unit}{ours * scale:>9.2f} {unit}{theirs / ours:>8.1f}x")

    print(f"\n{'taking up calls, all in all':34}{'read only':>12}{'all up':>12}{'ratio':>9}")
    for name, read_s, taken_s in recovery.measure():
        print(f"{name:34}{read_s:>10.2f} s{taken_s:>11.2f} s{taken_s / read_s:>8.1f}x")

    with tempfile.TemporaryDirectory() as folder:
        tls = make_tls_files(Path(folder), clock=SystemClock())
        ours = [sys.executable, "-m", "tests.benchmarks.our_client", "PORT", "CA"]
        clients = {
            "messages": [*ours, "messages"],
            "flow": [*ours, "flow"],
            "flow, with a journal": [*ours, "flow", f"{folder}/calls.db"],
        }
        if _SDK.exists():
            clients["official SDK"] = [str(_SDK), "tests/benchmarks/sdk_client.py", "PORT"]
        results: dict[str, list[float]] = {name: [] for name in clients}
        for _ in range(rounds):
            for name, client in clients.items():
                results[name].append(_calls_per_second(tls, client, calls, at_once))
                for left in Path(folder).glob("calls.db*"):  # also its WAL, in which the calls of this round are
                    left.unlink()
    base = statistics.median(results.get("official SDK", results["flow"]))
    print(f"\n{'calls per second, over TLS':34}{'median':>12}{'ratio':>12}")
    for name, values in results.items():
        print(f"{name:34}{statistics.median(values):>10.0f}/s{statistics.median(values) / base:>11.2f}x")
    if "official SDK" not in results:
        print("(the official SDK is not installed: `make parity` installs it)")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
