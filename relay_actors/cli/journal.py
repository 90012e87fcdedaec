"""``relay-actors journal calls.db``: what a journal holds, the timeline of a call, check, compact. Layer: door."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import glob
import json
import os
from collections.abc import Sequence
from typing import Any, Final

from relay_actors.cli.journal_sights import Sight, clock_time, printable, sight_of, tags_of, timeline
from relay_actors.cli.logs import complain
from relay_actors.cli.screen import Screen, Styled
from relay_actors.errors import ConfigError, DamagedJournalError, JournalError
from relay_actors.journal.entries import Entry
from relay_actors.journal.reading import SqliteReader
from relay_actors.journal.replay import replay
from relay_actors.journal.sqlite import SqliteStore

__all__ = ["add_command"]

HEADS: Final = ("id", "entries", "pending", "kind", "direction", "state", "since (UTC)", "class")
_MOST_NAMED: Final = 5


def add_command(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "journal",
        help="look into the journal of an application",
        description="Shows what a journal holds: calls, texts and dials that are not over, each with its state and the "
        "commands of which nobody knows whether they took effect. The file is only read, also while an application "
        "runs on it; but for --compact. Numbers are shown by their last two digits, and contents not at all, unless "
        "--unmasked is given; secrets are not in it. The exit status is 1 when the journal is damaged, and 2 when it "
        "cannot be used.",
    )
    parser.add_argument("file", help="what the application was given as its journal")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--call", metavar="ID", help="the timeline of one: its id or tag, or the beginning of its id")
    what.add_argument("--check", action="store_true", help="read everything, and say whether it is sound")
    what.add_argument(
        "--compact",
        action="store_true",
        help="forget what has ended, and give unused space back; no application may run on it",
    )
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument("--unmasked", action="store_true", help="with --call: show numbers and contents as they are")
    parser.set_defaults(command=_run_command)


def _run_command(options: argparse.Namespace) -> int:
    screen = Screen()
    try:
        if options.compact:
            return _compact(screen, options)
        with SqliteReader(options.file) as reader:
            if options.check:
                return _check(screen, options, reader)
            if options.call is not None:
                return _tell(screen, options, reader)
            return _show(screen, options, reader)
    except DamagedJournalError as error:
        if options.check:
            return _report(screen, options, [error.why or str(error)])
        complain(printable(str(error)))
        return 1
    except JournalError as error:
        raise ConfigError(str(error)) from error


def _show(screen: Screen, options: argparse.Namespace, reader: SqliteReader) -> int:
    sights = [sight_of(entries) for entries in _by_subject(reader).values()]
    aside = sorted(glob.glob(f"{glob.escape(options.file)}.damaged-*[0-9]"))
    if options.json:
        about = {"file": options.file, "size": reader.size, "writers": reader.writers, "session": reader.has_session}
        _say_json(screen, {**about, "subjects": [sight.as_dict() for sight in sights], "moved_aside": aside})
        return int(any(sight.fault for sight in sights))
    screen.say((options.file, "bold"), f": {_bytes(reader.size)}, {_count(reader.writers, 'writer')} so far, ",
               "a session to resume" if reader.has_session else "no session to resume")  # fmt: skip
    if sights:
        screen.table(HEADS, [_row(sight) for sight in sights])
    else:
        screen.say(("no calls, no texts, no dials", "dim"))
    for sight in sights:
        if sight.fault:
            screen.say((f"damaged: {printable(sight.fault)}", "bold red"))
    for name in aside:
        screen.say((f"{name} was damaged, and moved aside", "yellow"))
    return int(any(sight.fault for sight in sights))


def _row(sight: Sight) -> list[Styled]:
    pending = [one.method for one in sight.pending]
    return [
        printable(sight.id),
        str(sight.entries),
        (f"{len(pending)}: {printable(', '.join(pending))}" if pending else "", "yellow"),
        sight.kind,
        printable(sight.direction),
        ("damaged", "bold red") if sight.fault else printable(sight.state),
        clock_time(sight.since, with_date=True),
        printable(sight.actor),
    ]


def _tell(screen: Screen, options: argparse.Namespace, reader: SqliteReader) -> int:
    subject = _find(reader, options.call, options.file)
    entries = list(reader.load(subject=subject))
    sight = sight_of(entries)
    lines = list(timeline(entries, is_unmasked=options.unmasked))
    if options.json:
        _say_json(screen, {**sight.as_dict(), "timeline": [line.as_dict() for line in lines]})
        return int(bool(sight.fault))
    about = [sight.kind, printable(sight.direction), printable(sight.actor), printable(sight.state)]
    screen.say((printable(subject), "bold"), ": ", " ".join(word for word in about if word),
               f", since {clock_time(sight.since, with_date=True)} UTC")  # fmt: skip
    for line in lines:
        style = "yellow" if line.is_trouble else ""
        screen.columns(
            (clock_time(line.at), 12),
            (f"{line.elapsed:+.3f} s".rjust(12), 12),
            (line.what, 9),
            ((line.detail, style), 0),
        )
    for intent in sight.pending:
        screen.say((f"pending: {printable(intent.method)}, since {clock_time(intent.at)}", "yellow"))
    if sight.fault:
        screen.say((f"damaged: {printable(sight.fault)}", "bold red"))
    return int(bool(sight.fault))


def _check(screen: Screen, options: argparse.Namespace, reader: SqliteReader) -> int:
    faults = reader.check()
    if faults or options.json:
        return _report(screen, options, faults)
    entries = sum(1 for _ in reader.load())
    screen.say(screen.mark(True), f" sound: {_count(entries, 'entry', 'entries')} of {len(reader.subjects())}, ",
               f"{_count(reader.writers, 'writer')} so far")  # fmt: skip
    return 0


def _report(screen: Screen, options: argparse.Namespace, faults: Sequence[str]) -> int:
    told = [printable(fault) for fault in faults]
    if options.json:
        _say_json(screen, {"sound": not told, "faults": told})
        return int(bool(told))
    for fault in told:
        screen.say(screen.mark(False), " ", fault)
    screen.say(
        ("damaged.", "bold red"),
        " An application that is started with it moves it aside, and goes on with what can still be read.",
    )
    return 1


def _compact(screen: Screen, options: argparse.Namespace) -> int:
    with SqliteReader(options.file) as reader:  # a store would make what is not there
        before = reader.size
    with contextlib.closing(SqliteStore(options.file)) as store:
        ended = [subject for subject in store.subjects() if replay(store.load(subject=subject)).ended]
        for subject in ended:
            store.forget(subject)
        store.compact()
    after = os.path.getsize(options.file)  # its WAL is gone with its writer
    if options.json:
        _say_json(screen, {"before": before, "after": after, "forgotten": ended})
        return 0
    screen.say(f"{_bytes(before)} before, {_bytes(after)} after; {len(ended)} that had ended forgotten")
    return 0


def _find(reader: SqliteReader, wanted: str, file: str) -> str:
    """Return the subject that is meant.

    Raises:
        ConfigError: none is, or more than one.
    """
    subjects = reader.subjects()
    if wanted in subjects:
        return wanted
    found = [subject for subject in subjects if wanted and subject.startswith(wanted)]
    if not found:
        found = [subject for subject, entries in _by_subject(reader).items() if wanted in tags_of(entries)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"--call {wanted!r} fits {len(found)}: {_named(sorted(found))}. Give more of the id")
    near = difflib.get_close_matches(wanted, subjects, n=_MOST_NAMED, cutoff=0.5)
    hint = f"did you mean {_named(near)}?" if near else f"`relay-actors journal {file}` says which there are"
    raise ConfigError(f"--call {wanted!r}: the journal {file} has nothing of that id or tag; {hint}")


def _by_subject(reader: SqliteReader) -> dict[str, list[Entry]]:
    subjects: dict[str, list[Entry]] = {}
    for entry in reader.load():
        subjects.setdefault(entry.subject, []).append(entry)
    return subjects


def _named(subjects: Sequence[str]) -> str:
    named = ", ".join(map(printable, subjects[:_MOST_NAMED]))
    return named if len(subjects) <= _MOST_NAMED else f"{named}, …"


def _say_json(screen: Screen, what: dict[str, Any]) -> None:
    screen.say(json.dumps(what, indent=2))


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _bytes(number: int) -> str:
    return f"{number:,} bytes"
