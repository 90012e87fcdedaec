"""Uses of every call method, and the params that each must send: worked out from the table of the wire alone.

Knows nothing of the package, and no test runner: our verbs and those of the official SDK are held against it.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = [
    "ALL_OF_IT",
    "BARE",
    "CALL_METHODS",
    "METHODS",
    "OURS",
    "PLAIN",
    "ROWS",
    "WAITING",
    "Use",
    "documented",
    "parameters_in",
]

METHODS = json.loads((Path(__file__).parents[2] / "data" / "methods.json").read_text("utf-8"))
CALL_METHODS = {entry["name"]: entry for entry in METHODS["call_methods"]}

ROWS = {row["method"]: row for row in METHODS["methods"]}
WAITING = [name for name, entry in CALL_METHODS.items() if entry["wire_method"] is None]
SENDING = [name for name, entry in CALL_METHODS.items() if entry["wire_method"] is not None]
CONVENIENT = {name for row in METHODS["methods"] for name in row["convenience_methods"]}
PLAIN = [name for name in SENDING if name not in CONVENIENT]
OURS = {"hangup": [("after", "KEYWORD_ONLY", "None")]}
"""What a verb has beside its documented parameters: DESIGN 4 shows it."""

BY_TYPE: dict[str, Any] = {
    "string": "some text",
    "number": 2.5,
    "integer": 3,
    "boolean": False,
    "object": {"key": {"of": ["things", None]}},
    "array<object>": [{"name": "a", "value": "b"}, {}],
    "array<string>": ["one", "two"],
}
BY_NAME: dict[str, Any] = {
    "devices": [[{"type": "phone", "params": {"to_number": "+15550100101"}}]],
    "media": [{"type": "tts", "params": {"text": "Hello"}}, {"type": "silence", "params": {"duration": 1}}],
    "ringback": [{"type": "ringtone", "params": {"name": "us"}}],
    "collect": {"digits": {"max": 3, "terminators": "#"}, "initial_timeout": 5.0},
    "digits": "12#",
    "volume": -3.5,
    "detect": {"type": "machine", "params": {"initial_timeout": 2.0}},
    "tap": {"type": "audio", "params": {"direction": "both"}},
    "refer.device": {"type": "sip", "params": {"to": "sip:a@example.com", "password": "secret"}},
    "tap.device": {"type": "rtp", "params": {"addr": "203.0.113.7", "port": 4000}},
    "collect.digits": {"max": 3},
    "live_transcribe.action": {"start": {"language": "en-US"}},
    "live_translate.action": {"stop": {}},
    "user_event.event": "order_placed",
}
"""Arguments whose JSON type alone does not say what they must be; under the verb's name where others differ."""


@dataclass(frozen=True)
class Use:
    """One use of one verb, and the params that it must send beside the ids."""

    verb: str
    method: str
    kwargs: dict[str, Any]
    params: dict[str, Any] = field(repr=False)

    @property
    def has_control_id(self) -> bool:
        return any(param["name"] == "control_id" for param in ROWS[self.method]["params"])


def documented(name: str) -> list[tuple[str, str, str]]:
    """Return name, kind and default of each parameter of a verb, as the table of the wire has them."""
    return parameters_in(CALL_METHODS[name]["python_signature"])


def parameters_in(text: str) -> list[tuple[str, str, str]]:
    """Return the same of a signature as the tables write it: ``play(media, *, volume=None, **kwargs)``."""
    function = ast.parse(f"def {text}: ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    arguments = function.args
    plain = [None] * (len(arguments.args) - len(arguments.defaults)) + list(arguments.defaults)
    found = [
        (argument.arg, "POSITIONAL_OR_KEYWORD", "required" if default is None else repr(ast.literal_eval(default)))
        for argument, default in zip(arguments.args, plain, strict=True)
    ]
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found.append((argument.arg, "KEYWORD_ONLY", "required" if default is None else repr(ast.literal_eval(default))))
    if arguments.kwarg is not None:
        found.append((arguments.kwarg.arg, "VAR_KEYWORD", "required"))
    return found


def value_of(verb: str, argument: str, json_type: str) -> Any:
    return BY_NAME.get(f"{verb}.{argument}", BY_NAME.get(argument, BY_TYPE.get(json_type)))


def use(verb: str, *, everything: bool) -> Use:
    """Return a use of a verb with all of its arguments, or with those only that it needs."""
    method = CALL_METHODS[verb]["wire_method"]
    required = {name for name, _kind, default in documented(verb) if default == "required"}
    kwargs: dict[str, Any] = {}
    params: dict[str, Any] = {}
    for param in ROWS[method]["params"]:
        argument = (param.get("python_arg") or "").split(" ")[0]
        if not argument or argument.startswith("self.") or argument == "control_id":
            continue
        value = value_of(verb, argument, param["type"])
        if everything or argument in required:
            kwargs[argument] = value
            params[param["name"]] = {"audio": value} if verb == "record" else value
    if verb == "record" and not everything:
        params["record"] = {"audio": {}}
    if verb == "hangup" and not everything:
        params["reason"] = "hangup"
    if verb == "collect" and not everything:  # it needs one of two, which no signature can say
        kwargs["digits"] = params["digits"] = {"max": 3}
    return Use(verb, method, kwargs, params)


ALL_OF_IT = [use(verb, everything=True) for verb in PLAIN]
BARE = [use(verb, everything=False) for verb in PLAIN]
