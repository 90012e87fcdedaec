"""Rounds in turn: what disturbs the machine disturbs all alike, and what fails does not stop the others."""

from __future__ import annotations

from pathlib import Path

from relay_actors.simulator.tls import TlsFiles
from tests.benchmarks.arena import Arena
from tests.benchmarks.contest import NotMeasuredError


def arena() -> Arena:
    nowhere = Path("nowhere")
    return Arena(
        folder=nowhere, tls=TlsFiles(nowhere, nowhere), rounds=3, modes=("sleep",), is_quick=False, has_sdk=False
    )  # fmt: skip


def test_rounds_are_interleaved_and_a_failure_is_told_once():
    """One that has failed has no figure, not even of the rounds before."""
    asked: list[str] = []

    def good() -> dict[str, float]:
        asked.append("good")
        return {"it": float(len(asked))}

    def bad() -> dict[str, float]:
        asked.append("bad")
        if asked.count("bad") == 2:
            raise NotMeasuredError("bad: it died")
        return {"it": 1.0}

    results = arena().interleave({"good": good, "bad": bad})
    assert asked == ["good", "bad", "good", "bad", "good"]
    row = results.row("good", "bad", key="it", name="it", unit="s")
    assert (row.ours and row.ours.median, row.theirs, row.failure) == (3.0, None, "bad: it died")


def test_who_was_not_there_is_named():
    """Without the official SDK ours is still told, and the ratio is left out."""
    results = arena().interleave({"ours": lambda: {"it": 1.0}}, 1)
    row = results.row("ours", "official SDK", key="it", name="it", unit="s")
    assert (row.failure, row.ratio, row.against) == ("", None, "official SDK")
