"""The house stands: arrows go down only, nothing goes round in circles, each library has one door (DESIGN 1 and 7)."""

import fnmatch
import graphlib
import itertools
import sys
from pathlib import Path

import pytest

from tests.support.house import PACKAGE, Module, imports, read_package

FLOOR = frozenset({"_version", "config", "errors", "late_dataclasses"})
PILLARS = frozenset({"journal", "protocol", "runtime", "transport"})
HALL = FLOOR | PILLARS | {"actors"}
STAIR = HALL | {"app", "connection_slots"}
WINDOWS = frozenset({"", "commands", "constants", "events", "params"})
"""Names only, for the world outside. The empty name is ``relay_actors`` itself."""

MAY_IMPORT = {
    "__main__": frozenset({"cli"}),
    "_version": frozenset(),
    "errors": frozenset(),
    "late_dataclasses": frozenset(),
    "config": frozenset({"errors", "late_dataclasses"}),
    "journal": FLOOR,
    "protocol": FLOOR,
    "runtime": FLOOR,
    "transport": FLOOR,
    "actors": FLOOR | PILLARS,
    "simulator": FLOOR | {"protocol", "runtime"},
    "app": HALL | {"connection_slots"},
    "connection_slots": FLOOR,
    "client": STAIR,
    "testing": STAIR | {"simulator"},
    "cli": STAIR | {"simulator", "testing"},
    "commands": frozenset({"protocol"}),
    "constants": frozenset({"protocol"}),
    "events": frozenset({"protocol"}),
    "params": frozenset({"protocol"}),
    "": STAIR | {"client", "commands", "constants", "events", "params"},
}
"""Which parts of the package each part may import; its own modules always. Source: DESIGN 1."""

LIBRARIES = {
    "cryptography": "simulator/tls.py",  # for certificates of the simulator's own; optional
    "msgpack": "journal/codec.py",
    "opentelemetry": "runtime/otel.py",  # optional
    "orjson": "protocol/json_codec.py",
    "pykka": "runtime/*.py",
    "pytest": "testing/*.py",
    "rich": "cli/*.py",
    "websocket": "transport/websocket_client.py",
    "websockets": "simulator/websockets_*.py",
}
"""Where each library may be imported. Source: DESIGN 7."""


def wrong_arrows(modules: list[Module]) -> list[str]:
    """Say every import that goes up or across."""
    found = []
    for one in imports(modules):
        if one.target.partition(".")[0] != PACKAGE:
            continue
        part = one.module.part
        target = Module("", one.target, "").part
        if part not in MAY_IMPORT:
            found.append(f"{one.module.path}: {part!r} has no place in the house; decide which, in MAY_IMPORT")
        elif target != part and target not in MAY_IMPORT[part]:
            allowed = ", ".join(sorted(MAY_IMPORT[part])) or "nothing"
            found.append(
                f"{one.where} imports {one.target}: {part or PACKAGE} may import {allowed} (DESIGN 1). "
                "If two need each other, what they share is a third one below both"
            )
    return sorted(set(found))


def strangers(modules: list[Module]) -> list[str]:
    """Say every import of a library outside its one place."""
    found = []
    for one in imports(modules):
        library = one.target.partition(".")[0]
        if library == PACKAGE or library in sys.stdlib_module_names:
            continue
        place = LIBRARIES.get(library)
        if place is None:
            found.append(f"{one.where} imports {library}, which is none of our dependencies (DESIGN 7)")
        elif not fnmatch.fnmatch(one.module.inside, place):
            found.append(f"{one.where} imports {library}: only {place} knows this library (DESIGN 7)")
    return sorted(found)


def circle(modules: list[Module]) -> list[str]:
    """Return modules that import each other in a circle, the first one again at the end; empty: there is none."""
    graph: dict[str, set[str]] = {module.name: set() for module in modules}
    for one in imports(modules):
        if one.target in graph and one.target != one.module.name:
            graph[one.module.name].add(one.target)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(reversed(error.args[1]))
    return []


def test_arrows_go_down_only():
    """The pillars are strangers to each other, and nothing below knows what is above (DESIGN 1)."""
    assert not (wrong := wrong_arrows(read_package())), "\n".join(wrong)


def test_each_library_is_imported_in_its_one_place():
    """So that a library can be exchanged by rewriting one file (DESIGN 7)."""
    assert not (found := strangers(read_package())), "\n".join(found)


def test_no_modules_import_each_other_in_a_circle():
    """Also not under ``TYPE_CHECKING``: two modules that need each other are one, or three (DESIGN 1)."""
    assert not (found := circle(read_package())), " imports ".join(found)


def test_the_table_itself_goes_down():
    """A wrong entry in the table would let every arrow pass that the house forbids."""
    graphlib.TopologicalSorter(MAY_IMPORT).prepare()

    for pillar in PILLARS:
        assert MAY_IMPORT[pillar] == FLOOR
    assert not (MAY_IMPORT["simulator"] & {"transport", "journal", "actors", "app"})
    assert not any(
        window in allowed
        for allowed in MAY_IMPORT.values()
        for window in WINDOWS - {"commands", "constants", "events", "params"}
    )
    for part, allowed in MAY_IMPORT.items():
        assert allowed <= MAY_IMPORT.keys(), part


def house(tmp_path: Path, files: dict[str, str]) -> list[Module]:
    """A made-up package of these files, by their path inside it."""
    for path in {
        "__init__.py": "",
        **{f"{path.partition('/')[0]}/__init__.py": "" for path in files if "/" in path},
        **files,
    }:
        file = tmp_path / PACKAGE / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(files.get(path, ""), "utf-8")
    return read_package.__wrapped__(tmp_path)  # not the remembered one: its files may have changed


IN_A_FUNCTION = "def later():\n    from relay_actors.runtime.clock import Clock\n"
FOR_TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from relay_actors.runtime.clock import Clock\n"


@pytest.mark.parametrize(
    ("place", "source", "line"),
    [
        ("journal/codec.py", "from relay_actors.runtime.clock import Clock\n", 1),
        ("journal/codec.py", "import relay_actors.runtime.clock\n", 1),
        ("journal/codec.py", "from relay_actors import runtime\n", 1),
        ("journal/codec.py", "from ..runtime import clock\n", 1),
        ("journal/codec.py", "from .. import runtime\n", 1),
        ("journal/codec.py", "import importlib\nimportlib.import_module('relay_actors.runtime.clock')\n", 2),
        ("journal/codec.py", IN_A_FUNCTION, 2),
        ("journal/codec.py", FOR_TYPES, 3),
        ("journal/__init__.py", "from ..runtime.clock import Clock\n", 1),
        ("protocol/frames.py", "from relay_actors.transport.base import Transport\n", 1),
        ("runtime/cell.py", "from relay_actors.actors.call import CallActor\n", 1),
        ("transport/memory.py", "from relay_actors.app import RelayApp\n", 1),
        ("simulator/world.py", "from relay_actors.transport.memory import pair\n", 1),
        ("simulator/world.py", "from relay_actors.journal.memory import MemoryStore\n", 1),
        ("actors/call.py", "from relay_actors.simulator.world import World\n", 1),
        ("actors/call.py", "from relay_actors.app import RelayApp\n", 1),
        ("actors/call.py", "from relay_actors.events import PlayEvent\n", 1),
        ("actors/call.py", "from relay_actors import __version__\n", 1),
        ("client/call.py", "from relay_actors.cli.main import main\n", 1),
        ("errors.py", "from relay_actors.config import Timing\n", 1),
        ("config.py", "from relay_actors.protocol.states import CallState\n", 1),
        ("events.py", "from relay_actors.actors.call import CallActor\n", 1),
    ],
)  # fmt: skip
def test_a_wrong_arrow_is_caught_and_told(tmp_path: Path, place: str, source: str, line: int):
    """Of every form that an import can have; the text leads to the line and says what is allowed instead."""
    modules = house(tmp_path, {"runtime/clock.py": "", place: source})

    [told] = wrong_arrows(modules)

    assert told.startswith(f"relay_actors/{place}:{line} imports relay_actors")
    assert "may import" in told


def test_a_part_that_nobody_gave_a_place_is_told(tmp_path: Path):
    """A new folder needs a decision, not luck."""
    [told] = wrong_arrows(house(tmp_path, {"helpers/things.py": "from relay_actors.errors import JournalError\n"}))

    assert told == "relay_actors/helpers/things.py: 'helpers' has no place in the house; decide which, in MAY_IMPORT"


def test_right_arrows_are_not_caught(tmp_path: Path):
    """A test that cries at everything would be switched off."""
    modules = house(
        tmp_path,
        {
            "errors.py": "import sys\n",
            "journal/base.py": "from relay_actors.errors import JournalError\n"
            "from . import codec\n"
            "from .codec import decode\n",
            "journal/codec.py": "import msgpack\nimport zlib\nfrom ..errors import JournalError\n",
            "actors/call.py": "from relay_actors.journal.base import Store\nfrom relay_actors.runtime import actor\n",
            "simulator/world.py": "from relay_actors.protocol.frames import Frame\n",
            "testing/plugin.py": "import pytest\nfrom relay_actors.simulator.world import World\n",
        },
    )

    assert wrong_arrows(modules) == []
    assert strangers(modules) == []
    assert circle(modules) == []


@pytest.mark.parametrize(
    ("place", "source", "told"),
    [
        ("journal/sqlite.py", "import msgpack\n", "imports msgpack: only journal/codec.py knows this library"),
        ("journal/sqlite.py", "def f():\n    from msgpack import packb\n", "imports msgpack: only journal/codec.py"),
        ("transport/memory.py", "import websocket._core\n", "only transport/websocket_client.py"),
        ("actors/call.py", "from pykka import ThreadingActor\n", r"only runtime/*.py"),
        ("simulator/world.py", "import websockets.sync.server\n", r"only simulator/websockets_*.py"),
        ("runtime/actor.py", "import requests\n", "which is none of our dependencies"),
        ("protocol/frames.py", "import hypothesis\n", "which is none of our dependencies"),
    ],
)
def test_a_library_outside_its_place_is_caught_and_told(tmp_path: Path, place: str, source: str, told: str):
    """Also one that is not declared at all, and would be missing where the package is installed."""
    [found] = strangers(house(tmp_path, {place: source}))

    assert told in found
    assert found.startswith(f"relay_actors/{place}:")


def test_a_circle_is_caught_and_told(tmp_path: Path):
    """In the order of the arrows, so that it can be cut where it is thinnest."""
    modules = house(
        tmp_path,
        {
            "journal/a.py": "from relay_actors.journal import b\n",
            "journal/b.py": "def f():\n    from .c import x\n",
            "journal/c.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import relay_actors.journal.a\n",
        },
    )

    found = circle(modules)

    assert len(found) == 4
    assert found[0] == found[-1]
    arrows = set(itertools.pairwise(found))
    names = [f"relay_actors.journal.{letter}" for letter in "abc"]
    assert arrows == {(names[0], names[1]), (names[1], names[2]), (names[2], names[0])}
