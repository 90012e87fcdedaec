"""The page of the states: for each thing that has some, a drawing of its moves and what each state means."""

from __future__ import annotations

import ast
import inspect
import textwrap
from enum import StrEnum

from relay_actors.protocol.states import (
    ACTION_MOVES,
    CALL_MOVES,
    CONNECT_MOVES,
    DIAL_MOVES,
    MESSAGE_MOVES,
    ActionState,
    CallState,
    ConnectState,
    DialState,
    MessageState,
    Moves,
)
from tests.reference.docstrings import doc_of, one_line
from tests.reference.markdown import code, join, prose, table

TABLES: tuple[tuple[str, str, type[StrEnum], Moves], ...] = (
    ("Calls", "call_state", CallState, CALL_MOVES),
    ("Operations", "", ActionState, ACTION_MOVES),
    ("Bridges", "connect_state", ConnectState, CONNECT_MOVES),
    ("Dials", "dial_state", DialState, DIAL_MOVES),
    ("Texts", "message_state", MessageState, MESSAGE_MOVES),
)
"""Title, field of the events that tell it, states, and their moves."""

INTRODUCTION = """\
States move forward only, but for bridges, which may be built anew. Any of them may be skipped, because events may be
lost or overtaken. A state that the server names and these tables do not know never moves anything. In the drawings
each line shows what may follow the state at its beginning; a line that ends in a bar is final. The drawings and the
code are made from the same tables, in `relay_actors/protocol/states.py`."""


def page() -> str:
    """The whole page."""
    parts = ["# States", INTRODUCTION]
    for title, field, states, moves in TABLES:
        parts += [
            f"## {title}",
            prose(doc_of(states).promise),
            _where(field),
            f"```text\n{drawing(states, moves)}\n```",
        ]
        parts.append(_meanings(states, moves))
    return join(*parts)


def _where(field: str) -> str:
    return f"Told by the field `{field}` of events." if field else "It is the `state` of a [handle](verbs.md#handles)."


def drawing(states: type[StrEnum], moves: Moves) -> str:
    """One line a state, one column a state: names stand where a move is legal."""
    followed = [state for state in states if any(state in following for following in moves.values())]
    width = max(len(state) for state in states)
    lines = []
    for state in states:
        columns = [(each if each in moves[state] else "").ljust(len(each)) for each in followed]
        lines.append(f"{state:{width}} ──" + ("> " + "  ".join(columns) if moves[state] else "|"))
    return "\n".join(line.rstrip() for line in lines)


def _meanings(states: type[StrEnum], moves: Moves) -> str:
    said = meanings(states)
    rows = [(code(state), prose(said.get(state.name, "")), "final" * (not moves[state])) for state in states]
    return table(("State", "What it means", ""), rows) if any(row[1] for row in rows) else ""


def meanings(states: type[StrEnum]) -> dict[str, str]:
    """The text below each member of an enumeration, by the member's name."""
    [cls] = ast.parse(textwrap.dedent(inspect.getsource(states))).body
    assert isinstance(cls, ast.ClassDef)
    found: dict[str, str] = {}
    name = ""
    for node in cls.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]):
                pass
            case ast.Expr(value=ast.Constant(value=str(text))) if name:
                found[name] = one_line(text)
    return found
