"""What keeps an application from connecting: one finding for each thing that has to be right. Layer: door.

It connects with the same connector and the same protocol as applications do. Nothing secret is in a finding.
"""

from __future__ import annotations

import importlib.metadata
import math
import re
import select
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from relay_actors.config import DEFAULT_HOST, Limits, Settings, Timing, split_host
from relay_actors.errors import ConfigError, ConnectFailedError, RelayError, TransportError
from relay_actors.protocol import happenings as h
from relay_actors.protocol.client import ClientProtocol
from relay_actors.runtime.base import Clock
from relay_actors.runtime.clock import Ids
from relay_actors.transport.base import Transport
from relay_actors.transport.websocket_client import WebsocketConnector

__all__ = ["Finding", "check_connection", "check_dependencies", "check_environment", "check_python", "what_to_check"]

OLDEST_PYTHON: Final = (3, 11)

FIRST_EVENT_S: Final = 1.0
"""How long to stay for the event that follows most log-ins: unacknowledged, it would wait at the server for nobody."""

_DUMMY: Final = {"SIGNALWIRE_PROJECT_ID": "-", "SIGNALWIRE_API_TOKEN": "-"}
"""Stands for the other variables while one is checked by itself."""

_SECRETS: Final = ("SIGNALWIRE_PROJECT_ID", "SIGNALWIRE_API_TOKEN", "SIGNALWIRE_JWT_TOKEN")
_OTHERS: Final = {
    "SIGNALWIRE_SPACE": f"not set: {DEFAULT_HOST}",
    "SIGNALWIRE_RELAY_SCHEME": "not set: wss",
    "SIGNALWIRE_RELAY_CA_FILE": "not set: the system's authorities",
    "SIGNALWIRE_LOG_LEVEL": "not set",
    "RELAY_MAX_ACTIVE_CALLS": "not set: 1000",
    "RELAY_MAX_CONNECTIONS": "not set: 1",
}
_MISNAMED: Final = {
    "SIGNALWIRE_TOKEN": "SIGNALWIRE_API_TOKEN",
    "SIGNALWIRE_PROJECT": "SIGNALWIRE_PROJECT_ID",
    "SIGNALWIRE_PROJECT_KEY": "SIGNALWIRE_PROJECT_ID",
    "SIGNALWIRE_HOST": "SIGNALWIRE_SPACE",
    "SIGNALWIRE_SPACE_URL": "SIGNALWIRE_SPACE",
}
"""Names that other SDKs use, with ours."""

_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9._-]+)\s*(?:>=\s*([0-9.]+))?")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: what it is.
        is_right: None: there was nothing to look at, or something before it is wrong.
        detail: what was found.
        hint: what to mend; "" when there is nothing.
    """

    what: str
    is_right: bool | None
    detail: str = ""
    hint: str = ""


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Look at the version of Python."""
    shown = ".".join(map(str, version))
    oldest = ".".join(map(str, OLDEST_PYTHON))
    if version < OLDEST_PYTHON:
        return Finding("Python", False, shown, f"install Python {oldest} or newer")
    return Finding("Python", True, shown)


def check_dependencies(
    requirements: list[str] | None = None, version_of: Callable[[str], str] = importlib.metadata.version
) -> Iterator[Finding]:
    """Look at the version of each library that relay_actors needs.

    Args:
        requirements: what is needed; by default what the installed package says.
        version_of: which version is installed; raises `importlib.metadata.PackageNotFoundError`.
    """
    for requirement in _own_requirements() if requirements is None else requirements:
        found = _REQUIREMENT.match(requirement)
        if found is None or "extra ==" in requirement:
            continue
        name, oldest = found[1], found[2] or "0"
        try:
            version = version_of(name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, False, "not installed", f"pip install '{name}>={oldest}'")
            continue
        is_right = _numbers(version) >= _numbers(oldest)
        yield Finding(name, is_right, version, "" if is_right else f"pip install '{name}>={oldest}'")


def check_environment(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at each variable by itself, and then at what they make together; say of secrets only that they are there."""
    for name in (*_SECRETS, *_OTHERS):
        yield _check_variable(name, environ.get(name, ""))
    for name, ours in _MISNAMED.items():
        if environ.get(name) and not environ.get(ours):
            yield Finding(name, False, "set, but not read here", f"set {ours} in its place")
    try:
        Settings.from_env(environ)
    except ConfigError as error:
        yield Finding("settings", False, hint=str(error))
    else:
        yield Finding("settings", True, "complete")


def check_connection(
    settings: Settings, timing: Timing, limits: Limits, *, clock: Clock, ids: Ids
) -> Iterator[Finding]:
    """Connect and log in, and tell how far that came: name, TCP, TLS, WebSocket, log-in."""
    host, port = split_host(settings.host)
    is_tls = settings.scheme == "wss"
    labels = {"name": "host name", "tcp": "TCP", "tls": "TLS", "upgrade": "WebSocket", "log-in": "log-in"}
    details = {
        "name": host,
        "tcp": f"port {port or (443 if is_tls else 80)}",
        "tls": "certificate verified",
        "upgrade": settings.url,
    }
    if not is_tls:
        del labels["tls"], details["tls"]
    try:
        transport = WebsocketConnector(settings, timing, limits).connect()
    except ConnectFailedError as error:
        failed: str | None = "name" if _is_of_the_name(error) else error.stage
        for stage, label in labels.items():
            if failed is None:
                yield Finding(label, None)
            elif stage == failed:
                yield Finding(label, False, hint=str(error))
                failed = None
            else:
                yield Finding(label, True, details[stage])
        return
    for stage, detail in details.items():
        yield Finding(labels[stage], True, detail)
    try:
        yield _log_in(transport, settings, timing, limits, clock=clock, ids=ids)
    finally:
        transport.close()


def what_to_check(settings: Settings) -> str:
    """Say what to look at when the server has refused the log-in."""
    if settings.credentials.jwt_token:
        mend = "check SIGNALWIRE_JWT_TOKEN: it is used in place of project and token, and may have expired"
    else:
        mend = "check SIGNALWIRE_PROJECT_ID and SIGNALWIRE_API_TOKEN: the server does not say which of them is wrong"
    return f"{mend}, and that they belong to SIGNALWIRE_SPACE"


def _check_variable(name: str, value: str) -> Finding:
    is_secret = name in _SECRETS
    if not value:
        return Finding(name, None, "not set" if is_secret else _OTHERS[name])
    shown = f"set, {len(value)} characters" if is_secret else value
    if value != value.strip() or value.strip("\"'") != value:
        return Finding(name, False, shown, "there are spaces or quotes around its value: take them away")
    try:
        Settings.from_env({**_DUMMY, name: value} if name != "SIGNALWIRE_RELAY_SCHEME" else _with_scheme(value))
    except ConfigError as error:
        return Finding(name, False, "" if is_secret else shown, str(error))
    return Finding(name, True, shown)


def _with_scheme(scheme: str) -> dict[str, str]:
    # By itself it is right; whether it is for that host is another question.
    return {**_DUMMY, "SIGNALWIRE_RELAY_SCHEME": scheme, "SIGNALWIRE_SPACE": "localhost"}


def _log_in(
    transport: Transport, settings: Settings, timing: Timing, limits: Limits, *, clock: Clock, ids: Ids
) -> Finding:
    protocol = ClientProtocol(settings.credentials, timing=timing, limits=limits, new_id=ids)
    protocol.start(clock.now())
    protocol.opened(clock.now())
    found, leaves_at = Finding("log-in", False), math.inf
    try:
        transport.send(protocol.texts_to_send())
        while (now := clock.now()) < leaves_at:
            for happening in protocol.receive(transport.receive(), now) + protocol.tick(now):
                match happening:
                    case h.LoggedIn():
                        found, leaves_at = Finding("log-in", True, "accepted"), now + FIRST_EVENT_S
                    case h.LogInRefused(error=error):
                        return Finding("log-in", False, hint=_refusal(error, settings))
                    case h.ConnectionDown(why=why) if not found.is_right:
                        return Finding("log-in", False, hint=f"{why}; try again, and look at the service's status")
            if texts := protocol.texts_to_send():
                transport.send(texts)
                if found.is_right:
                    return found  # the event is acknowledged
            due = protocol.next_deadline()
            _wait(transport, leaves_at if due is None else min(due, leaves_at), now)
    except TransportError as error:
        if not found.is_right:
            return Finding("log-in", False, hint=f"{error}; check that SIGNALWIRE_SPACE names a RELAY host")
    return found


def _wait(transport: Transport, due: float, now: float) -> None:
    events = select.POLLIN | (select.POLLOUT if transport.wants_write() else 0)
    poll = select.poll()
    poll.register(transport.fileno(), events)
    poll.poll(None if due == math.inf else max(0.0, due - now) * 1000.0 + 1.0)
    if transport.wants_write():
        transport.flush()


def _refusal(error: RelayError, settings: Settings) -> str:
    return f"refused ({error.code}: {error.message}); {what_to_check(settings)}"


def _is_of_the_name(error: ConnectFailedError) -> bool:
    return isinstance(error.__cause__, socket.gaierror | UnicodeError)


def _own_requirements() -> list[str]:
    try:
        return importlib.metadata.requires("relay_actors") or []
    except importlib.metadata.PackageNotFoundError:
        return []


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
