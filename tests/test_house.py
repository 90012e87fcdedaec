"""The rules of the house that no linter knows: what a file may do, and what belongs beside it (DESIGN 1 and 2)."""

import ast
import fnmatch
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.house import REPOSITORY, Module, imports, read_package

LONGEST = 600

NAMED_PLACES = (
    "runtime/clock.py",
    "runtime/dispatcher*.py",
    "transport/*.py",
    "cli/*.py",
    "runtime/loop_calls.py",
    "client/relay_client.py",
    "simulator/websockets_*.py",
)
"""Where clocks are read, threads started, sockets opened and ids drawn; all others are given them. Source: DESIGN 2."""

NOT_DETERMINED = (
    "_thread.*",
    "asyncio.new_event_loop",
    "asyncio.run",
    "asyncio.Runner",
    "asyncio.sleep",
    "concurrent.futures.*Executor",
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "multiprocessing.*",
    "os.getrandom",
    "os.urandom",
    "random.*",
    "secrets.*",
    "select.*",
    "selectors.*",
    "socket.*",
    "subprocess.*",
    "threading.Thread",
    "threading.Timer",
    "time.*",
    "uuid.getnode",
    "uuid.uuid1",
    "uuid.uuid4",
)
"""What differs from run to run. Locks do not; a `Random` that is given a seed does not either."""


def long_files(files: dict[str, str]) -> list[str]:
    """Say every file that is too long."""
    return [
        f"{path} has {lines} lines, and {LONGEST} is the most: it has more than one reason to change; split it"
        for path, text in files.items()
        if (lines := text.count("\n")) > LONGEST
    ]


def needs_no_test(module: Module) -> bool:
    """Return whether there is nothing to test: a seam, a window, or literal values.

    A seam is a module of `Protocol` classes (and every ``base.py`` is one, by its name); a window only imports.
    """
    if module.is_package or module.path.endswith("/base.py"):
        return True
    for node in module.tree.body:
        match node:
            case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
                continue
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value) if is_literal(value):
                continue
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=[]):
                continue
            case ast.ClassDef(bases=bases) if any(ast.unparse(base).partition("[")[0] == "Protocol" for base in bases):
                continue
            case _:
                return False
    return True


def is_literal(value: ast.expr) -> bool:
    """Return whether it is a value that is written down, with nothing computed."""
    try:
        ast.literal_eval(value)
    except ValueError:
        return False
    return True


def place_of_tests(module: Module) -> str:
    """Where the tests of ``module`` belong: ``tests/journal/test_codec.py`` for ``relay_actors/journal/codec.py``."""
    folder, _, name = module.inside.rpartition("/")
    return "/".join(part for part in ("tests", folder, f"test_{name.removesuffix('.py').strip('_')}.py") if part)


def missing_pairs(modules: list[Module], repository: Path) -> list[str]:
    """Say every module that has no test file of its own."""
    return [
        f"{module.path} has no {place_of_tests(module)}"
        for module in modules
        if not needs_no_test(module) and not (repository / place_of_tests(module)).is_file()
    ]


def undetermined(modules: list[Module]) -> list[str]:
    """Say every use, outside the named places, of what differs from run to run."""
    found = []
    for module in modules:
        if any(fnmatch.fnmatch(module.inside, place) for place in NAMED_PLACES):
            continue
        names = dict(imported_names(module.tree))
        for node, is_bare_call in uses(module.tree):
            dotted = resolve(node, names)
            if dotted == "random.Random" and not is_bare_call:
                continue
            if any(fnmatch.fnmatchcase(dotted, pattern) for pattern in NOT_DETERMINED):
                found.append(
                    f"{module.path}:{node.lineno} uses {dotted}: only {', '.join(NAMED_PLACES)} may. "
                    "Take a Clock, Dispatcher, Random or Ids as an argument (DESIGN 2)"
                )
    return found


def imported_names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Give each imported name with what it stands for: ``("monotonic", "time.monotonic")``."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
            case ast.ImportFrom(module=str(source), names=names, level=0):
                for alias in names:
                    yield alias.asname or alias.name, f"{source}.{alias.name}"


def uses(node: ast.AST) -> Iterator[tuple[ast.expr, bool]]:
    """Give each name and dotted name that is used, outside annotations; True: it is called without an argument."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            match child:
                case ast.Call(func=ast.Name() | ast.Attribute() as func, args=args, keywords=keywords):
                    yield func, not args and not keywords
                    for argument in [*args, *keywords]:
                        yield from uses(ast.Expr(value=argument))
                    if isinstance(func, ast.Attribute):
                        yield from uses(ast.Expr(value=func.value))
                case ast.Name() | ast.Attribute():
                    yield child, False
                    yield from uses(child)
                case ast.AST():
                    yield from uses(child)


def resolve(node: ast.expr, names: dict[str, str]) -> str:
    """Return what a dotted name stands for; empty when it does not begin with something imported."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return ""
    return ".".join([names[node.id], *reversed(parts)])


def wrong_exports(modules: list[Module]) -> list[str]:
    """Say what is wrong with each module's ``__all__``: missing, unsorted, incomplete, or naming what is not there.

    Every class and function without an underscore belongs into it, and every other name that another module imports.
    """
    taken: dict[str, set[str]] = {}
    for one in imports(modules):
        taken.setdefault(one.target, set()).add(one.name)
    return [problem for module in modules for problem in wrong_list(module, taken.get(module.name, set()))]


def wrong_list(module: Module, taken: set[str]) -> list[str]:
    """Say what is wrong with the ``__all__`` of a module from which others import the names ``taken``."""
    listed: list[str] | None = None
    public: list[str] = []
    here: set[str] = set()
    for node in module.tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value) if is_literal(value):
                listed = list(ast.literal_eval(value))
            case ast.ImportFrom(names=[ast.alias(name="__all__")]):
                return []  # a window on one other module: its list is that one's
            case ast.ImportFrom(module=str(source), names=[ast.alias(name="*")]) if source.startswith("relay_actors."):
                here.update(importlib.import_module(source).__all__)
            case ast.Assign(targets=targets):
                here |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                here.add(name)
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                here.add(name)
                public.append(name)
            case ast.ImportFrom(names=names):
                here |= {alias.asname or alias.name for alias in names}
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=body) if not module.part:
                # `relay_actors` itself loads them when they are asked for; that it does is a test of its own.
                here |= {alias.name for one in body if isinstance(one, ast.ImportFrom) for alias in one.names}
    wanted = [name for name in dict.fromkeys([*public, *sorted(taken & here)]) if not name.startswith("_")]
    if listed is None:
        return [f"{module.path} has no __all__, and is to list {', '.join(wanted)}"] if wanted else []
    problems = []
    if listed != sorted(listed, key=export_order):
        problems.append(f"{module.path}: __all__ is not sorted; it should be {sorted(listed, key=export_order)}")
    if absent := [name for name in wanted if name not in listed]:
        problems.append(f"{module.path}: __all__ lacks {', '.join(absent)}; list them, or begin their names with _")
    if unknown := [name for name in listed if name not in here]:
        problems.append(f"{module.path}: __all__ names {', '.join(unknown)}, which it does not have")
    if repeated := sorted({name for name in listed if listed.count(name) > 1}):
        problems.append(f"{module.path}: __all__ repeats {', '.join(repeated)}")
    return problems


def export_order(name: str) -> tuple[int, list[str | int]]:
    """Constants, then classes, then the rest, each with numbers in their own order, as ruff sorts them (RUF022)."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def swallowed(path: str, tree: ast.Module) -> list[str]:
    """Say every place where an error of any kind is caught and forgotten."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.ExceptHandler(type=None):
                found.append(
                    f"{path}:{node.lineno} catches everything, also the end of the process; name what it expects"
                )
            case ast.ExceptHandler(body=[ast.Pass() | ast.Expr(value=ast.Constant())]):
                found.append(
                    f"{path}:{node.lineno} catches and forgets; say by contextlib.suppress, with a reason, or handle it"
                )
            case ast.Call(func=ast.Name(id="suppress") | ast.Attribute(attr="suppress"), args=args):
                if any(isinstance(arg, ast.Name) and arg.id in ("Exception", "BaseException") for arg in args):
                    found.append(f"{path}:{node.lineno} suppresses every error; name what it expects")
    return found


def unfinished(path: str, text: str) -> list[str]:
    """Say every line that promises to be written later."""
    marks = "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error"))
    return [
        f"{path}:{number} is unfinished: {line.strip()}"
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(rf"\b(?:{marks})\b", line)
    ]


def sleepers(path: str, tree: ast.Module) -> list[str]:
    """Say every place of a test that waits for time to pass."""
    names = dict(imported_names(tree))
    return [
        f"{path}:{node.lineno} sleeps: wait on an event with a deadline, or advance the clock"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and resolve(node.func, names) == "time.sleep"
    ]


def sources(*folders: str) -> dict[str, str]:
    """Every Python file under these folders of the repository, with its text."""
    files = [file for folder in folders for file in sorted((REPOSITORY / folder).rglob("*.py"))]
    return {file.relative_to(REPOSITORY).as_posix(): file.read_text("utf-8") for file in files}


def complain(problems: list[str]) -> None:
    assert not problems, "\n" + "\n".join(problems)


def test_no_file_is_too_long():
    """One reason to change per file (DESIGN 1)."""
    complain(long_files(sources("relay_actors", "examples")))


def test_each_module_has_its_tests():
    """Whoever changes a module knows where its behaviour is written down (STYLE, Tests)."""
    complain(missing_pairs(read_package(), REPOSITORY))


def test_nothing_reads_a_clock_or_draws_chance_outside_the_named_places():
    """So that a whole application runs from one seed, the same every time (DESIGN 2; SEMANTICS V3)."""
    complain(undetermined(read_package()))


def test_each_module_lists_exactly_what_is_public():
    """What is not in the list may change without a word."""
    complain(wrong_exports(read_package()))


def test_no_error_is_swallowed():
    """Nothing fails in silence (DESIGN, priority 1)."""
    complain(
        [
            problem
            for path, text in sources("relay_actors", "examples").items()
            if "except" in text or "suppress" in text
            for problem in swallowed(path, ast.parse(text))
        ]
    )


def test_nothing_is_left_unfinished():
    """What is not there belongs into an issue, where it is seen."""
    complain(
        [problem for path, text in sources("relay_actors", "examples").items() for problem in unfinished(path, text)]
    )


def test_tests_do_not_sleep():
    """A sleep is too short on a slow machine and too long on every other one (STYLE, Tests)."""
    complain(
        [
            problem
            for path, text in sources("tests").items()
            if "sleep" in text  # to parse all of it takes long
            for problem in sleepers(path, ast.parse(text))
        ]
    )


# The rules themselves, tried on made-up code: a rule that cannot fail is none.


def made_up(text: str, path: str = "relay_actors/actors/thing.py") -> Module:
    return Module(path, path.removesuffix(".py").replace("/", "."), text)


def test_a_long_file_is_told():
    """The boundary is on the right side."""
    assert long_files({"a.py": "x\n" * LONGEST}) == []
    [told] = long_files({"a.py": "x\n" * (LONGEST + 1)})
    assert told.startswith("a.py has 601 lines")


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("relay_actors/journal/thing.py", "def f(): ...\n", "tests/journal/test_thing.py"),
        ("relay_actors/actors/verbs/thing.py", "class A:\n    x = 1\n", "tests/actors/verbs/test_thing.py"),
        ("relay_actors/thing.py", "X = [i for i in ()]\n", "tests/test_thing.py"),
        ("relay_actors/__main__.py", "main()\n", "tests/test_main.py"),
        ("relay_actors/journal/base.py", "def f(): ...\n", None),
        ("relay_actors/journal/__init__.py", "def f(): ...\n", None),
        ("relay_actors/thing.py", '"""Window."""\nfrom a import b\n__all__ = ["b"]\n', None),
        ("relay_actors/thing.py", "X: int = 5\nY = {'a': (1, 2)}\n", None),
        ("relay_actors/thing.py", "class Seam(Protocol[T]):\n    def f(self): ...\n", None),
        ("relay_actors/thing.py", "if TYPE_CHECKING:\n    from a import b\nX: int = 5\n", None),
        ("relay_actors/thing.py", "class Seam(Protocol): ...\ndef f(): ...\n", "tests/test_thing.py"),
    ],
)
def test_a_module_without_tests_is_told(tmp_path: Path, path: str, text: str, expected: str | None):
    """Unless there is nothing to test in it: that is decided by what is in it, not by a list."""
    module = made_up(text, path)

    assert missing_pairs([module], tmp_path) == ([f"{path} has no {expected}"] if expected else [])

    if expected:
        (tmp_path / expected).parent.mkdir(parents=True)
        (tmp_path / expected).touch()
        assert missing_pairs([module], tmp_path) == []


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("import time\nx = time.monotonic()\n", "time.monotonic"),
        ("import time as t\nx = t.time()\n", "time.time"),
        ("from time import sleep\nsleep(1)\n", "time.sleep"),
        ("from time import monotonic\ndef f(clock=monotonic): ...\n", "time.monotonic"),
        ("def f():\n    import time\n    return [time.time() for _ in ()]\n", "time.time"),
        ("from datetime import datetime\nx = str(datetime.now())\n", "datetime.datetime.now"),
        ("import uuid\nx = uuid.uuid4().hex\n", "uuid.uuid4"),
        ("import random\nx = random.random()\n", "random.random"),
        ("from random import Random\nx = Random()\n", "random.Random"),
        ("import threading\nclass T(threading.Thread): ...\n", "threading.Thread"),
        ("import threading\nthreading.Timer(1, print).start()\n", "threading.Timer"),
        ("import socket\nx = socket.create_connection(('a', 1))\n", "socket.create_connection"),
        (
            "from concurrent.futures import ThreadPoolExecutor\nx = ThreadPoolExecutor()\n",
            "concurrent.futures.ThreadPoolExecutor",
        ),
        ("import os\nx = [os.urandom(8)]\n", "os.urandom"),
        ("import asyncio\nasyncio.run(main())\n", "asyncio.run"),
    ],
)
def test_what_differs_from_run_to_run_is_told(text: str, used: str):
    """Under any name, called or handed on; and in the named places it is left alone."""
    [told] = undetermined([made_up(text)])

    assert told.startswith("relay_actors/actors/thing.py:")
    assert f" uses {used}: only runtime/clock.py" in told
    for place in ("runtime/clock.py", "runtime/dispatcher_baton.py", "transport/stages.py", "cli/main.py"):
        assert undetermined([made_up(text, f"relay_actors/{place}")]) == []


@pytest.mark.parametrize(
    "text",
    [
        "import threading\nx = threading.Lock()\nthreading.get_ident()\n",
        "from random import Random\nx = Random(7)\ndef f(source: Random) -> Random: ...\n",
        "import time\ndef f(x: time.struct_time) -> None:\n    y: time.struct_time = x\n",
        "from uuid import UUID\nx = UUID(int=5, version=4)\n",
        "from datetime import datetime\nx = datetime.fromtimestamp(5.0)\n",
        "def f(time):\n    return time.time()\n",
    ],
)
def test_what_is_determined_is_left_alone(text: str):
    """Locks, seeded chance, types, and names that only look alike."""
    assert undetermined([made_up(text)]) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def f(): ...\n", "has no __all__, and is to list f"),
        ("X = 1\n", "has no __all__, and is to list X"),
        ("__all__ = []\nclass A: ...\nX: int = 1\ndef _g(): ...\n", "__all__ lacks A, X"),
        ("__all__ = ['f', 'A']\ndef f(): ...\nclass A: ...\n", "is not sorted; it should be ['A', 'f']"),
        ("__all__ = ['a10', 'a9']\na9 = a10 = 1\n", "is not sorted; it should be ['a9', 'a10']"),
        ("__all__ = ['A', 'A']\nclass A: ...\n", "repeats A"),
        ("__all__ = ['A', 'B']\nclass A: ...\n", "names B, which it does not have"),
    ],
)
def test_a_wrong_list_of_exports_is_told(text: str, told: str):
    """Missing, incomplete, unsorted, repeated or invented; X is what another module takes."""
    taker = made_up("from relay_actors.actors.thing import X, _private\n", "relay_actors/actors/other.py")

    [problem] = wrong_exports([made_up(text), taker])

    assert problem.startswith("relay_actors/actors/thing.py")
    assert told in problem


@pytest.mark.parametrize(
    "text",
    [
        "import logging\nlog = logging.getLogger(__name__)\nT = TypeVar('T')\nBOUND = 5\n",
        "__all__ = ['MAX', 'A', 'X', 'f']\nMAX = 1\nclass A: ...\nX = A\ndef f(): ...\nasync def _g(): ...\n",
        "from a import b\n__all__ = ['b']\n",
        "from a import *\nfrom a import __all__ as __all__\n",
        '"""Nothing but words."""\n',
    ],
)
def test_a_right_list_of_exports_is_left_alone(text: str):
    """A constant that nobody else uses needs no entry; a window may borrow its list."""
    assert wrong_exports([made_up(text)]) == []


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    f()\nexcept ValueError:\n    pass\n",
        "try:\n    f()\nexcept ValueError:\n    ...\n",
        "try:\n    f()\nexcept:\n    g()\n",
        "from contextlib import suppress\nwith suppress(Exception):\n    f()\n",
        "import contextlib\nwith contextlib.suppress(KeyError, BaseException):\n    f()\n",
    ],
)
def test_a_swallowed_error_is_told(text: str):
    """In every way in which Python lets one swallow it."""
    assert len(swallowed("x.py", ast.parse(text))) == 1
    assert swallowed("x.py", ast.parse("try:\n    f()\nexcept ValueError:\n    log.debug('no')\n")) == []


@pytest.mark.parametrize("mark", ["# TO" + "DO: later", "raise NotImplemented" + "Error", "x = 1  # XX" + "X"])
def test_an_unfinished_line_is_told(mark: str):
    """Wherever in the line it stands."""
    assert unfinished("x.py", f"a = 1\n{mark}\n") == [f"x.py:2 is unfinished: {mark}"]
    assert unfinished("x.py", "TODOS = 1\n") == []


@pytest.mark.parametrize("text", ["import time\ntime.sleep(1)\n", "from time import sleep as rest\nrest(1)\n"])
def test_a_sleeping_test_is_told(text: str):
    """Under any name."""
    assert len(sleepers("x.py", ast.parse(text))) == 1
    assert sleepers("x.py", ast.parse("clock.sleep(1)\n")) == []
