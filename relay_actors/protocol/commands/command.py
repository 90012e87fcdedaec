"""What all commands have in common: checked when made, written to params on demand. Layer: protocol, pure.

A command is a frozen dataclass of keyword arguments that bear the names of the verbs. Their types (`arguments`) say how
each is checked and written; from them one `Plan` per class is made with its first command.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Annotated, ClassVar, Final, Self, get_args, get_origin, get_type_hints

from relay_actors.errors import ArgumentError
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.base import Command, JsonObject
from relay_actors.protocol.commands.arguments import Argument, As, Text
from relay_actors.protocol.commands.plan import Plan, Slot, plan_for
from relay_actors.protocol.frozen import NOTHING

__all__ = ["ActionCommand", "ControlCommand", "RelayCommand"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RelayCommand(Command):
    """A command of the RELAY dialect.

    Attributes:
        extra: further params, merged last: they win over the named arguments. What is None in it is not sent.

    Raises:
        ArgumentError: an argument cannot be sent; the text names it.

    Source: PROTOCOL 8.7.
    """

    needs_call: ClassVar[bool] = True
    """Whether the call's ``node_id`` and ``call_id`` go with it."""

    takes_anything: ClassVar[bool] = False
    """Whether ``extra`` is the application's own, so that no key in it can be wrong."""

    extra: Mapping[str, object] = field(default_factory=dict)

    def __init_subclass__(cls) -> None:
        if cls.to_params is not RelayCommand.to_params and cls.with_params is RelayCommand.with_params:
            cls.with_params = _with_own_params  # type: ignore[assignment]  # it writes itself in a way of its own

    def __post_init__(self) -> None:
        extra = self.extra
        if (extra or type(extra) is not dict) and not _is_extra(extra):
            raise self.refusal("extra", "a dictionary of further params by name", extra)
        plan = _PLANS.get(type(self)) or _plan(type(self))
        problem = plan.first_problem(self)
        if problem is not None:
            raise self.refusal(*problem)
        if extra:
            self.look_at_extra()
        else:
            object.__setattr__(self, "extra", NOTHING)  # and not the keyword arguments that a verb was not given
        if plan.has_check:
            self.check()

    def __repr__(self) -> str:
        # Here, because few programs show a command, and these two are what takes longest to load.
        from relay_actors.protocol.json_codec import dumps
        from relay_actors.protocol.scrub import scrub

        given = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        shown = {name: value for name, value in given.items() if value is not None and value != {}}
        try:
            # As JSON, and without secrets: commands that have failed are logged by many, and may hold passwords.
            return f"{type(self).__name__}({scrub(dumps(shown))})"
        except ValueError:
            return f"{type(self).__name__}({', '.join(shown)})"

    def look_at_extra(self) -> None:
        """Take what ``extra`` has in place of an argument. Classes override it."""

    def check(self) -> None:
        """Check what concerns several arguments together. Classes override it.

        Raises:
            ArgumentError: they do not fit together.
        """

    def to_params(self) -> JsonObject:
        """Return the params of the request, without ``node_id`` and ``call_id``.

        Arguments that were not given are left out, never null.
        """
        return RelayCommand.with_params(self, {})

    def with_params(self, params: JsonObject) -> JsonObject:
        """Add the params of the request to ``params``, and return that table: without another one in between.

        A class that writes itself in a way of its own overrides `to_params`, and not this.
        """
        (_PLANS.get(type(self)) or _plan(type(self))).name_in(self, params)
        if self.extra:
            params.update((key, value) for key, value in self.extra.items() if value is not None)
        return params

    @classmethod
    def wire_names(cls) -> dict[str, str]:
        """Return the key of each argument in the params, by the argument's name, in the order of the params."""
        return {slot.attribute: slot.key for slot in _plan(cls).slots}

    def refusal(self, argument: str, must_be: str, value: object) -> ArgumentError:
        """Return the error that says what ``argument`` must be. Texts and objects are not shown: they may be secret."""
        is_safe = value is None or value == "" or isinstance(value, int | float)
        given = repr(value) if is_safe else f"a {type(value).__name__}"
        return ArgumentError(f"{self.method}: {argument} must be {must_be} (given: {given})")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ControlCommand(RelayCommand):
    """A command whose events are told apart by a ``control_id``.

    Attributes:
        control_id: chosen by the caller, or by `with_control_id` before it is sent. One in ``extra`` wins, here and on
            the wire alike, so that events always find the action (PROTOCOL 10.2).
    """

    control_id: Text | None = None

    def look_at_extra(self) -> None:
        """Take its ``control_id``."""
        overriding = self.extra.get("control_id")
        if overriding is not None:
            if not isinstance(overriding, str) or not overriding:
                raise self.refusal("control_id", "text that is not empty", overriding)
            object.__setattr__(self, "control_id", overriding)

    def with_control_id(self, control_id: str) -> Self:
        """Return the same command under ``control_id``, or this one if it has chosen its own.

        Raises:
            ArgumentError: ``control_id`` is no text, or empty.
        """
        # Not by `dataclasses.replace`: all that it holds was checked when it was made.
        named: Self = self if self.control_id else _plan(type(self)).copied(self)
        named.take_control_id(control_id)
        return named

    def take_control_id(self, control_id: str) -> None:
        """Be under ``control_id``, unless it has chosen its own. For who has made it, and has shown it to nobody yet.

        Raises:
            ArgumentError: ``control_id`` is no text, or empty.
        """
        if self.control_id:
            return
        if not isinstance(control_id, str) or not control_id:
            raise self.refusal("control_id", "text that is not empty", control_id)
        object.__setattr__(self, "control_id", control_id)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ActionCommand(ControlCommand):
    """A command that starts a running operation: its answer only says that it began. Source: PROTOCOL 10."""


_PLANS: Final[dict[type[RelayCommand], Plan]] = {}


def _with_own_params(command: RelayCommand, params: JsonObject) -> JsonObject:
    params.update(command.to_params())
    return params


def _plan(cls: type[RelayCommand]) -> Plan:
    plan = _PLANS.get(cls)
    if plan is None:
        hints = get_type_hints(cls, include_extras=True)
        fields = [each.name for each in dataclasses.fields(cls)]
        slots = [_slot(each, hints[each.name]) for each in _arguments(cls)]
        plan = _PLANS[cls] = plan_for(cls, fields, slots, has_check=cls.check is not RelayCommand.check)
    return plan


def _is_extra(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _arguments(cls: type[RelayCommand]) -> Iterator[dataclasses.Field[object]]:
    return (each for each in dataclasses.fields(cls) if each.metadata.get("sent", each.name != "extra"))


def _slot(argument_field: dataclasses.Field[object], hint: object) -> Slot:
    marks = list(_marks(hint))
    argument = next((mark for mark in marks if isinstance(mark, Argument)), None)
    if argument is None:
        raise TypeError(
            f"{argument_field.name}: {hint!r} does not say how an argument is checked and written; take a type of "
            f"{Argument.__module__}"
        )
    name = next((mark for mark in marks if isinstance(mark, As)), As(argument_field.name))
    return Slot(
        argument_field.name, name.name, argument_field.default is None, name.even_none, argument.check, argument.convert
    )


def _marks(hint: object) -> Iterator[object]:
    """Yield what a type is annotated with, also inside ``Annotated`` and ``… | None``."""
    if get_origin(hint) is Annotated:
        yield from hint.__metadata__  # type: ignore[attr-defined]  # typing has no public name for it
    for part in get_args(hint):
        if get_origin(part) is not None:
            yield from _marks(part)
