"""Which name of somebody's program means what: what binds it, in the scope in which it is used. Layer: door.

Python's own rules, as far as they can be known without running the program.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Binding", "Function", "Scope", "Scopes"]

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Binding(NamedTuple):
    """One place that gives a name its meaning.

    Attributes:
        node: the alias of an import, the argument, the function or class, or the name that is assigned to.
        by: the import, or the function or class of an argument; otherwise the node itself.
        value: what is assigned, if that is one expression, or None.
        imported: the dotted name of what an import gives, or "".
    """

    node: ast.AST
    by: ast.AST
    value: ast.expr | None = None
    imported: str = ""


@dataclass(eq=False)
class Scope:
    """A module, class, function or comprehension.

    Attributes:
        node: what it is the scope of.
        outer: the scope around it.
        bound: what binds each of its names.
    """

    node: ast.AST
    outer: Scope | None = None
    bound: dict[str, list[Binding]] = field(default_factory=dict)
    _elsewhere: dict[str, Scope] = field(default_factory=dict)

    @property
    def module(self) -> Scope:
        """The outermost one."""
        return self if self.outer is None else self.outer.module

    def bind(self, name: str, binding: Binding) -> None:
        """Note what binds a name."""
        home = self._elsewhere.get(name, self)
        home.bound.setdefault(name, []).append(binding)

    def declare(self, name: str, home: Scope) -> None:
        """Note that a name of this scope is one of another: it is global, or nonlocal."""
        self._elsewhere[name] = home

    def find(self, name: str) -> list[Binding]:
        """Return what binds a name that is used in this scope; nothing, if it is nobody's or Python's own."""
        if name in self.bound:
            return self.bound[name]
        scope = self._elsewhere.get(name, self.outer)
        while scope is not None and name not in scope.bound:
            scope = scope.outer
        while scope is not None and isinstance(scope.node, ast.ClassDef):  # not seen from the functions within it
            scope = scope.outer
        return scope.find(name) if scope is not None else []


class Scopes(ast.NodeVisitor):
    """The scopes of a program.

    Attributes:
        parents: from each node to the one around it.
        attributes: what is assigned to each attribute, whoever has it.
        star_imports: the modules of which everything is imported.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        self.attributes: dict[str, list[ast.expr]] = {}
        self.star_imports: list[str] = []
        self._scope: Scope = Scope(tree)
        self._of: dict[ast.AST, Scope] = {}
        self._values: dict[ast.AST, ast.expr] = {}
        self.visit(tree)

    def of(self, node: ast.AST) -> Scope:
        """Return the scope in which a node stands."""
        while node not in self._of:  # something that says nothing by itself, such as the list of arguments
            node = self.parents[node]
        return self._of[node]

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Give what is around a node, from the inside to the outside."""
        while (parent := self.parents.get(node)) is not None:
            yield (node := parent)

    def find(self, name: ast.Name) -> list[Binding]:
        """Return what binds a name where it is used."""
        return self.of(name).find(name.id)

    def dotted(self, node: ast.AST) -> str:
        """Return what a dotted name means, such as ``asyncio.sleep``, or "" if it does not begin with an import."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        begins = next((binding.imported for binding in self.find(node) if binding.imported), "")
        return ".".join([begins, *reversed(attributes)]) if begins else ""

    def visit(self, node: ast.AST) -> None:
        """Note where a node stands, and go on with what is in it."""
        self._of[node] = self._scope
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                self._function(node)
            case ast.ClassDef():
                self._bind(node.name, node)
                self._all(node.decorator_list, node.bases, node.keywords, getattr(node, "type_params", []))
                self._within(Scope(node, self._scope), node.body)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._within(Scope(node, self._scope), ast.iter_child_nodes(node))
            case _:
                self._bind_by(node)
                self.generic_visit(node)

    def _bind_by(self, node: ast.AST) -> None:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    whole, _dot, _rest = alias.name.partition(".")
                    self._bind(alias.asname or whole, alias, node, imported=alias.name if alias.asname else whole)
            case ast.ImportFrom(names=names, module=module, level=level):
                source = "." * level + (module or "")
                for alias in names:
                    if alias.name == "*":
                        self.star_imports.append(source)
                    else:
                        self._bind(alias.asname or alias.name, alias, node, imported=f"{source}.{alias.name}")
            case ast.Global(names=names):
                for name in names:
                    self._scope.declare(name, self._scope.module)
            case ast.Nonlocal(names=names):
                for name in names:
                    if self._scope.outer is not None:
                        self._scope.declare(name, self._scope.outer)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value)
            case ast.NamedExpr(target=target, value=value):
                self._assign(target, value)
            case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                self._assign(target, value)
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                self._bind(name, node, value=self._values.get(node))
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                self._bind(name, node)
            case ast.MatchMapping(rest=str(name)):
                self._bind(name, node)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._values[target] = value
        elif isinstance(target, ast.Attribute):
            self.attributes.setdefault(target.attr, []).append(value)

    def _bind(
        self, name: str, node: ast.AST, by: ast.AST | None = None, *, value: ast.expr | None = None, imported: str = ""
    ) -> None:
        scope = self._scope
        if isinstance(self.parents.get(node), ast.NamedExpr):  # `:=` binds outside of comprehensions
            while isinstance(scope.node, _Comprehension) and scope.outer is not None:
                scope = scope.outer
        scope.bind(name, Binding(node, by or node, value, imported))

    def _function(self, node: Function) -> None:
        given = node.args
        arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs]
        arguments += [one for one in (given.vararg, given.kwarg) if one is not None]
        notes = [one.annotation for one in arguments if one.annotation is not None]
        defaults = [one for one in (*given.defaults, *given.kw_defaults) if one is not None]
        self._all(notes, defaults)
        if not isinstance(node, ast.Lambda):
            self._bind(node.name, node)
            self._all(node.decorator_list, [node.returns] if node.returns else [], getattr(node, "type_params", []))
        inner = Scope(node, self._scope)
        for argument in arguments:
            inner.bind(argument.arg, Binding(argument, node))
        self._within(inner, [node.body] if isinstance(node, ast.Lambda) else node.body)

    def _within(self, scope: Scope, nodes: Iterable[ast.AST]) -> None:
        outer, self._scope = self._scope, scope
        self._all(nodes)
        self._scope = outer

    def _all(self, *nodes: Iterable[ast.AST]) -> None:
        for node in itertools.chain.from_iterable(nodes):
            self.visit(node)
