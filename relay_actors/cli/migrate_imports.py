"""What to change in a program that imports the official client, so that it imports ours. Layer: door.

Only the imports themselves are changed, and the dotted names that begin with them: all else stays byte for byte.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from relay_actors.cli.migrate_names import BY_STAR, CLIENT, MISSING, OFFICIAL, OURS, is_official, names_in, place_of
from relay_actors.cli.migrate_scopes import Scope, Scopes
from relay_actors.cli.migrate_source import Edit, Source, Span

__all__ = ["ByHand", "Imports", "uses_the_official_client"]

_TOP: Final = "signalwire"
_TOKEN: Final = re.compile(r"#[^\r\n]*|[^\W\d]\w*|[^\s\\]")
_SPACES: Final = " \t\f"
_MODULE_IN_TEXT: Final = re.compile(rf"\b{re.escape(OFFICIAL)}\b")


class ByHand(NamedTuple):
    """What cannot be migrated by itself.

    Attributes:
        line: where it is.
        what: what it is.
        instead: what to write; "" if nobody knows.
    """

    line: int
    what: str
    instead: str


class _Chain(NamedTuple):
    """A dotted name that begins with an import.

    Attributes:
        nodes: from the first name to the whole.
        imported: what the first name means.
        root: the scope in which the whole package is imported, if that is what it means.
    """

    nodes: list[ast.Name | ast.Attribute]
    imported: str
    root: Scope | None

    @property
    def names(self) -> list[str]:
        """All that is said after what is imported."""
        return [node.attr for node in self.nodes if isinstance(node, ast.Attribute)]


@dataclass
class _Root:
    """With what the dotted names begin that begin with the whole package, as it is imported in one scope.

    Attributes:
        needed: modules of ours.
        has_others: whether some begin with other parts of the package.
        is_left: whether some begin with the official client, because we do not have what is meant.
    """

    needed: set[str] = field(default_factory=set)
    has_others: bool = False
    is_left: bool = False


class Imports:
    """The imports of the official client in one program.

    Args:
        source: the program.
        scopes: of it.

    Attributes:
        edits: what to change.
        by_hand: what cannot be changed by itself.
    """

    def __init__(self, source: Source, scopes: Scopes) -> None:
        self.edits: list[Edit] = []
        self.by_hand: list[ByHand] = []
        self._source = source
        self._scopes = scopes
        self._aliases = [
            alias for node in ast.walk(source.tree) if isinstance(node, ast.Import) for alias in node.names
        ]
        self._plain = {alias.name for alias in self._aliases if alias.name in OURS and not alias.asname}
        self._roots: dict[Scope, _Root] = {}
        for chain in self._chains():
            self._rewrite(chain)
        for node in ast.walk(source.tree):
            match node:
                case ast.ImportFrom(module=str(module), level=0) if module == _TOP or is_official(module):
                    self._import_from(node, module)
                case ast.Constant(value=str(text)) if _MODULE_IN_TEXT.search(text) and not re.search(r"\s", text):
                    ours = re.sub(rf"\b{re.escape(OFFICIAL)}\b(\.[a-z]\w*)?", "relay_actors.client", text)
                    self._note(node, f"the text {text!r} names the official client", f"{ours!r}, if it is there")
        self._plain_imports()
        self._by_star()
        self.edits.sort()
        self.by_hand.sort()

    # -- dotted names ------------------------------------------------------------------------------------------------

    def _chains(self) -> Iterator[_Chain]:
        for node in ast.walk(self._source.tree):
            if not isinstance(node, ast.Name):
                continue
            for binding in self._scopes.find(node):
                if binding.imported == _TOP or binding.imported in OURS:
                    nodes: list[ast.Name | ast.Attribute] = [node]
                    while isinstance(parent := self._scopes.parents[nodes[-1]], ast.Attribute):
                        nodes.append(parent)
                    if node is not binding.node:
                        root = self._scopes.of(binding.node) if binding.imported == _TOP else None
                        yield _Chain(nodes, binding.imported, root)
                    break

    def _rewrite(self, chain: _Chain) -> None:
        words = [*chain.imported.split("."), *chain.names]
        root = self._roots.setdefault(chain.root, _Root()) if chain.root is not None else None
        if root is not None and words[1:2] != ["relay"]:
            root.has_others = True
            return
        deeper = ".".join(words[:3])
        module = deeper if deeper in OURS else OFFICIAL
        rest = words[module.count(".") + 1 :]
        last = chain.nodes[len(chain.nodes) - 1 - len(rest)]  # of the module
        name = rest[0] if rest else ""
        place = self._place_in_chain(chain, module, name)
        if not place:
            self._missing(last, module, name)
            if root is not None:
                root.is_left = True
        elif root is not None:
            root.needed.add(place)
            self._replace_words(Span(self._source.span(chain.nodes[0]).start, self._source.span(last).end), place)
        elif last is not chain.nodes[0]:  # relay.event.PlayEvent: our module has the name itself
            self._replace_words(Span(self._source.span(chain.nodes[0]).end, self._source.span(last).end), "")

    def _place_in_chain(self, chain: _Chain, module: str, name: str) -> str:
        """Return the module of ours that is meant, or "" if it has no such name."""
        if chain.root is not None:
            if name in names_in(CLIENT) and module not in self._plain:
                return CLIENT
            return place_of(module, name) if name else OURS[module]
        place = OURS[chain.imported]
        is_there = name in names_in(place) if name else chain.imported == module
        return place if is_there else ""

    # -- from signalwire.relay import … ------------------------------------------------------------------------------

    def _import_from(self, node: ast.ImportFrom, module: str) -> None:
        """Give each name to its place: most stay in this statement, the others get one of their own."""
        groups: dict[str, list[tuple[ast.alias, str]]] = {}
        for alias in node.names:
            place, text = self._place(alias, module)
            if place == module and is_official(module):
                self._missing(alias, module, alias.name)
            groups.setdefault(place, []).append((alias, text))
        if list(groups) == [module]:
            return
        of_ours = [place for place in groups if place != module]
        stays = _TOP if _TOP in groups else max(of_ours, key=lambda place: len(groups[place]))
        start, end = self._source.span(node)
        if stays != module:
            self._replace(_module_span(self._source.text, start, end), stays)
        for alias, text in groups[stays]:
            if text != self._source.text_of(alias):
                self._replace(self._source.span(alias), text)
        del groups[stays]
        if groups:
            self._take_out(node, {alias for aliases in groups.values() for alias, _text in aliases})
            names = {place: ", ".join(text for _alias, text in aliases) for place, aliases in groups.items()}
            self._put_after(node, [f"from {place} import {names[place]}" for place in sorted(names)])

    def _place(self, alias: ast.alias, module: str) -> tuple[str, str]:
        """Return from where of ours to import a name, and how; the module that it is in, when we do not have it."""
        text = self._source.text_of(alias)
        whole = f"{module}.{alias.name}"
        if whole in OURS:
            package, _dot, name = OURS[whole].rpartition(".")
            bound = alias.asname or alias.name
            return package, name if bound == name else f"{name} as {bound}"
        return (place_of(module, alias.name) or module), text

    def _take_out(self, node: ast.ImportFrom, gone: set[ast.alias]) -> None:
        text = self._source.text
        kept = [alias for alias in node.names if alias not in gone]
        if not _is_in_brackets(text, self._source.span(node)):  # no comma may be left at the end
            end = self._source.span(kept[-1]).end
            self._replace(Span(end, self._source.span(node).end), "")
            gone = gone.intersection(node.names[: node.names.index(kept[-1])])
        for alias in gone:
            start, end = self._source.span(alias)
            (comma,) = _tokens(text, end, 1)
            if text[slice(*comma)] == "," and not text[end : comma.start].strip(_SPACES):
                end = comma.end
            elif text[slice(*comma)] == ",":
                self._replace(comma, "")
            line = self._source.line_around(start)
            if not text[line.start : start].strip() and not text[end : line.end].strip():
                start, end = line  # nothing else is in it
            else:
                end += len(text[end : line.end]) - len(text[end : line.end].lstrip(_SPACES))
            self._replace(Span(start, end), "")

    def _put_after(self, node: ast.ImportFrom, statements: list[str]) -> None:
        text = self._source.text
        start, end = self._source.span(node)
        first, last = self._source.line_around(start), self._source.line_around(end - 1)
        indent, rest = text[first.start : start], text[end : last.end]
        is_continued = text[: first.start].rstrip("\r\n").endswith("\\")  # then its indent is nobody's
        if is_continued or indent.strip() or rest.split("#")[0].strip():
            self._replace(Span(end, end), "".join(f"; {one}" for one in statements))
            return
        line_end = self._source.line_end
        lines = [f"{indent}{one}" for one in statements]
        if rest.rstrip("\r\n") == rest:  # the last line, which has no end
            self._replace(Span(last.end, last.end), "".join(f"{line_end}{one}" for one in lines))
        else:
            self._replace(Span(last.end, last.end), "".join(f"{one}{line_end}" for one in lines))

    def _by_star(self) -> None:
        """Tell of names that came by the star of a module, and do not come by that of ours."""
        # The package itself says what its star gives: we have all of it.
        modules = [one for one in self._scopes.star_imports if one in OURS and one != OFFICIAL]
        told = {name for module in modules for name in names_in(OURS[module])} | set(dir(builtins))
        for node in ast.walk(self._source.tree) if modules else ():
            if not isinstance(node, ast.Name) or node.id in told or self._scopes.find(node):
                continue
            place = place_of(OFFICIAL, node.id)
            instead = f"from {place} import {node.id}" if place else MISSING.get(node.id) or BY_STAR.get(node.id)
            if instead:
                told.add(node.id)
                self._note(node, f"{node.id} came by the * of {', '.join(modules)}, and does not come by ours", instead)

    # -- import signalwire.relay -------------------------------------------------------------------------------------

    def _plain_imports(self) -> None:
        scopes: dict[Scope, list[ast.alias]] = {}
        for alias in self._aliases:
            if alias.name in OURS and alias.asname:
                self._rename(alias, OURS[alias.name])
            elif alias.name == _TOP or (alias.name.startswith(f"{_TOP}.") and not alias.asname):
                scopes.setdefault(self._scopes.of(alias), []).append(alias)
            if is_official(alias.name) and alias.name not in OURS:
                self._missing(alias, *alias.name.rpartition(".")[::2])
        for scope, aliases in scopes.items():
            self._plain_imports_of(self._roots.get(scope, _Root()), aliases)

    def _plain_imports_of(self, root: _Root, aliases: list[ast.alias]) -> None:
        """Have one scope import what its dotted names begin with, and no more of the package than is still used."""
        plain = [alias for alias in aliases if alias.name in OURS]
        if not root.needed and (root.is_left or not plain):
            return
        there = {OURS[alias.name] for alias in plain}
        others = [alias for alias in aliases if alias.name not in OURS and not alias.asname]
        for alias in plain:
            kept = [alias.name] if root.is_left else [_TOP] if root.has_others and not others else []
            self._import_instead(alias, OURS[alias.name], *sorted(root.needed - there), *kept)
        if not plain:  # others import what follows the package
            first = aliases[0]
            is_kept = root.has_others or root.is_left or first.name != _TOP or first.asname
            self._import_instead(first, *([self._source.text_of(first)] if is_kept else []), *sorted(root.needed))

    def _import_instead(self, alias: ast.alias, *modules: str) -> None:
        self._replace(self._source.span(alias), ", ".join(modules))

    def _rename(self, alias: ast.alias, name: str) -> None:
        start, _end = self._source.span(alias)
        *_, last = _tokens(self._source.text, start, alias.name.count(".") * 2 + 1)
        self._replace(Span(start, last.end), name)

    # -- what is common ----------------------------------------------------------------------------------------------

    def _replace(self, span: Span, text: str) -> None:
        self.edits.append(Edit(*span, text))

    def _replace_words(self, span: Span, text: str) -> None:
        if "#" not in self._source.text[slice(*span)]:
            self._replace(span, text)
            return
        first, *others = _tokens(self._source.text[: span.end], span.start, span.end - span.start)
        self._replace(first, text)
        for word in others:  # one by one: comments between them stay
            self._replace(word, "")

    def _missing(self, node: ast.expr | ast.alias, module: str, name: str) -> None:
        place = place_of(module, name)
        instead = (
            f"from {place} import {name}" if place else MISSING.get(name) or MISSING.get(module.split(".")[-1], "")
        )
        self._note(node, f"{module}.{name}".rstrip(".") + ": there is nothing of that name here", instead)

    def _note(self, node: ast.expr | ast.alias, what: str, instead: str) -> None:
        self.by_hand.append(ByHand(node.lineno, what, instead))


def uses_the_official_client(scopes: Scopes, tree: ast.Module) -> bool:
    """Return whether a program imports the official client, or anything of it."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(is_official(alias.name) for alias in names):
                return True
            case ast.ImportFrom(module=str(module), level=0) if is_official(module):
                return True
            case ast.ImportFrom(module="signalwire", level=0, names=names) if any(one.name == "relay" for one in names):
                return True
            case ast.Attribute(attr="relay") if scopes.dotted(node) == OFFICIAL:
                return True
    return False


def _tokens(text: str, start: int, count: int) -> list[Span]:
    """Return where the next words and signs are; comments, spaces and line ends are between them."""
    found = (one for one in _TOKEN.finditer(text, start) if not one[0].startswith("#"))
    return [Span(*one.span()) for one, _number in zip(found, range(count), strict=False)]


def _module_span(text: str, start: int, end: int) -> Span:
    """Return where the module is in ``from … import …``."""
    _from, first, *rest = _tokens(text[:end], start, end - start)
    for last, word in zip([first, *rest], rest, strict=False):
        if text[slice(*word)] == "import":
            return Span(first.start, last.end)
    raise AssertionError("an import without the word import")


def _is_in_brackets(text: str, span: Span) -> bool:
    """Return whether the names of ``from … import …`` are in brackets."""
    _import, sign = _tokens(text, _module_span(text, *span).end, 2)
    return text[slice(*sign)] == "("
