"""What is kept of a RELAY session from one connection to the next. Layer: ``protocol``, pure.

Source: PROTOCOL 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from relay_actors.config import Credentials

__all__ = ["DEFAULT_AGENT", "PROTOCOL_VERSION", "Session"]

DEFAULT_AGENT: Final = "relay-actors-python/1.0"
PROTOCOL_VERSION: Final = (2, 0, 0)


class Session:
    """The names under which the server knows this client, as far as it has told them.

    Attributes:
        relay_protocol: the name of the session, with which it is resumed; "" before the first log in.
        identity: for diagnosis only; it can contain the project, so scrub it in logs.
        authorization_state: a secret that spares the server the full log in; "" if there is none.
    """

    def __init__(self) -> None:
        self.relay_protocol = ""
        self.identity = ""
        self.authorization_state = ""

    def connect_params(self, credentials: Credentials, contexts: Sequence[str], agent: str) -> dict[str, object]:
        """Return the params of ``signalwire.connect``, as a resume if there is something to resume.

        Source: PROTOCOL 3.1, 3.5.
        """
        if credentials.jwt_token:
            authentication = {"jwt_token": credentials.jwt_token}
        else:
            authentication = {"project": credentials.project, "token": credentials.token}
        major, minor, revision = PROTOCOL_VERSION
        params: dict[str, object] = {
            "version": {"major": major, "minor": minor, "revision": revision},
            "agent": agent,
            "event_acks": True,
            "authentication": authentication,
        }
        if contexts:
            params["contexts"] = list(contexts)
        if self.relay_protocol:
            params["protocol"] = self.relay_protocol
            if self.authorization_state:
                params["authorization_state"] = self.authorization_state
        return params

    def accepted(self, result: dict[str, object]) -> bool:
        """Take what the server answered to the log in; return whether the former session goes on.

        Servers of the older generation say so; the others just give the same name again. Whatever is missing or of a
        wrong type leaves the former value.

        Source: PROTOCOL 3.2.
        """
        asked = self.relay_protocol
        given = _text(result, "protocol") or asked
        restored = result.get("session_restored")
        resumed = bool(asked) and (restored if isinstance(restored, bool) else given == asked)
        if given != asked:
            self.authorization_state = ""  # it belongs to the other name
        self.relay_protocol = given
        self.identity = _text(result, "identity") or self.identity
        return resumed

    def authorize(self, event_params: object) -> None:
        """Keep the newest non-empty state out of a ``signalwire.authorization.state`` event. Source: PROTOCOL 3.6."""
        if isinstance(event_params, dict):
            self.authorization_state = _text(event_params, "authorization_state") or self.authorization_state

    def forget(self) -> None:
        """Have the next log in begin a new session."""
        self.relay_protocol = self.authorization_state = ""


def _text(source: dict[str, object], key: str) -> str:
    value = source.get(key)
    return value if isinstance(value, str) else ""
