"""Runs every example and every snippet under both clients, several at a time, and prints two tables.

Exits with 1 if ours does otherwise than it is meant to, or if the harness itself has failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from tests.cli.processes import plain_environment
from tests.parity.mishaps.bench import open_sim
from tests.parity.mishaps.verdict import headline, with_table
from tests.parity.shipped.comparing import Run
from tests.parity.shipped.documents import Snippet, is_program, snippets, why_not
from tests.parity.shipped.fragments import run_from
from tests.parity.shipped.scenarios import OF_EXAMPLES, OF_SNIPPETS, Scenario
from tests.parity.shipped.sources import DOCUMENTS, EXAMPLES, SIDES, unpacked
from tests.parity.shipped.staging import STAGINGS
from tests.parity.shipped.table import Row, failures, legend, markdown, table, total
from tests.parity.shipped.theatre import PACE, Theatre
from tests.support.house import REPOSITORY

ARCHIVES = REPOSITORY / ".venv-parity" / "signalwire-sdk"
"""Where ``make parity`` has fetched the source distribution to."""
AT_A_TIME = 5
PARTS = 2
"""In so many processes the fragments of one client are run."""
WITHIN_S = 180.0
NEEDED = "from signalwire.relay import RelayClient\n"
MADE = 'client = RelayClient(contexts=["default"])\n'
BEFORE_PROGRAMS = {
    "client-reference.md, run": NEEDED + MADE,
    "messaging.md, Combining Calls and Messages": NEEDED,
}
"""What a program of the documents takes for granted."""

Both = tuple[Future[Run], Future[Run]]


class Company:
    """Runs things, several at a time; each thread that runs programs has a simulator of its own."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._folder = folder
        self._mine = threading.local()
        self._programs = stack.enter_context(ThreadPoolExecutor(AT_A_TIME, initializer=self._open, initargs=(stack,)))
        self._fragments = stack.enter_context(ThreadPoolExecutor(PARTS * len(SIDES)))

    def _open(self, stack: ExitStack) -> None:
        self._mine.theatre = Theatre(stack.enter_context(open_sim(PACE)))

    def program(self, file: Path, scenario: Scenario) -> Both:
        """Have a program run under both clients."""
        official, ours = (self._programs.submit(self._run, side, file, scenario) for side in SIDES)
        return official, ours

    def _run(self, side: str, file: Path, scenario: Scenario) -> Run:
        began = time.monotonic()
        try:
            return self._mine.theatre.run(side, file, scenario)
        finally:
            _progress(began, side, f"{file.name}: {scenario.name}")

    def snippet_program(self, snippet: Snippet) -> Both:
        """Have a program of the documents run under both clients, with what it takes for granted."""
        file = self._folder / f"{snippet.name.replace('/', ' ')}.py"
        file.write_text(BEFORE_PROGRAMS.get(snippet.name, "") + snippet.code, "utf-8")
        return self.program(file, OF_SNIPPETS[snippet.name])

    def fragments(self, only: str) -> dict[str, list[Future[dict[str, Run]]]]:
        """Have all fragments run, of each client in several processes."""
        return {
            side: [self._fragments.submit(self._part, side, f"{part + 1}/{PARTS}", only) for part in range(PARTS)]
            for side in SIDES
        }

    def _part(self, side: str, part: str, only: str) -> dict[str, Run]:
        command = [sys.executable, "-m", "tests.parity.shipped.fragments", side, str(self._folder), part, only]
        began = time.monotonic()
        done = subprocess.run(
            command, env=plain_environment(), capture_output=True, text=True, timeout=WITHIN_S, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} has failed:\n{done.stderr}")
        _progress(began, side, f"fragments {part}")
        return dict(run_from(line) for line in done.stdout.splitlines())


def examples(company: Company, folder: Path, only: str) -> Iterator[tuple[str, Scenario, Both]]:
    """Have the examples run, the longest first."""
    chosen = [(file, one) for file in EXAMPLES for one in OF_EXAMPLES[file] if only in f"{file}, {one.name}"]
    for file, scenario in sorted(chosen, key=lambda one: one[1].is_interrupted):
        yield file, scenario, company.program(folder / file, scenario)


def all_rows(company: Company, folder: Path, only: str) -> tuple[list[Row], list[Row]]:
    """Run everything in whose name ``only`` is found; return the rows of both tables."""
    pages = [one for page in DOCUMENTS for one in snippets(page, (folder / page).read_text("utf-8"))]
    _check_staged({snippet.name for snippet in pages})
    shown = [snippet for snippet in pages if only in snippet.name]
    runnable = [snippet for snippet in shown if not why_not(snippet.code)]
    played = list(examples(company, folder, only))
    programs = {one.name: company.snippet_program(one) for one in runnable if is_program(one.code)}
    parts = company.fragments(only) if len(programs) < len(runnable) else {}
    fragments = {side: {name: run for part in parts[side] for name, run in part.result().items()} for side in parts}

    def row(snippet: Snippet) -> Row:
        if reason := why_not(snippet.code):
            return Row(snippet.document, snippet.name, why_not=reason)
        if both := programs.get(snippet.name):
            return Row(snippet.document, snippet.name, *(one.result() for one in both))
        return Row(snippet.document, snippet.name, *(fragments[side][snippet.name] for side in SIDES))

    of_examples = [Row(file, scenario.name, *(one.result() for one in both)) for file, scenario, both in played]
    return sorted(of_examples, key=lambda row: EXAMPLES.index(row.part)), list(map(row, shown))


def _progress(began: float, side: str, what: str) -> None:
    sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {side:20}{what}\n")


def _check_staged(names: set[str]) -> None:
    if gone := (STAGINGS.keys() | OF_SNIPPETS.keys() | BEFORE_PROGRAMS.keys()) - names:
        raise RuntimeError(f"the documents have no such snippets any more: {sorted(gone)}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them all; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.parity.shipped", description=__doc__)
    parser.add_argument("--only", default="", help="those in whose name this is found")
    parser.add_argument("--page", type=Path, help="write the tables into this page, too")
    parser.add_argument("--sources", type=Path, help="the official SDK's source distribution, if it is elsewhere")
    options = parser.parse_args(arguments)
    sdk = version("signalwire-sdk")
    archive = options.sources or ARCHIVES / f"signalwire_sdk-{sdk}.tar.gz"
    began = time.monotonic()
    with unpacked(archive) as folder, ExitStack() as stack:
        rows, snippet_rows = all_rows(Company(stack, folder), folder, options.only)
    official = f"official SDK {sdk}"
    told = [*rows, *snippet_rows]
    if not told:
        sys.stdout.write(f"no example and no snippet has {options.only!r} in its name\n")
    for part, what in ((rows, "example"), (snippet_rows, "snippet")):
        if part:
            sys.stdout.write("\n".join([*table(part, official, what), ""]) + "\n")
    sys.stdout.write("\n".join([*legend(told), f"took {time.monotonic() - began:.0f} s"]) + "\n")
    if options.page is not None and not options.only:
        page = options.page.read_text("utf-8")
        for part, what in ((rows, "example"), (snippet_rows, "snippet")):
            lines = [headline(), "", *markdown(part, official, what), "", f"{total(part)}."]
            page = with_table(page, lines, f"{what}s")
        options.page.write_text(with_table(page, [f"* {line}" for line in legend(told)], "differences"), "utf-8")
    failed = list(failures(told, is_all=not options.only))
    for line in failed:
        sys.stdout.write(f"NOT MEANT: {line}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
