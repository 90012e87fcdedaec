"""How commands of one class are checked, written and copied: as code that is made for the class. Layer: protocol, pure.

A command has many arguments, and few are given. So, as dataclasses do it for their own methods, a line is written for
each argument: one that was not given costs one comparison, and one that is sent as it is costs no call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, cast

from relay_actors.late_dataclasses import unfrozen
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.checks import Check
from relay_actors.protocol.commands.arguments import Convert

__all__ = ["Plan", "Slot", "plan_for"]


class Slot(NamedTuple):
    """One argument.

    Attributes:
        attribute: its name.
        key: in the params.
        optional: whether it may be None.
        even_none: whether it is written even when it is None.
        check: returns what it must be, or None when it is that.
        convert: returns what is sent; None when it is sent as it is.
    """

    attribute: str
    key: str
    optional: bool
    even_none: bool
    check: Check
    convert: Convert | None


class Plan(NamedTuple):
    """What is done with every command of one class.

    Attributes:
        slots: its arguments, in the order of the params.
        first_problem: returns the first argument that is not what it must be, what that is, and its value; or None.
        name_in: adds the arguments to a table by their keys, as they are sent, and returns it.
        copied: returns the same command once more, unchecked.
        has_check: whether its arguments are checked together, too.
    """

    slots: tuple[Slot, ...]
    first_problem: Callable[[Any], tuple[str, str, object] | None]
    name_in: Callable[[Any, JsonObject], JsonObject]
    copied: Callable[[Any], Any]
    has_check: bool


_CHECKED: Final = """\
    if (problem := check_{0}(value)) is not None:
        return "{0}", problem, value
"""
_CHECKED_IF_GIVEN: Final = """\
    if value is not None and (problem := check_{0}(value)) is not None:
        return "{0}", problem, value
"""
_WRITTEN: Final = "        params[{0!r}] = value\n"
_CONVERTED: Final = """\
        value = convert_{1}(value)
        if value is not None:
            params[{0!r}] = value
"""


def plan_for(cls: type, fields: Sequence[str], slots: Sequence[Slot], *, has_check: bool = False) -> Plan:
    """Return the plan of a class.

    Args:
        cls: a frozen dataclass.
        fields: the names of all its fields.
        slots: of its fields those that are sent, in the order of the params.
        has_check: whether its arguments are checked together, too.
    """
    names: dict[str, object] = {"cls": cls, "empty": unfrozen(cls)}
    check = ["def first_problem(command):\n"]
    write = ["def name_in(command, params):\n"]
    for slot in slots:
        names[f"check_{slot.attribute}"], names[f"convert_{slot.attribute}"] = slot.check, slot.convert
        taken = f"    value = command.{slot.attribute}\n"
        check += taken, (_CHECKED_IF_GIVEN if slot.optional else _CHECKED).format(slot.attribute)
        write += taken, "    if True:\n" if slot.even_none else "    if value is not None:\n"
        write += [(_CONVERTED if slot.convert else _WRITTEN).format(slot.key, slot.attribute)]
    copy = "".join(f"    copy.{name} = command.{name}\n" for name in fields)
    source = (
        f"{''.join(check)}    return None\n\n{''.join(write)}    return params\n\n"
        f"def copied(command):\n    copy = empty()\n{copy}    copy.__class__ = cls\n    return copy\n"
    )
    exec(compile(source, f"<plan of {cls.__qualname__}>", "exec"), names)
    made = cast("Any", names)
    return Plan(tuple(slots), made["first_problem"], made["name_in"], made["copied"], has_check)
