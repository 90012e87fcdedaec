"""What the variables of a program for the official client hold: its calls, actions, events. Layer: door.

A guess where nobody has written it: Python does not say it before the program runs. It goes by annotations, by what is
assigned, by who is given what, and last by the names of arguments.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from typing import Final

from relay_actors.actors.action_kinds import ACTION_HANDLES
from relay_actors.cli.migrate_names import class_kind, is_official
from relay_actors.cli.migrate_scopes import Binding, Function, Scopes

__all__ = ["Kinds"]

_VERBS: Final = frozenset(
    {
        *(method.removeprefix("calling.") for method in ACTION_HANDLES),
        *("play_audio", "play_ringtone", "play_silence", "play_tts", "prompt_audio", "prompt_tts"),
        *("detect_answering_machine", "detect_digit", "detect_fax"),
    }
)
"""The methods of a call that start an action."""
_GIVES: Final[Mapping[tuple[str, str], str]] = {
    **{("call", verb): "action" for verb in _VERBS},
    **{("call", f"wait_for{state}"): "event" for state in ("", "_ringing", "_answered", "_ending", "_ended")},
    ("client", "dial"): "call",
    ("client", "send_message"): "message",
    ("action", "wait"): "event",
    ("message", "wait"): "event",
}
"""What is given by a method, by whose it is and its name."""
_HAS: Final[Mapping[tuple[str, str], str]] = {
    ("action", "call"): "call",
    ("action", "result"): "event",
    ("message", "result"): "event",
    ("event", "params"): "params",
    ("event", "result"): "result",
}
_ARGUMENTS: Final[Mapping[str, str]] = {
    name: name for name in ("action", "call", "client", "event", "message")
} | {"relay_client": "client", "evt": "event"}  # fmt: skip
"""What an argument is that nobody has annotated, by its name."""
_ON: Final[Mapping[str, str]] = {"on_call": "call", "on_message": "message"}
_PASSES_ON: Final = ("asyncio.wait_for", "asyncio.shield", "asyncio.create_task", "asyncio.ensure_future")
_QUOTED: Final = re.compile(r"(?:\w+\.)*(\w+)(?: \| None)?")


class Kinds:
    """What things are: ``client``, ``call``, ``message``, ``action``, ``event``; ``params`` or ``result`` of an event.

    Args:
        tree: the program.
        scopes: of it.

    Attributes:
        handlers: the functions that are given calls or texts as they come in, with which of them they are given.
        listeners: the functions that the client calls with events.
    """

    def __init__(self, tree: ast.Module, scopes: Scopes) -> None:
        self._scopes = scopes
        self._known: dict[ast.expr, str] = {}
        self._methods: dict[str, list[ast.AST]] = {}
        self._fields: dict[str, list[ast.expr]] = {}
        self.handlers: dict[ast.AST, str] = {}
        self.listeners: set[ast.AST] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._methods.setdefault(node.name, []).append(node)
        for node in ast.walk(tree):
            self._note_functions(node)

    def of(self, node: ast.expr | None) -> str:
        """Return what an expression gives, or ""."""
        if node is None:
            return ""
        if node not in self._known:
            self._known[node] = ""  # for who asks meanwhile: x = x, in a long way round
            self._known[node] = self._of(node)
        return self._known[node]

    def _of(self, node: ast.expr) -> str:
        match node:
            case ast.Await(value=inner) | ast.NamedExpr(value=inner) | ast.IfExp(body=inner):
                return self.of(inner)
            case ast.BoolOp(values=[inner, *_others]):
                return self.of(inner)
            case ast.Name():
                return _first(map(self._of_binding, self._scopes.find(node)))
            case ast.Attribute(value=owner, attr=name):
                return (
                    _HAS.get((self.of(owner), name), "")
                    or _first(map(self.of, self._scopes.attributes.get(name, ())))
                    or _first(map(self._of_annotation, self._fields.get(name, ())))
                )
            case ast.Call():
                return self._of_call(node)
            case ast.Subscript(value=owner, slice=ast.Constant(value="result")):
                return "result" if self.of(owner) == "params" else ""
        return ""

    def official(self, node: ast.AST) -> str:
        """Return the name of the official client's that is meant, or ""."""
        module, _dot, name = self._scopes.dotted(node).rpartition(".")
        if is_official(module):
            return name
        if isinstance(node, ast.Name) and any(map(is_official, self._scopes.star_imports)):
            return "" if self._scopes.find(node) else node.id
        return ""

    def functions(self, node: ast.expr | None) -> list[ast.AST]:
        """Return the functions of this program that an expression names, or is."""
        match node:
            case ast.Lambda():
                return [node]
            case ast.Name():
                return [one.node for one in self._scopes.find(node) if one.node in self._methods.get(node.id, ())]
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                return self._methods.get(name, [])
        return []

    def _note_functions(self, node: ast.AST) -> None:
        match node:
            case ast.FunctionDef(decorator_list=decorators) | ast.AsyncFunctionDef(decorator_list=decorators):
                for decorator in decorators:
                    if isinstance(decorator, ast.Attribute) and decorator.attr in _ON:
                        self.handlers[node] = _ON[decorator.attr]
            case ast.AnnAssign(target=ast.Name(id=name), annotation=note):
                if isinstance(self._scopes.of(node).node, ast.ClassDef):
                    self._fields.setdefault(name, []).append(note)
            case ast.AnnAssign(target=ast.Attribute(attr=name), annotation=note):
                self._fields.setdefault(name, []).append(note)
            case ast.Call(func=ast.Attribute(attr="on_call" | "on_message" as name), args=[handler]):
                self.handlers.update(dict.fromkeys(self.functions(handler), _ON[name]))
            case ast.Call(func=ast.Attribute(attr="on" | "wait_for"), args=[_event_type, handler, *_others]):
                self.listeners.update(self.functions(handler))
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg in ("on_completed", "predicate"):
                    self.listeners.update(self.functions(keyword.value))

    def _of_call(self, node: ast.Call) -> str:
        if self._scopes.dotted(node.func) in _PASSES_ON and node.args:
            return self.of(node.args[0])
        if name := self.official(node.func):
            return "event" if name == "parse_event" else class_kind(name)
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="from_payload")):
                return class_kind(self.official(owner))
            case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant(value="result"), *_]):
                return "result" if self.of(owner) == "params" else ""
            case ast.Call(func=ast.Attribute(value=owner, attr=name)):
                return _GIVES.get((self.of(owner), name), "")
        return ""

    def _of_binding(self, binding: Binding) -> str:
        if isinstance(binding.node, ast.arg) and isinstance(binding.by, Function):
            return self._of_argument(binding.node, binding.by)
        parent = self._scopes.parents.get(binding.node)
        if isinstance(parent, ast.AnnAssign) and (kind := self._of_annotation(parent.annotation)):
            return kind
        return self.of(binding.value)

    def _of_argument(self, argument: ast.arg, function: Function) -> str:
        if argument.annotation is not None:
            return self._of_annotation(argument.annotation)
        around = self._scopes.parents[function]
        if argument.arg == "self" and isinstance(around, ast.ClassDef):
            return _first(class_kind(self.official(base)) for base in around.bases)
        names = [one.arg for one in function.args.args if one.arg not in ("self", "cls")]
        if names[:1] == [argument.arg] and (function in self.handlers or function in self.listeners):
            return self.handlers.get(function, "event")
        return _ARGUMENTS.get(argument.arg, "")

    def _of_annotation(self, note: ast.expr) -> str:
        """Return what is annotated: by its class, perhaps in quotes, perhaps with other classes or None."""
        match note:
            case ast.Constant(value=str(text)) if found := _QUOTED.fullmatch(text):
                return class_kind(found[1])
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self._of_annotation(left) or self._of_annotation(right)
            case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional"), slice=inner):
                return self._of_annotation(inner)
        return class_kind(self.official(note))


def _first(kinds: Iterable[str]) -> str:
    """Return the first one that is known."""
    return next(filter(None, kinds), "")
