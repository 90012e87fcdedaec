"""Where a program is concerned with what is different here. Layer: door."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from relay_actors.cli.migrate_imports import ByHand
from relay_actors.cli.migrate_kinds import Kinds
from relay_actors.cli.migrate_names import PRIVATE, class_kind
from relay_actors.cli.migrate_scopes import Function, Scopes

__all__ = ["Uses"]

_BLOCKING: Final = re.compile(
    r"time\.sleep|urllib\.request\.url(open|retrieve)|os\.system|socket\.(create_connection|getaddrinfo)"
    r"|subprocess\.(run|call|check_call|check_output|getoutput)|(requests|httpx)\.(get|post|put|patch|delete|head|request)"
    r"|(psycopg2|psycopg|pymysql|pyodbc|mysql\.connector|smtplib)\.(connect|SMTP|SMTP_SSL)"
)
_NOT_CALLED_HERE: Final = ("connect", "disconnect", "execute")
_READ_ONLY: Final[Mapping[str, tuple[str, ...]]] = {
    "call": ("call_id", "context", "device", "direction", "node_id", "project_id", "segment_id", "state", "tag"),
    "message": (
        "body", "context", "direction", "from_number", "media", "message_id", "reason", "segments", "state", "tags",
        "to_number",
    ),
    "action": ("completed", "is_done"),
}  # fmt: skip
_INTERIM: Final = {
    "partial_results": "collect is interim",
    "send_start_of_input": "collect is interim",
    "continuous": "collect goes on",
}
_OF_ALL_EVENTS: Final = ("call_id", "event_type", "params", "timestamp")
_LOOKS: Final = (
    "all", "any", "bool", "endswith", "get", "int", "isinstance", "len", "lower", "startswith", "str", "strip", "upper",
)  # fmt: skip
_LOGGER: Final = re.compile(r"signalwire(\.relay_(call|client|message))?")
_TIME_OUTS: Final = ("TimeoutError", "asyncio.TimeoutError", "asyncio.exceptions.TimeoutError")

_A: Final = {"action": "an action", "call": "a call", "client": "a client", "event": "an event", "message": "a message"}
_ASKED: Final = ("client", "call", "message", "action")

Found = tuple[str, ast.AST, str]
"""Which remark, where, and what is used there."""


class Uses:
    """What one program does with the official client.

    Args:
        tree: the program.
        scopes: of it.

    Attributes:
        remarks: for each remark and what is used, in which lines.
        by_hand: what there is not here.
    """

    def __init__(self, tree: ast.Module, scopes: Scopes) -> None:
        self._scopes = scopes
        self._kinds = Kinds(tree, scopes)
        self._nodes = list(ast.walk(tree))
        self._is_run = any(self._is_method(node, "client", "run") for node in self._nodes)
        self.by_hand: list[ByHand] = []
        lines: dict[tuple[str, str], set[int]] = {}
        for code, node, detail in self._found():
            lines.setdefault((code, detail), set()).add(getattr(node, "lineno", 1))
        self.remarks = {use: sorted(lines[use]) for use in sorted(lines, key=lambda use: (min(lines[use]), use))}
        self.by_hand.sort()

    def _found(self) -> Iterator[Found]:
        on_loop = self._on_loop()
        for handler, kind in self._kinds.handlers.items():
            if kind == "call" and _may_raise(handler):
                yield "crash", handler, ""
        for node in self._nodes:
            match node:
                case ast.Call():
                    if self._function_around(node) in on_loop and (blocks := self._blocks(node)):
                        yield "blocking", node, blocks
                    yield from self._of_call(node)
                    yield from self._of_method(node)
                case ast.Attribute():
                    yield from self._of_attribute(node)
                case ast.Subscript(value=owner, slice=ast.Constant(value="digits")) if (
                    self._kinds.of(owner) == "result"
                ):
                    yield "digits", node, ""
                case ast.Subscript(
                    value=ast.Attribute(value=event, attr="params"), slice=ast.Constant(value=str(name))
                ):
                    if self._is_waited_for(event):
                        yield "action ends", node, f'params["{name}"]'
                case ast.Dict(keys=keys, values=values):
                    for key, value in zip(keys, values, strict=True):
                        if isinstance(key, ast.Constant):
                            yield from _of_setting(key.value, value)
                case ast.Constant(value=str(text)):
                    yield from self._of_text(node, text)
                case ast.ExceptHandler(type=ast.expr() as caught):
                    if self._is_of_client(self._scopes.parents[node]):
                        for name in self._names(caught):
                            if name.startswith("websockets."):
                                yield "websockets", caught, name
                case ast.AsyncWith(items=items):
                    for item in items:
                        if self._kinds.of(item.context_expr) == "client":
                            yield "connect", node, ""
                case ast.ClassDef(bases=bases, body=body):
                    for base in bases:
                        self._overridden(class_kind(self._kinds.official(base)), body)

    # -- calls of functions and methods --------------------------------------------------------------------------------

    def _of_call(self, node: ast.Call) -> Iterator[Found]:
        for keyword in node.keywords:
            yield from _of_setting(keyword.arg, keyword.value)
        match self._scopes.dotted(node.func):
            case "signal.signal" if self._is_run and self._signal(node) == "SIGINT":
                yield "signal", node, ""
            case "signalwire.configure_logging" | "signalwire.core.logging_config.configure_logging":
                yield "configure_logging", node, ""
            case "asyncio.wait_for" if node.args and self._is_method(node.args[0], "client", "dial"):
                yield "dial is cancelled", node, ""
        name = self._kinds.official(node.func)
        if name == "RelayClient" and any(keyword.arg == "max_active_calls" for keyword in node.keywords):
            yield "limit", node, ""

    def _of_method(self, node: ast.Call) -> Iterator[Found]:
        if not isinstance(node.func, ast.Attribute):
            return
        name = node.func.attr
        given = {keyword.arg for keyword in node.keywords}
        match self._kinds.of(node.func.value), name:
            case "client", "run":
                if self._is_in_loop(node):
                    yield "retry run", node, ""
                elif "SIGTERM" not in map(self._signal, self._nodes):
                    yield "SIGTERM", node, ""
            case "client", "connect":
                yield "retry connect" if self._is_in_loop(node) else "connect", node, ""
            case "client", "dial":
                if "dial_timeout" in given:
                    yield "dial is late", node, ""
                yield from self._of_dial(node)
            case "call", "wait_for":
                if self._is_state(node):
                    yield "state at once", node, ""
                elif "timeout" not in given and len(node.args) < 3:
                    yield "wait_for", node, ""
                predicates = [*node.args[1:2], *(one.value for one in node.keywords if one.arg == "predicate")]
                for predicate in predicates:
                    if any(map(_does_more, self._kinds.functions(predicate))):
                        yield "predicate", predicate, ""
            case "call", "wait_for_answered" | "wait_for_ringing":
                yield "state is passed", node, f"{name}()"
            case "call", "wait_for_ended" if node.args or node.keywords:
                yield "wait_for_ended", node, ""
            case "call", "send_fax" | "receive_fax" | "pay":
                yield "never completes", node, f"{name}()"
            case "result", "get" if node.args and isinstance(node.args[0], ast.Constant):
                if node.args[0].value == "digits":
                    yield "digits", node, ""
        if "on_completed" in given and self._kinds.of(node.func.value) == "call":
            yield "on_completed", node, ""

    def _of_dial(self, node: ast.Call) -> Iterator[Found]:
        for around in self._scopes.above(node):
            if not isinstance(around, ast.Try) or not any(node in ast.walk(one) for one in around.body):
                continue
            others = [
                one for part in around.body for one in ast.walk(part) if isinstance(one, ast.Call) and one is not node
            ]
            if any(
                "wait" in ast.unparse(one.func) or any(key.arg == "timeout" for key in one.keywords) for one in others
            ):
                return  # something else may time out
            for handler in around.handlers:
                if handler.type is not None and self._names(handler.type) & {*_TIME_OUTS}:
                    yield "dial's error", handler, ""

    # -- attributes, texts, classes ------------------------------------------------------------------------------------

    def _of_attribute(self, node: ast.Attribute) -> Iterator[Found]:
        kind, name = self._kinds.of(node.value), node.attr
        is_read = isinstance(node.ctx, ast.Load)
        if name.startswith("_") and not name.startswith("__"):
            is_own = name in self._scopes.attributes or (isinstance(node.value, ast.Name) and node.value.id == "self")
            if kind in ("client", "call", "message", "action") and ((kind, name) in PRIVATE or not is_own):
                self._note(
                    node, f"{name} of {_A[kind]}: there is no such attribute here", PRIVATE.get((kind, name), "")
                )
        elif not is_read and (name in _READ_ONLY.get(kind, ()) or kind == "event"):
            instead = "call.data is a dictionary of your own" if kind == "call" else ""
            self._note(node, f"{name} of {_A[kind]} can only be read here", instead)
        elif is_read and (kind, name) == ("call", "context"):
            yield "context", node, ""
        elif is_read and (kind, name) == ("event", "timestamp"):
            yield "timestamp", node, ""
        elif is_read and name not in _OF_ALL_EVENTS and self._is_waited_for(node.value):
            yield "action ends", node, name

    def _of_text(self, node: ast.Constant, text: str) -> Iterator[Found]:
        around = self._scopes.parents[node]
        if text == "SIGNALWIRE_LOG_LEVEL":
            yield "log level", node, ""
        elif text in ("SIGNALWIRE_LOG_FORMAT", "SIGNALWIRE_LOG_MODE"):
            yield "log form", node, text
        elif text == "RELAY_MAX_CONNECTIONS":
            yield "connections", node, ""
        elif text == "RELAY_MAX_ACTIVE_CALLS":
            yield "limit", node, ""
        elif _LOGGER.fullmatch(text) and (
            isinstance(around, ast.Dict)
            or (isinstance(around, ast.Call) and self._scopes.dotted(around.func) == "logging.getLogger")
        ):
            yield "logger", node, text

    def _overridden(self, kind: str, body: Iterable[ast.stmt]) -> None:
        for one in body:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and (kind, one.name) in PRIVATE:
                what = f"{one.name} of {_A[kind]}: there is nothing here that would call it"
                self.by_hand.append(ByHand(one.lineno, what, PRIVATE[kind, one.name]))
            elif isinstance(one, ast.AsyncFunctionDef) and kind == "client" and one.name in _NOT_CALLED_HERE:
                what = f"{one.name} of a client: run() and the methods of calls do not come by it here"
                self.by_hand.append(ByHand(one.lineno, what, "await it yourself, or see what client.app has"))

    # -- what is what --------------------------------------------------------------------------------------------------

    def _note(self, node: ast.expr, what: str, instead: str) -> None:
        self.by_hand.append(ByHand(node.lineno, what, instead))

    def _is_method(self, node: ast.AST, kind: str, name: str) -> bool:
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=attr)):
                return attr == name and self._kinds.of(owner) == kind
        return False

    def _is_waited_for(self, node: ast.expr) -> bool:
        """Return whether it is what the wait of an action has given."""
        match node:
            case ast.Await(value=call) if self._is_method(call, "action", "wait"):
                return True
            case ast.Name():
                values = [one.value for one in self._scopes.find(node)]
                return any(
                    value is not None and not isinstance(value, ast.Name) and self._is_waited_for(value)
                    for value in values
                )
        return False

    def _signal(self, node: ast.AST) -> str:
        """Return the name of the signal for which a handler is given here, if one is."""
        match node:
            case ast.Call(func=function, args=[number, _handler, *_others]):
                takes = self._scopes.dotted(function) == "signal.signal"
                if takes or (isinstance(function, ast.Attribute) and function.attr == "add_signal_handler"):
                    return self._scopes.dotted(number).removeprefix("signal.")
        return ""

    def _is_state(self, node: ast.Call) -> bool:
        match node.args[0] if node.args else None:
            case ast.Constant(value=value):
                return value == "calling.call.state"
            case ast.Name() | ast.Attribute() as name:
                return self._kinds.official(name) == "EVENT_CALL_STATE"
        return False

    def _is_of_client(self, attempt: ast.AST) -> bool:
        """Return whether something in a ``try`` is asked of the client, or of what it has given."""
        parts = attempt.body if isinstance(attempt, ast.Try) else []
        nodes = (node for part in parts for node in ast.walk(part))
        return any(isinstance(node, ast.Attribute) and self._kinds.of(node.value) in _ASKED for node in nodes)

    def _is_in_loop(self, node: ast.AST) -> bool:
        for around in self._scopes.above(node):
            if isinstance(around, Function):
                return False
            if isinstance(around, ast.While | ast.For | ast.AsyncFor):
                return True
        return False

    def _names(self, caught: ast.expr) -> set[str]:
        """Return what an ``except`` catches."""
        kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
        return {self._scopes.dotted(one) or ast.unparse(one) for one in kinds}

    def _function_around(self, node: ast.AST) -> ast.AST | None:
        return next((one for one in self._scopes.above(node) if isinstance(one, Function)), None)

    def _on_loop(self) -> set[ast.AST]:
        """Return the functions that run on the loop: coroutines, what the client calls, and what those call."""
        found: set[ast.AST] = {node for node in self._nodes if isinstance(node, ast.AsyncFunctionDef)}
        found.update(self._kinds.handlers, self._kinds.listeners)
        calls = [(self._function_around(node), node.func) for node in self._nodes if isinstance(node, ast.Call)]
        before = 0
        while len(found) > before:
            before = len(found)
            for caller, callee in calls:
                if caller in found:
                    found.update(self._kinds.functions(callee))
        return found

    def _blocks(self, node: ast.Call) -> str:
        """Return what blocks, if something does."""
        name = self._scopes.dotted(node.func)
        if _BLOCKING.fullmatch(name):
            return f"{name}()"
        match node.func:
            case ast.Attribute(value=ast.Call(func=event), attr="wait") if (
                self._scopes.dotted(event) == "threading.Event"
            ):
                return "threading.Event().wait()"
            case ast.Name(id="input") as name_ if not self._scopes.find(name_):
                return "input()"
        return ""


def _of_setting(name: object, value: ast.expr) -> Iterator[Found]:
    if isinstance(name, str) and name in _INTERIM and isinstance(value, ast.Constant) and value.value is True:
        yield _INTERIM[name], value, name


def _may_raise(function: ast.AST) -> bool:
    """Return whether an error of what a handler awaits may come out of it."""
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return True
    return any(
        isinstance(inner, ast.Await | ast.Raise)
        for statement in function.body
        if not (isinstance(statement, ast.Try) and any(map(_catches_all, statement.handlers)))
        for inner in ast.walk(statement)
    )


def _catches_all(handler: ast.ExceptHandler) -> bool:
    match handler.type:
        case None | ast.Name(id="Exception" | "BaseException"):
            return True
    return False


def _does_more(predicate: ast.AST) -> bool:
    for node in ast.walk(predicate):
        match node:
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name not in _LOOKS:
                return True
            case ast.NamedExpr() | ast.Nonlocal() | ast.Global() | ast.Attribute(ctx=ast.Store()):
                return True
            case ast.Subscript(ctx=ast.Store()):
                return True
    return False
