"""One operation of the control API, and how what is sent to it is read. Layer: door."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from relay_actors.cli.control_shapes import Json, from_text
from relay_actors.cli.control_words import Argument, Word
from relay_actors.errors import ConfigError
from relay_actors.protocol import json_codec

__all__ = ["Answer", "Operation", "body_of", "query_of"]


class Answer(NamedTuple):
    """What is answered.

    Attributes:
        status: of HTTP.
        body: a JSON object.
        allowed: with 405, the methods that there are.
    """

    status: int
    body: Json
    allowed: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Attributes:
        path: with names in braces, as ``/phones/{number}/dials``.
        word: what it does; its arguments come from the body, or from the query of a GET.
        owner: finds by the names in the path whose method it is; None: the table's own, to which they are arguments.
        result: the name under which the answer holds what the method returns; empty: that is the answer.
    """

    method: str
    path: str
    word: Word
    owner: Callable[[Mapping[str, str]], object] | None = None
    result: str = ""

    @property
    def names(self) -> list[str]:
        """The names in the path."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """What it takes beside the names in the path."""
        in_path = () if self.owner is not None else self.names
        return tuple(argument for argument in self.word.arguments if argument.name not in in_path)

    @property
    def schema(self) -> Json:
        """JSON Schema of its body."""
        return dataclasses.replace(self.word, arguments=self.arguments).schema

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """Return the names in the path with their values, or None if the segments are another path's."""
        pattern = self.path.strip("/").split("/")
        if len(pattern) != len(segments):
            return None
        pairs = list(zip(pattern, segments, strict=True))
        if any(part != segment for part, segment in pairs if not part.startswith("{")) or not all(
            segment for part, segment in pairs if part.startswith("{")
        ):
            return None
        return {part[1:-1]: segment for part, segment in pairs if part.startswith("{")}


def query_of(operation: Operation, query: str) -> Json:
    """Return the arguments in a URL's query; what stands for no value of its type stays text.

    Args:
        operation: whose arguments.
        query: percent-encoded; a plus is a plus, since numbers begin with one.
    """
    shapes = {argument.name: argument.shape for argument in operation.arguments}
    given = {}
    for part in filter(None, query.split("&")):
        name, _equals, text = part.partition("=")
        name, text = unquote(name), unquote(text)
        given[name] = from_text(shapes[name], text) if name in shapes else text
    return given


def body_of(body: bytes) -> Json:
    """Return the arguments in a body: an object, or nothing.

    Raises:
        ConfigError: it is something else.
    """
    if not body.strip():
        return {}
    try:
        given = json_codec.loads(body)
    except ValueError as error:
        raise ConfigError(f"the body is no JSON ({error}): send an object of arguments, or nothing") from None
    if not isinstance(given, dict):
        raise ConfigError('the body must be a JSON object of arguments, as {"context": "office"}, or nothing')
    return given
