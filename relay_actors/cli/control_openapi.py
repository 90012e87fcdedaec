"""The control API described as OpenAPI 3.1, from the same table that serves it. Layer: door."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from relay_actors._version import __version__
from relay_actors.cli.control_faults import list_faults
from relay_actors.cli.control_operations import Operation
from relay_actors.cli.control_shapes import Json
from relay_actors.simulator.lines import Line
from relay_actors.simulator.messaging import TextMessage
from relay_actors.simulator.phones import Phone

__all__ = ["SCHEMAS", "openapi"]

_TEXT: Final[Json] = {"type": "string"}
_FLAG: Final[Json] = {"type": "boolean"}
_NUMBER: Final[Json] = {"type": "number"}
_TEXTS: Final[Json] = {"type": "array", "items": _TEXT}


def _object(description: str, properties: Mapping[str, Json], optional: Iterable[str] = ()) -> Json:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "description": description, "properties": dict(properties), "required": required}


SCHEMAS: Final[Mapping[str, Json]] = {
    "Error": _object(
        "What has gone wrong, and what to mend.",
        {
            "error": _TEXT,
            "story": {**_TEXT, "description": "with 409: what happened in the place of what was told"},
            "takes": {"type": "object", "description": "with 400: the arguments that there are"},
            "there is": {**_TEXTS, "description": "with 404: what there is in that place"},
        },
        optional=("story", "takes", "there is"),
    ),
    "Line": _object(
        "One person's part in one call.",
        {
            "number": _TEXT,
            "call_id": {**_TEXT, "description": "the leg that the person is on now; a transfer changes it"},
            "call_ids": _TEXTS,
            "state": {**_TEXT, "enum": ["created", "ringing", "answered", "ending", "ended", "transferred"]},
            "end_reason": {**_TEXT, "description": "empty before the end"},
            "is_over": _FLAG,
            "is_ringing": _FLAG,
            "is_on_hold": _FLAG,
            "transferred_to": {"type": ["string", "null"]},
            "heard": {**_TEXTS, "description": "the oldest first, in the words that `hears` looks for"},
            "received_faxes": {"type": "array", "items": {"type": "object"}},
            "timeline": {"type": "array", "items": _object("A moment.", {"at_s": _NUMBER, "what": _TEXT})},
        },
    ),
    "Person": _object(
        "A phone, and its latest line.",
        {"number": _TEXT, "line": {"anyOf": [{"$ref": "#/components/schemas/Line"}, {"type": "null"}]}},
    ),
    "Text": _object("A text message.", {"from_number": _TEXT, "to_number": _TEXT, "body": _TEXT, "media": _TEXTS}),
}
"""What is answered: the parts that have a form of their own."""

_RETURNED: Final[Mapping[object, str]] = {Line: "Line", Phone: "Person", TextMessage: "Text"}


def openapi(operations: Iterable[Operation], *, url: str = "/", has_token: bool = False) -> Json:
    """Return the document.

    Args:
        operations: the table.
        url: where it is served.
        has_token: whether each request has to bear a token.
    """
    paths: dict[str, Json] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    document: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "relay-actors sim: control API",
            "version": __version__,
            "description": "People on the phones of a RELAY simulator, what goes wrong on purpose, and what was said.",
        },
        "servers": [{"url": url}],
        "paths": paths,
        "components": {"schemas": dict(SCHEMAS)},
    }
    if has_token:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
    return document


def _described(operation: Operation) -> Json:
    word = operation.word
    parameters: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": _TEXT} for name in operation.names
    ]
    described: Json = {
        "operationId": "_".join([operation.method.lower(), *re.findall(r"\w+", operation.path)]),
        "tags": [operation.path.strip("/").split("/")[0] or "index"],
        "summary": word.summary,
        "responses": _responses(operation),
    }
    if word.text:
        described["description"] = word.text
    if operation.method == "GET":
        for argument in operation.arguments:
            schema = {key: value for key, value in argument.schema.items() if key != "description"}
            about = {"description": argument.text} if argument.text else {}
            parameters.append({"name": argument.name, "in": "query", "schema": schema, **about})
    else:
        schema = operation.schema
        if word.takes_more:  # the one operation of that kind: a fault, with what it takes
            schema["properties"]["fault"] = {
                **schema["properties"]["fault"],
                "enum": [one["fault"] for one in list_faults()],
            }
        described["requestBody"] = {
            "required": "required" in schema,
            "content": {"application/json": {"schema": schema}},
        }
    if parameters:
        described["parameters"] = parameters
    return described


def _responses(operation: Operation) -> Json:
    reference = _RETURNED.get(operation.word.returns)
    answered: Json = {"type": "object"} if reference is None else {"$ref": f"#/components/schemas/{reference}"}
    if operation.result:
        answered = _object("", {operation.result: {"type": "array"}})
    elif operation.word.returns is None or operation.word.returns is str:
        answered = _object("", {"ok": _FLAG} if operation.word.returns is None else {"result": _TEXT})
    responses = {"200": {"description": "It is so.", "content": {"application/json": {"schema": answered}}}}
    said = operation.word.complaints
    complaints = {"400": f"An argument does not fit. {said.get('ConfigError', '')}".rstrip()}
    if "{call_id}" in operation.path:
        complaints["404"] = "There is no such call."
    if operation.method == "POST":
        complaints["409"] = f"The story did not go as told. {said.get('StoryError', '')}".rstrip()
    error: Json = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return responses | {code: {"description": what, "content": error} for code, what in complaints.items()}
