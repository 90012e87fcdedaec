"""``relay-actors migrate app.py``: what to change in an application of the official client, and what differs here.

Layer: door.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from relay_actors.cli.logs import complain
from relay_actors.cli.migrate_imports import ByHand, Imports, uses_the_official_client
from relay_actors.cli.migrate_names import OFFICIAL
from relay_actors.cli.migrate_remarks import REMARKS
from relay_actors.cli.migrate_scopes import Scopes
from relay_actors.cli.migrate_source import Source, read_source
from relay_actors.cli.migrate_uses import Uses
from relay_actors.cli.screen import Screen, Styled
from relay_actors.errors import ConfigError

__all__ = ["Migration", "add_command", "migrate"]

PAGE: Final = "docs/how-to/coming-from-the-official-client.md"

_SUFFIXES: Final = ("", ".py", ".pyi", ".pyw")
_NOT_OURS: Final = ("__pycache__", "node_modules")
_LABEL: Final = 17
_STYLES: Final[Mapping[str, str]] = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True, slots=True)
class Migration:
    """What becomes of one file.

    Attributes:
        source: the file.
        after: its text when it is changed; the same as before if nothing is to be changed.
        by_hand: what nobody can change but its author.
        remarks: the lines for each of `REMARKS` that concerns it, and for what is used there.
    """

    source: Source
    after: str
    by_hand: Sequence[ByHand]
    remarks: Mapping[tuple[str, str], Sequence[int]]

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to write."""
        return self.after != self.source.text

    @property
    def diff(self) -> list[str]:
        """The lines of a unified diff, each with its end."""
        name = self.source.name
        after = Source(name, self.after, "", self.source.tree)
        lines = list(difflib.unified_diff(self.source.lines, after.lines, name, name))
        return [line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n" for line in lines]


def migrate(name: str, data: bytes) -> Migration | None:
    """Read an application, and return what becomes of it; None if it does not use the official client.

    Args:
        name: how the user names the file.
        data: what is in it.

    Raises:
        ConfigError: it is no Python.
    """
    source = read_source(name, data)
    try:
        scopes = Scopes(source.tree)
        if not uses_the_official_client(scopes, source.tree):
            return None
        imports, uses = Imports(source, scopes), Uses(source.tree, scopes)
    except RecursionError as error:
        raise ConfigError(f"{name}: an expression in it goes too deep to be read") from error
    return Migration(source, source.edited(imports.edits), sorted([*imports.by_hand, *uses.by_hand]), uses.remarks)


def add_command(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "migrate",
        help="have an application of the official client use this one",
        description="Reads applications that were written for the official client, `from signalwire.relay import …`, "
        "and prints for each file the change of its imports, as a diff, and what behaves differently in which of its "
        "lines. Nothing else in a file is changed, and none of it is run. The exit status is 1 when something is to "
        "be changed by hand, because there is no such name here, and 2 when a file cannot be read.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a Python file, or a directory of them")
    parser.add_argument("--write", action="store_true", help="change the files; otherwise nothing is written")
    parser.set_defaults(command=_run_command)


def _run_command(options: argparse.Namespace) -> int:
    screen = Screen()
    migrations: list[Migration] = []
    refused: list[ConfigError] = []

    def refuse(error: ConfigError) -> None:
        complain(str(error))
        refused.append(error)

    given = list(map(Path, options.files))
    for path, is_given in _files(given, refuse):
        try:
            migration = migrate(str(path), _read(path, is_given=is_given))
            if options.write and migration is not None and migration.is_changed:
                _try_to_write(path)
        except ConfigError as error:
            refuse(error)
            continue
        if migration is not None:
            migrations.append(migration)
        elif is_given:
            screen.say(f"{path}: does not use {OFFICIAL}")
    for migration in migrations:
        _tell(screen, migration)
    if migrations:
        screen.say(f"All differences: {PAGE}")
    elif not refused and all(map(os.path.isdir, given)):
        screen.say(f"no file uses {OFFICIAL}")
    if options.write and refused:
        complain("nothing was written: give files that can be read and written")
    elif options.write:
        for migration in migrations:
            _write(screen, migration)
    return 2 if refused else int(any(migration.by_hand for migration in migrations))


def _files(given: Iterable[Path], refuse: Callable[[ConfigError], None]) -> Iterator[tuple[Path, bool]]:
    """Give each file once, and whether it was given itself; of a directory, all that is written in it.

    Args:
        given: files and directories.
        refuse: is called for each directory that cannot be read.
    """
    told: set[Path] = set()
    for path in given:
        found = list(_files_in(path, refuse)) if os.path.isdir(path) else [path]
        yield from ((one, one == path) for one in found if one not in told)
        told.update(found)


def _files_in(folder: Path, refuse: Callable[[ConfigError], None]) -> Iterator[Path]:
    """Give what is written in a directory: not what is installed or hidden there."""
    for place, inner, names in os.walk(folder, onerror=lambda error: refuse(_refusal(Path(error.filename), error))):
        inner[:] = sorted(name for name in inner if not _is_passed_over(Path(place, name)))
        files = sorted(name for name in names if name.endswith((".py", ".pyw")) and not name.startswith("."))
        yield from (Path(place, name) for name in files)


def _is_passed_over(folder: Path) -> bool:
    # Not by the methods of paths, some of which raise where nothing can be seen.
    return folder.name.startswith(".") or folder.name in _NOT_OURS or os.path.exists(folder / "pyvenv.cfg")


def _read(path: Path, *, is_given: bool) -> bytes:
    """Return what is in a file; nothing, if it was only found and has nothing to do with it.

    Raises:
        ConfigError: it cannot be read, or is no Python.
    """
    if path.suffix not in _SUFFIXES:
        raise ConfigError(f"{path}: this is no Python file")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _refusal(path, error) from error
    return data if is_given or b"signalwire" in data else b""


def _refusal(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{path}: {error.strerror or error}")


def _try_to_write(path: Path) -> None:
    """Look whether a file can be written, before others are.

    Raises:
        ConfigError: it cannot.
    """
    try:
        path.open("r+b").close()
    except OSError as error:
        raise _refusal(path, error) from error


def _write(screen: Screen, migration: Migration) -> None:
    """Change a file.

    Raises:
        ConfigError: it cannot be written.
    """
    source = migration.source
    if not migration.is_changed:
        return
    try:
        Path(source.name).write_bytes(source.encoded(migration.after))
    except OSError as error:
        raise _refusal(Path(source.name), error) from error
    screen.say(f"{source.name}: written")


def _tell(screen: Screen, migration: Migration) -> None:
    name = migration.source.name
    for line in migration.diff:
        _say_exactly(screen, line)
    for one in migration.by_hand:
        screen.say((f"{name}:{one.line}", "bold"), (": to be changed by hand: ", "bold red"), one.what)
        _say_details(screen, {"to write": one.instead})
    for (code, detail), lines in migration.remarks.items():
        remark = REMARKS[code]
        where = f"{name}:{', '.join(map(str, lines))}"
        screen.say((where, "bold"), ": ", (remark.what.replace("{}", detail), "yellow"))
        told = {"official client": remark.there, "relay_actors": remark.here, "to write": remark.instead}
        _say_details(screen, {label: text.replace("{}", detail) for label, text in told.items()})
    changed = sum(line.startswith("+") for line in migration.diff[2:])
    parts = [
        "nothing is to be changed" if not changed else f"{_count(changed, 'line changes', 'lines change')}",
        f"{len(migration.by_hand)} to be changed by hand",
        _count(len(migration.remarks), "difference"),
    ]
    screen.say((f"{name}: {', '.join(parts)}", "bold"))


def _say_details(screen: Screen, details: Mapping[str, str]) -> None:
    for label, text in details.items():
        if text:
            screen.columns(("", 3), ((label, "dim"), _LABEL), (text, 0))


def _say_exactly(screen: Screen, line: str) -> None:
    """Write a line of a diff, so that ``patch`` takes it; on a terminal, in colour."""
    if not screen.is_plain:
        style = _STYLES.get(line[0], "")
        shown: Styled = ("".join(char if char.isprintable() else " " for char in line.rstrip("\r\n")), style)
        screen.say(shown)
        return
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding))
    except BrokenPipeError:
        return  # whoever has read it has read enough; `Screen` does the same


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"
