"""The four shapes of JSON-RPC on this wire: how they are written, told apart and judged. Layer: ``protocol``, pure.

Both ends use it: `ClientProtocol` and the simulator's `ServerProtocol`. Source: PROTOCOL 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from relay_actors.errors import LOCAL_ERROR_CODE, CommandRejectedError
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.json_codec import dumps, raw_dumps, raw_loads

__all__ = [
    "CONNECT",
    "DISCONNECT",
    "EVENT",
    "LARGEST_BYTES",
    "PING",
    "RECEIVE",
    "UNRECEIVE",
    "ErrorResponse",
    "Frame",
    "Request",
    "Response",
    "ResultResponse",
    "Unreadable",
    "acknowledgements",
    "classify",
    "error",
    "judge",
    "outcome_of",
    "request",
    "result",
]

CONNECT: Final = "signalwire.connect"
DISCONNECT: Final = "signalwire.disconnect"
EVENT: Final = "signalwire.event"
PING: Final = "signalwire.ping"
RECEIVE: Final = "signalwire.receive"
UNRECEIVE: Final = "signalwire.unreceive"

LARGEST_BYTES: Final = 10 * 1024 * 1024
"""The longest text that a RELAY server takes. Source: PROTOCOL 1."""

_UNKNOWN_ERROR: Final = "Unknown error"
_WHOLE_NUMBER: Final = re.compile(r"0|-?[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Request:
    """The other side asks for something, or tells of an event.

    Attributes:
        id: echo it unchanged in the answer, whatever its type; None when no answer is wanted.
        method: for example ``signalwire.event``.
        params: never missing; `{}` when the frame has none.
    """

    id: object
    method: str
    params: dict[str, object]


@dataclass(frozen=True, slots=True)
class ResultResponse:
    """The other side answered with a result, which may still tell of a failure: see `outcome_of`."""

    id: object
    result: object


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """The other side answered with a JSON-RPC error; ``code`` and ``message`` are filled in where it was sloppy."""

    id: object
    code: int
    message: str
    data: object = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A text that is none of the other three: to be logged and ignored, never a reason to close.

    Attributes:
        why: what is wrong with it, without any of its content.
        id: its id, if it came so far (a server may want to answer "invalid request").
        method: its method, if it came so far.
    """

    why: str
    id: object = None
    method: str = ""


Frame = Request | ResultResponse | ErrorResponse | Unreadable

Response = dict[str, object] | ResultResponse | ErrorResponse
"""An answer as a frame, or its result alone when that is an object."""


def request(id: str, method: str, params: Mapping[str, object]) -> bytes:
    """Return the text of a request.

    Raises:
        ValueError: one of them has no JSON form, or too long a one: the server would close the connection of all calls.
    """
    # Put together of its parts, which takes no longer. This text is kept until it is answered, and one of orjson's has
    # taken a kilobyte, however short it is: to touch so much memory for the first time takes longer than all the rest.
    try:
        name, method_name = raw_dumps(id), raw_dumps(method)
    except TypeError as exc:  # half of a surrogate pair
        raise ValueError(f"this cannot be written as JSON: {exc}") from exc
    text = b"".join((b'{"jsonrpc":"2.0","id":', name, b',"method":', method_name, b',"params":', dumps(params), b"}"))
    if len(text) > LARGEST_BYTES:
        raise ValueError(f"it has {len(text):,} bytes, and RELAY takes {LARGEST_BYTES:,} at most")
    return text


def result(id: object, result: object) -> bytes:
    """Return the text of a successful answer.

    Raises:
        ValueError: ``id`` or ``result`` have no JSON form.
    """
    return dumps({"jsonrpc": "2.0", "id": id, "result": result})


def acknowledgements(ids: Iterable[object]) -> list[bytes]:
    """Return ``result(id, {})`` for each id, quicker: it is written for every event.

    Raises:
        ValueError: an id has no JSON form.
    """
    texts: list[bytes] = []
    for id in ids:
        try:
            written = raw_dumps(id) if type(id) is str else dumps(id)
        except TypeError:  # half of a surrogate pair
            written = dumps(id)
        texts.append(b'{"jsonrpc":"2.0","id":' + written + b',"result":{}}')
    return texts


def error(id: object, code: int, message: str, data: object = None) -> bytes:
    """Return the text of a JSON-RPC error; ``data`` is left out when None.

    Raises:
        ValueError: ``id`` or ``data`` have no JSON form.
    """
    body: dict[str, object] = {"code": code, "message": message}
    if data is not None:
        body["data"] = data
    return dumps({"jsonrpc": "2.0", "id": id, "error": body})


def classify(text: bytes | bytearray | memoryview | str) -> Frame:
    """Return what ``text`` is; see `judge`. Never raises, whatever the bytes are."""
    try:
        body = raw_loads(text)
    except ValueError as exc:
        return Unreadable(f"not JSON: {exc}")
    return judge(body)


def judge(body: object) -> Frame:
    """Return what the value is that a text stands for. Never raises.

    A null where an optional member could be (``id`` of a request, ``params``, ``error`` beside a ``result``) counts as
    missing. What is returned as an ``id`` can always be written back.

    Source: PROTOCOL 2.2.
    """
    if not isinstance(body, dict):
        return Unreadable(f"not an object but {_kind(body)}")
    frame_id = body.get("id")
    if isinstance(frame_id, dict | list) and not _can_be_written(frame_id):
        return Unreadable("its id is nested too deep to be echoed")
    if "id" in body:
        if body.get("error") is not None or ("error" in body and "result" not in body):
            return _error_response(frame_id, body["error"])
        if "result" in body:
            return ResultResponse(frame_id, body["result"])
    method = body.get("method")
    if not isinstance(method, str) or not method:
        return Unreadable("neither a response nor a request: it has no method", frame_id)
    params = body.get("params")
    if params is None:
        params = {}
    elif not isinstance(params, dict):
        return Unreadable(f"its params are not an object but {_kind(params)}", frame_id, method)
    return Request(frame_id, method, params)


def outcome_of(method: str, response: Response) -> dict[str, object] | CommandRejectedError:
    """Return the result object of a request for ``method``, or why the server said no.

    A result that is not an object comes back as ``{"raw": result}``. Codes 200 to 299, as text or number, are
    success, and so is a missing code; ``signalwire.connect`` has no code to look at. A code that is no whole number
    counts as -1.

    Source: PROTOCOL 2.3, 18.12.
    """
    if type(response) is dict and response.get("code") == "200":
        return response  # nearly all answers
    if isinstance(response, ErrorResponse):
        return CommandRejectedError(method, response.code, response.message)
    body = response.result if isinstance(response, ResultResponse) else response
    if not isinstance(body, dict):
        return {"raw": body}
    code = body.get("code")
    if code is None or code == "200" or method == CONNECT:
        return body
    number = _code_number(code)
    if 200 <= number <= 299:
        return body
    return CommandRejectedError(method, number, _text_of(body.get("message")))


def _error_response(frame_id: object, body: object) -> ErrorResponse:
    if not isinstance(body, dict):
        return ErrorResponse(frame_id, LOCAL_ERROR_CODE, _text_of(body))
    return ErrorResponse(frame_id, _code_number(body.get("code")), _text_of(body.get("message")), body.get("data"))


def _code_number(code: object) -> int:
    if isinstance(code, bool):
        return LOCAL_ERROR_CODE
    if isinstance(code, int):
        return code
    if isinstance(code, float) and code.is_integer():
        return int(code)
    if isinstance(code, str) and _WHOLE_NUMBER.fullmatch(code):
        return int(code)
    return LOCAL_ERROR_CODE


def _text_of(value: object) -> str:
    if value is None:
        return _UNKNOWN_ERROR
    return value if isinstance(value, str) else _written(value)


def _written(value: object) -> str:
    try:
        return dumps(value).decode()
    except ValueError:
        return _UNKNOWN_ERROR


def _can_be_written(value: object) -> bool:
    try:
        dumps(value)
    except ValueError:
        return False
    return True


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object" if isinstance(value, dict) else "a number"
