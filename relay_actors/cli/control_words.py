"""What can be asked of an object in JSON: its methods, with their arguments as their own signatures tell. Layer: door.

Nothing is listed by hand, so a method that is added to a class can be asked for at once. A parameter whose type has no
JSON form (a function, bytes) is left out, and so is a method that cannot do without it.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from relay_actors.cli.control_shapes import Json, Shape, UnfitError, in_words, list_of, shape_of
from relay_actors.errors import ConfigError
from relay_actors.protocol.near_miss import near_miss
from relay_actors.simulator.simulator import Simulator

__all__ = ["Argument", "Word", "WrongArgumentsError", "word_of", "words_of"]

_SECTION: Final = re.compile(r"(?:Args|Attributes|Raises|Returns):$")
_PASSES_ON: Final = re.compile(r"Do `Line\.\w+` on the latest line\.")


class WrongArgumentsError(ConfigError):
    """An argument that a method does not take, one that it lacks, or a value that does not fit.

    Attributes:
        takes: from each argument that there is to what it must be.
    """

    def __init__(self, problem: str, takes: Mapping[str, str]) -> None:
        super().__init__(problem)
        self.takes = dict(takes)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument.

    Attributes:
        kind: how the method takes it.
        default: `inspect.Parameter.empty` when it has to be given.
        text: what it is for, as the docstring says.
    """

    name: str
    shape: Shape
    kind: inspect._ParameterKind
    default: object
    text: str = ""

    @property
    def is_required(self) -> bool:
        """Whether it has to be given."""
        return self.default is inspect.Parameter.empty and self.kind is not inspect.Parameter.VAR_POSITIONAL

    @property
    def schema(self) -> Json:
        """JSON Schema, with default and description."""
        more: Json = {"description": self.text} if self.text else {}
        if not self.is_required and isinstance(self.default, str | int | float):
            more["default"] = self.default
        return {**self.shape.schema, **more}

    def __str__(self) -> str:
        return in_words(self.shape.schema) + ("" if self.is_required else " (may be left out)")


@dataclass(frozen=True, slots=True)
class Word:
    """One method.

    Attributes:
        arguments: those that have a JSON form.
        takes_more: whether it takes any other keyword as well.
        returns: what it returns, as annotated.
        summary: its promise, in one line.
        text: what else its docstring says, up to the sections.
        complaints: its docstring's section on errors.
    """

    name: str
    function: Callable[..., object]
    arguments: tuple[Argument, ...]
    takes_more: bool = False
    returns: object = None
    summary: str = ""
    text: str = ""
    complaints: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def schema(self) -> Json:
        """JSON Schema of the object that holds the arguments."""
        schema: Json = {
            "type": "object",
            "properties": {argument.name: argument.schema for argument in self.arguments},
            "additionalProperties": self.takes_more,
        }
        required = [argument.name for argument in self.arguments if argument.is_required]
        return {**schema, "required": required} if required else schema

    def call(self, owner: object, given: Mapping[str, object], simulator: Simulator) -> object:
        """Call the method of ``owner`` with these arguments, which come from JSON.

        Raises:
            WrongArgumentsError: they are not those that it takes.
        """
        values = self._values(given, simulator)
        positional: list[object] = []
        named = {name: value for name, value in given.items() if name not in values}
        for argument in self.arguments:
            if argument.kind is inspect.Parameter.VAR_POSITIONAL:
                positional += values.get(argument.name) or ()
            elif argument.kind is not inspect.Parameter.KEYWORD_ONLY:
                positional.append(values.get(argument.name, argument.default))
            elif argument.name in values:
                named[argument.name] = values[argument.name]
        return self.function(owner, *positional, **named)

    def _values(self, given: Mapping[str, object], simulator: Simulator) -> dict[str, Any]:
        known = {argument.name: argument for argument in self.arguments}
        takes = {name: str(argument) for name, argument in known.items()}
        listed = ", ".join(takes) or "nothing"
        values = {}
        for name, value in given.items():
            if name in known:
                try:
                    values[name] = known[name].shape.take(value, simulator)
                except UnfitError:
                    wanted = in_words(known[name].shape.schema)
                    raise WrongArgumentsError(
                        f"{name} of {self.name} must be {wanted}, not {_shortened(value)}", takes
                    ) from None
            elif not self.takes_more:
                meant = near_miss(name, known)
                hint = f"it probably means {meant!r}" if meant else f"it takes: {listed}"
                raise WrongArgumentsError(f"{self.name} takes no argument {name!r}; {hint}", takes)
        lacking = [name for name, argument in known.items() if argument.is_required and name not in values]
        if lacking:
            raise WrongArgumentsError(f"{self.name} needs {', '.join(lacking)}; it takes: {listed}", takes)
        return values


@functools.cache
def word_of(function: Callable[..., object], name: str = "") -> Word | None:
    """Return a method as a word; None if an argument that it needs has no JSON form.

    Args:
        function: as its class has it, so that the first parameter is the object.
        name: another name than the function's own.
    """
    signature = inspect.signature(function, eval_str=True)
    summary, text, sections = _taken_apart(inspect.getdoc(function) or "")
    arguments, takes_more = [], False
    for parameter in [*signature.parameters.values()][1:]:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            takes_more = True
            continue
        shape = shape_of(parameter.annotation)
        if shape is not None and parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            shape = list_of(shape)
        if shape is not None:
            said = sections["Args"].get(parameter.name, "")
            arguments.append(Argument(parameter.name, shape, parameter.kind, parameter.default, said))
        elif parameter.default is inspect.Parameter.empty or parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            return None
    return Word(
        name or function.__name__,
        function,
        tuple(arguments),
        takes_more,
        signature.return_annotation,
        summary,
        text,
        sections["Raises"],
    )


def words_of(*classes: type) -> dict[str, Word]:
    """Return the public methods of these classes that can be asked for, in the order in which they are written.

    Of two methods of one name, the later class's counts; if that one only passes on, the docstring of the other stays.
    """
    words: dict[str, Word] = {}
    for cls in classes:
        for name, function in _methods(cls):
            word = word_of(function)
            if word is None:
                continue
            said = words.pop(name, None)
            if said is not None and _PASSES_ON.match(word.summary):
                told = {argument.name: argument.text for argument in said.arguments}
                word = dataclasses.replace(
                    word,
                    summary=said.summary,
                    text=said.text,
                    complaints=said.complaints,
                    arguments=tuple(
                        dataclasses.replace(one, text=told.get(one.name, one.text)) for one in word.arguments
                    ),
                )
            words[name] = word
    return words


def _methods(cls: type) -> Iterable[tuple[str, Callable[..., object]]]:
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if inspect.isfunction(value) and not name.startswith("_"):
                yield name, getattr(cls, name)


def _taken_apart(text: str) -> tuple[str, str, dict[str, dict[str, str]]]:
    """Return a docstring's first paragraph, the others up to its sections, and the sections of arguments and errors."""
    sections: dict[str, dict[str, str]] = {"Args": {}, "Raises": {}}
    paragraphs = []
    for block in re.split(r"\n\s*\n", text):
        head, _newline, rest = block.partition("\n")
        if _SECTION.match(head):
            entries = re.split(r"\n(?! )", inspect.cleandoc(rest))
            found = {name.strip(): _one_line(said) for name, _colon, said in (one.partition(":") for one in entries)}
            sections[head[:-1]] = found
        else:
            paragraphs.append(_one_line(block))
    return paragraphs[0], "\n\n".join(paragraphs[1:]), sections


def _one_line(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _shortened(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"
