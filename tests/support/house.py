"""Reads the package's sources, for the tests that watch over the house (DESIGN 1 and 2)."""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PACKAGE = "relay_actors"


@dataclass(frozen=True)
class Module:
    """One source file of the package.

    Attributes:
        path: relative to the repository, with forward slashes: ``relay_actors/journal/codec.py``.
        name: as it is imported: ``relay_actors.journal.codec``; a package bears the name of its folder.
        text: its source.
    """

    path: str
    name: str
    text: str

    @functools.cached_property
    def tree(self) -> ast.Module:
        try:
            return ast.parse(self.text, self.path)
        except SystemError:  # CPython 3.11.7 counts wrongly when its collector runs meanwhile: python/cpython#106905
            return ast.parse(self.text, self.path)

    @property
    def is_package(self) -> bool:
        return self.path.endswith("/__init__.py")

    @property
    def part(self) -> str:
        """The room of the house that it is in: ``journal``, ``errors``; empty for ``relay_actors/__init__.py``."""
        return self.name.removeprefix(PACKAGE).lstrip(".").partition(".")[0]

    @property
    def inside(self) -> str:
        """The path inside the package: ``journal/codec.py``."""
        return self.path.removeprefix(f"{PACKAGE}/")


@dataclass(frozen=True)
class Import:
    """One thing imported, wherever in the file: at the top, in a function, or under ``TYPE_CHECKING``.

    Attributes:
        target: the module, as far as it can be told from the source: ``relay_actors.errors`` for
            ``from relay_actors.errors import JournalError``, and also for ``from relay_actors import errors``.
        name: what is taken out of it, ``JournalError``; empty when it is the module itself.
    """

    module: Module
    line: int
    target: str
    name: str = ""

    @property
    def where(self) -> str:
        return f"{self.module.path}:{self.line}"


@functools.cache
def read_package(repository: Path = REPOSITORY) -> list[Module]:
    """Read every module of the package that stands in ``repository``; once, since all watchers want the same."""
    modules = []
    for file in sorted((repository / PACKAGE).rglob("*.py")):
        path = file.relative_to(repository)
        parts = path.with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules.append(Module(path.as_posix(), name, file.read_text("utf-8")))
    return modules


def imports(modules: list[Module]) -> Iterator[Import]:
    """Give every import of every module."""
    known = {module.name for module in modules}
    for module in modules:
        for node in ast.walk(module.tree):
            for target, name in _targets(node, module, known):
                yield Import(module, node.lineno, target, name)


def _targets(node: ast.AST, module: Module, known: set[str]) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Import(names=names):
            yield from ((alias.name, "") for alias in names)
        case ast.ImportFrom(module=base, names=names, level=level):
            source = _absolute(base, level, module)
            for alias in names:
                inner = f"{source}.{alias.name}"
                yield (inner, "") if inner in known else (source, alias.name)
        case ast.Call(
            func=ast.Name(id="__import__") | ast.Name(id="import_module") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(target)), *_],
        ):
            yield target, ""


def _absolute(base: str | None, level: int, module: Module) -> str:
    if level == 0:
        return base or ""
    parts = module.name.split(".")
    up = level - 1 if module.is_package else level
    return ".".join([*parts[: len(parts) - up], *([base] if base else [])])
