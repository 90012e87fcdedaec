"""What can be set, where it comes from, and what is refused early. Layer: floor, standard library only.

An argument wins over its environment variable, and an empty string counts as missing (PROTOCOL 15, 16.3).
Everything that cannot be used raises `ConfigError`, naming the argument or variable, before any network activity.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Self

from relay_actors.errors import ConfigError
from relay_actors.late_dataclasses import dataclass

__all__ = [
    "DEFAULT_HOST",
    "INSPECT_VARIABLE",
    "METRICS_VARIABLE",
    "Credentials",
    "Limits",
    "Settings",
    "Timing",
    "check_contexts",
    "is_loopback",
    "split_host",
]

DEFAULT_HOST: Final = "relay.signalwire.com"
INSPECT_VARIABLE: Final = "RELAY_INSPECT"
"""Where ``relay-actors run`` lets others look in, and ``relay-actors top`` looks."""
METRICS_VARIABLE: Final = "RELAY_METRICS"
"""Where ``relay-actors run`` serves its numbers."""
_HOST_FORBIDDEN: Final = re.compile(r"[@/?#\\\s\x00-\x1f\x7f]")
_LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Every time of the protocol and the runtime, in seconds. ``Timing().scaled(0.1)`` shrinks them all for tests.

    Source of the defaults: PROTOCOL 2.6, 5, 6.5, 9.3, 15; SEMANTICS K4, X2, X3, H1.
    """

    request_timeout_s: float = 10.0
    """How long an answer to any request may take; counted from queueing when offline.

    One that takes longer is a problem of whoever asked. The connection counts as dead when a *ping* of ours is not
    answered within this time; one goes out at once when an answer is owed for half of it (SEMANTICS K9)."""
    client_ping_interval_s: float = 30.0
    """How often the connection is tried by a ping of ours, as long as pings are answered."""
    ping_retry_min_s: float = 1.0
    """After the n-th failed ping in a row the next one waits ``min(ping_retry_min_s * 2**n, ping_retry_max_s)``."""
    ping_retry_max_s: float = 30.0
    """The longest wait after a failed ping; not shorter than ``ping_retry_min_s``."""
    watchdog_s: float = 15.0
    """How long after one server ping the next must come; armed by the first one of a connection."""
    reconnect_min_s: float = 1.0
    """The wait before the second attempt to connect again; later ones grow by ``Limits.reconnect_factor``. The first is
    made at once, unless the connection was lost sooner than this after its log in."""
    reconnect_max_s: float = 30.0
    """The longest wait between two attempts to connect; not shorter than ``reconnect_min_s``."""
    dial_timeout_s: float = 120.0
    """How long a dial may take to be answered, counted from its acceptance."""
    tcp_connect_s: float = 10.0
    """How long one attempt to reach the host may take, until a TCP connection is there."""
    tls_handshake_s: float = 10.0
    """How long the TLS handshake on it may take."""
    upgrade_s: float = 10.0
    """How long the host may take to answer the request for a WebSocket."""
    reconcile_s: float = 2.0
    """How long a command of unknown outcome waits for an event that shows what has become of it (SEMANTICS K6).

    Counted from the resume of the session, if the connection was lost. Then what can be repeated is sent once more."""
    stall_after_s: float = 5.0
    """How long a command may be outstanding before its call is told that it has stalled (SEMANTICS X15)."""
    park_s: float = 5.0
    """How long an event for somebody unknown is kept for them (SEMANTICS K4)."""
    linger_s: float = 1.0
    """How long a call's actor stays after the call has ended, was handed on, or could not be dialled (`DialFailed`).

    It takes late events meanwhile (SEMANTICS X2). What it has set for later is dropped at the end of that time: only a
    flow may go on, for ``wrap_up_s``. What is to happen later belongs into a service.
    """
    wrap_up_s: float = 30.0
    """How long a flow may go on after its call has ended and lingered, and a text's listeners after its last state."""
    end_timeout_s: float = 15.0
    """How long after an accepted hang-up the end event may be missing before the call counts as ended (X3)."""
    stop_timeout_s: float = 5.0
    """How long a child may take to stop before it is killed (SEMANTICS H1)."""
    blocking_report_s: float = 0.1
    """How long a handler may hold its thread before that is reported (SEMANTICS A16)."""
    hang_report_s: float = 10.0
    """How long a turn of an actor may last before that is reported, whatever it does (SEMANTICS O5)."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not _is_number(value) or not 0 < value < float("inf"):
                raise ConfigError(f"Timing({field.name}={value!r}): must be a positive number of seconds")
        for low, high in (("ping_retry_min_s", "ping_retry_max_s"), ("reconnect_min_s", "reconnect_max_s")):
            if getattr(self, low) > getattr(self, high):
                raise ConfigError(
                    f"Timing({low}={getattr(self, low)!r}, {high}={getattr(self, high)!r}): "
                    f"{low} must not be longer than {high}"
                )

    def scaled(self, factor: float) -> Self:
        """Return these times, each multiplied by ``factor``.

        Raises:
            ConfigError: ``factor`` is not a positive number.
        """
        if not _is_number(factor) or not 0 < factor < float("inf"):
            raise ConfigError(f"Timing.scaled({factor!r}): the factor must be a positive number")
        return type(self)(**{f.name: getattr(self, f.name) * factor for f in dataclasses.fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every bound that is not a time. Whole numbers are at least 1.

    Source: PROTOCOL 1, 5.3, 6.4, 6.6, 15; SEMANTICS K4.
    """

    queued_requests: int = 500
    """Requests that may wait for the connection to come back; one more is refused with `NotSentError`."""
    frame_bytes: int = 10 * 1024 * 1024
    """How long one message of the server may be; a longer one breaks the connection."""
    outbound_bytes: int = 16 * 1024 * 1024
    """Bytes that may wait for a slow socket before it counts as lost."""
    log_in_refusals: int = 3
    """Refusals in a row before the first success, after which connecting stops."""
    ping_failures: int = 3
    """Pings in a row without an answer, after which the connection counts as lost."""
    reconnect_factor: float = 2.0
    """By how much each wait before connecting again is longer than the one before; at least 1."""
    reconnect_jitter: float = 0.1
    """Part of a reconnect delay that is random; the delay never exceeds its maximum (SEMANTICS B1)."""
    parked_per_id: int = 64
    """Events that are kept for one call or text that is not known yet (``Timing.park_s``)."""
    parked_ids: int = 10_000
    """For how many unknown calls and texts events are kept."""
    recorded_per_call: int = 10_000
    """How much is remembered of one call, so that its flow can go on where it was: in memory, after a crash
    (`CallActor.restart_flow`), and in the journal, after the end of the process. Events, commands, answers and notes
    count. A flow that outlives it begins anew (`CallActor.flow_changed`)."""
    journal_entries_per_call: int = 500
    """After so many more entries of one call in the journal its past is summed up there: what nobody needs any more
    goes. Each time it holds up the connection for about 25 µs an entry."""
    remembered_event_ids: int = 4096
    """Frame ids of events that are remembered, so that one that the server sends again is handled once."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, int) and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise ConfigError(f"Limits({field.name}={value!r}): must be a whole number of at least 1")
        if not _is_number(self.reconnect_factor) or not 1 <= self.reconnect_factor < float("inf"):
            raise ConfigError(f"Limits(reconnect_factor={self.reconnect_factor!r}): must be a number of at least 1")
        if not _is_number(self.reconnect_jitter) or not 0 <= self.reconnect_jitter <= 1:
            raise ConfigError(f"Limits(reconnect_jitter={self.reconnect_jitter!r}): must be a number from 0 to 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who logs in: a project with its token, or a JWT. None of the three appears in ``repr``.

    Source: PROTOCOL 3.1, 16.1.
    """

    project: str = dataclasses.field(default="", repr=False)
    token: str = dataclasses.field(default="", repr=False)
    jwt_token: str = dataclasses.field(default="", repr=False)

    def __post_init__(self) -> None:
        for name in ("project", "token", "jwt_token"):
            _check_text(name, getattr(self, name))
            _check_utf8(name, getattr(self, name))
        if self.jwt_token:
            return
        if not self.project:
            raise ConfigError("project is required: pass project=… or set SIGNALWIRE_PROJECT_ID")
        if not self.token:
            raise ConfigError("token is required: pass token=… or set SIGNALWIRE_API_TOKEN")

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must never be logged, longest first."""
        return tuple(sorted({s for s in (self.project, self.token, self.jwt_token) if s}, key=len, reverse=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one client needs to connect, checked.

    Raises:
        ConfigError: something cannot be used; the text names the variable and the argument.
    """

    credentials: Credentials
    host: str = DEFAULT_HOST
    scheme: str = "wss"
    ca_file: str = ""
    contexts: tuple[str, ...] = ()
    max_active_calls: int = 1000
    max_connections: int = 1
    log_level: str = ""

    def __post_init__(self) -> None:
        for name in ("host", "scheme", "ca_file", "log_level"):
            _check_text(name, getattr(self, name))
        host, _port = split_host(self.host)
        if self.scheme not in ("wss", "ws"):
            raise ConfigError(f"SIGNALWIRE_RELAY_SCHEME (scheme) is {self.scheme!r}: must be 'wss' or 'ws'")
        if self.scheme == "ws" and not is_loopback(host):
            raise ConfigError(f"plain ws:// is for loopback only, and the host is {host!r}: use scheme 'wss'")
        if self.ca_file and not os.path.isfile(self.ca_file):
            raise ConfigError(f"SIGNALWIRE_RELAY_CA_FILE (ca_file) names {self.ca_file!r}, which is not a file")
        if self.log_level and self.log_level not in _LOG_LEVELS:
            raise ConfigError(f"SIGNALWIRE_LOG_LEVEL is {self.log_level!r}: must be one of {', '.join(_LOG_LEVELS)}")
        check_contexts(self.contexts)
        _check_count("max_active_calls", self.max_active_calls)
        _check_count("max_connections", self.max_connections)

    @property
    def url(self) -> str:
        """``wss://host[:port]``, with no path. Source: PROTOCOL 1."""
        return f"{self.scheme}://{self.host}"

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        project: str | None = None,
        token: str | None = None,
        jwt_token: str | None = None,
        host: str | None = None,
        scheme: str | None = None,
        ca_file: str | None = None,
        contexts: Sequence[str] | None = None,
        max_active_calls: int | None = None,
        max_connections: int | None = None,
    ) -> Self:
        """Return settings from arguments and, where those are missing or empty, environment variables.

        Raises:
            ConfigError: something required is missing, or something cannot be used; the text names it.

        Source: PROTOCOL 16.2, 16.3.
        """
        env = os.environ if environ is None else environ
        return cls(
            credentials=Credentials(
                project=_text("project", project, env, "SIGNALWIRE_PROJECT_ID"),
                token=_text("token", token, env, "SIGNALWIRE_API_TOKEN"),
                jwt_token=_text("jwt_token", jwt_token, env, "SIGNALWIRE_JWT_TOKEN"),
            ),
            host=_text("host", host, env, "SIGNALWIRE_SPACE", "SIGNALWIRE_RELAY_HOST") or DEFAULT_HOST,
            scheme=_text("scheme", scheme, env, "SIGNALWIRE_RELAY_SCHEME") or "wss",
            ca_file=_text("ca_file", ca_file, env, "SIGNALWIRE_RELAY_CA_FILE"),
            contexts=check_contexts(contexts if contexts is not None else ()),
            max_active_calls=_whole_number(max_active_calls, env, "max_active_calls", "RELAY_MAX_ACTIVE_CALLS", 1000),
            max_connections=_whole_number(max_connections, env, "max_connections", "RELAY_MAX_CONNECTIONS", 1),
            log_level=_text("log_level", None, env, "SIGNALWIRE_LOG_LEVEL").upper(),
        )


def check_contexts(contexts: Sequence[str]) -> tuple[str, ...]:
    """Return the contexts without repetition, in order.

    Raises:
        ConfigError: not a list of non-empty strings. A bare string is refused: it would be taken letter by letter.
    """
    if isinstance(contexts, str):
        raise ConfigError(f"contexts must be a list of strings: write contexts=[{contexts!r}]")
    if not isinstance(contexts, Iterable):
        raise ConfigError(f"contexts must be a list of strings, not {type(contexts).__name__}")
    for context in contexts:
        if not isinstance(context, str) or not context:
            raise ConfigError(f"contexts must be non-empty strings, not {context!r}")
        _check_utf8("contexts", context)
    return tuple(dict.fromkeys(contexts))


def split_host(host: str) -> tuple[str, int | None]:
    """Return host name and port (None when not given) of ``host[:port]``; IPv6 goes in brackets.

    Raises:
        ConfigError: it is a URL, has a forbidden character, or a port outside 1..65535.

    Source: PROTOCOL 16.2.
    """
    if not host or _HOST_FORBIDDEN.search(host):
        raise ConfigError(
            f"Invalid host {host!r}: SIGNALWIRE_SPACE (host) must be a host name, optionally with :port, not a URL"
        )
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")) or not _is_ipv6(name):
            raise ConfigError(f"Invalid host {host!r}: an IPv6 address is written [::1] or [::1]:8443")
        port_text = rest[1:] if rest else None
    else:
        name, colon, tail = host.partition(":")
        port_text = tail if colon else None
    if not name:
        raise ConfigError(f"Invalid host {host!r}: the host name is missing")
    if port_text is None:
        return name, None
    # The length comes first: Python refuses to read a number of thousands of digits, with an error of another class.
    if not (port_text.isascii() and port_text.isdigit() and len(port_text) <= 5) or not 1 <= int(port_text) <= 65535:
        raise ConfigError(f"Invalid host {host!r}: the port must be a number from 1 to 65535")
    return name, int(port_text)


def is_loopback(host: str) -> bool:
    """Return whether ``host``, without port, is this machine: ``localhost`` or a loopback address."""
    if host.lower() == "localhost":
        return True
    import ipaddress  # here and below, because most hosts are told by what is above

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_number(value: object) -> bool:
    """Return whether it is one; True and False are not, although they are to Python."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_ipv6(name: str) -> bool:
    import ipaddress

    try:
        ipaddress.IPv6Address(name)
    except ValueError:
        return False
    return True


def _check_text(argument: str, value: object) -> None:
    if not isinstance(value, str):
        raise ConfigError(f"{argument} must be a string, not {type(value).__name__}")


def _check_utf8(argument: str, value: str) -> None:
    """Refuse what can never be sent: a variable may hold any bytes, and Python has half a surrogate pair for each."""
    try:
        value.encode()
    except UnicodeEncodeError:
        # With nothing of the other error: it holds the value, which may be a secret.
        raise ConfigError(f"{argument} must be text in UTF-8, and holds something that is none") from None


def _check_count(argument: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"{argument}={value!r}: must be a whole number of at least 1")


def _text(argument: str, given: str | None, env: Mapping[str, str], *variables: str) -> str:
    """Return the argument, else the first of the variables that is not empty, else an empty text."""
    if given is not None:
        _check_text(argument, given)
    return given or next((env[variable] for variable in variables if env.get(variable)), "")


def _whole_number(given: int | None, env: Mapping[str, str], argument: str, variable: str, default: int) -> int:
    if given is not None:
        _check_count(argument, given)
        return given
    text = env.get(variable, "")
    if not text:
        return default
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ConfigError(f"{variable} is {text!r}: must be a whole number of at least 1")
    return number
