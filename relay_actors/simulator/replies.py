"""The three answers to a command: accepted, refused by code, or a JSON-RPC error. Layer: simulator, pure.

Source: PROTOCOL 2.1, 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass

from relay_actors.protocol.server import INVALID_PARAMS, METHOD_NOT_FOUND

__all__ = ["CALL_GONE", "Failure", "Reply", "Result", "accepted", "invalid_params", "not_simulated", "refused"]


@dataclass(frozen=True, slots=True)
class Result:
    """A result object, whose code says whether it is good news."""

    body: dict[str, object]

    @property
    def is_success(self) -> bool:
        """Whether the code is one of 200 to 299."""
        return str(self.body.get("code", "200")).startswith("2")


@dataclass(frozen=True, slots=True)
class Failure:
    """A JSON-RPC error."""

    code: int
    message: str
    data: dict[str, object] | None = None


Reply = Result | Failure


def accepted(message: str, **fields: object) -> Result:
    """Return the good answer; for an action it means *started*."""
    return Result({"code": "200", "message": message, **fields})


def refused(code: str, message: str) -> Result:
    """Return a result that says no."""
    return Result({"code": code, "message": message})


def invalid_params(problems: list[str]) -> Failure:
    """Return the error for params that break the schema; the problems are in its text and its data."""
    data: dict[str, object] = {"signalwire_error_code": "INVALID_PARAMS", "problems": problems}
    return Failure(INVALID_PARAMS, f"Invalid params: {'; '.join(problems)}", data)


def not_simulated(method: str) -> Failure:
    """Return the error for a method that this server does not have."""
    return Failure(METHOD_NOT_FOUND, "Method not found", {"reason": f"{method} is not simulated"})


CALL_GONE = refused("404", "Call does not exist")
"""The answer to any command on an unknown or ended leg. Source: PROTOCOL 19.1."""
