"""How one process looks into the application of another: a unix socket, one line asked, one line answered. Layer: door.

Only who runs the application can use it: the socket's mode is 0600. Each connection asks one thing, in JSON:
``{"ask": "top"}``, ``{"ask": "tree", "who": "Support#12"}``, ``{"ask": "trace", "who": "Support#12", "on": true}``;
the answer is ``{"ok": …}`` or ``{"error": "what to mend"}``. Who follows an actor says how often he will ask,
``"every": 1.0``: when he has not for a while, nobody looks any more, and the trace is ended.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import stat
import threading
from types import TracebackType
from typing import Any, Final, Self

from relay_actors.app import RelayApp
from relay_actors.errors import ConfigError
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.clock import SystemClock
from relay_actors.runtime.tracing import Trace

__all__ = ["Inspecting", "ask"]

_log = logging.getLogger("relay_actors.inspect")

_PATIENCE_S: Final = 5.0
"""How long either side waits for the other."""
_EVERY_S: Final = 20.0
"""How often somebody asks who does not say it: a person, or a script."""
_LONGEST_EVERY_S: Final = 24 * 3600.0
_LONGEST_QUESTION: Final = 64 * 1024
_MODE: Final = 0o600


@dataclass(slots=True, kw_only=True)
class _Followed:
    """An actor that somebody follows."""

    trace: Trace
    is_ours: bool
    """Whether it was begun for who follows; the application may trace an actor itself."""
    until: float


class Inspecting:
    """Answers who asks about an application, on a thread of its own, while its ``with`` statement lasts.

    Args:
        app: need not run yet; until it does, that is what is answered.
        path: of the socket; one that a process has left behind when it was killed is replaced.
        patience_s: how much later than he has said somebody may ask again whose trace is not to be ended.

    Raises:
        ConfigError: somebody listens there already, there is another file, or it cannot be made.
    """

    def __init__(self, app: RelayApp, path: str, *, patience_s: float = _PATIENCE_S) -> None:
        self._app = app
        self._path = path
        self._is_closing = False
        self._patience_s = patience_s
        self._clock = SystemClock()
        # By whom was asked for; also actors that have ended since: their last records are the best.
        self._followed: dict[str, _Followed] = {}
        self._listener = _listen(path)
        self._thread = threading.Thread(target=self._serve, name="relay-actors-inspect", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_closing = True
        with socket.socket(socket.AF_UNIX) as waker, contextlib.suppress(OSError):
            waker.connect(self._path)  # to close a socket wakes no accept
        with contextlib.suppress(OSError):  # on Linux this does, also when the path is gone
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(_PATIENCE_S)
        self._listener.close()
        with contextlib.suppress(FileNotFoundError):  # somebody has tidied up
            os.unlink(self._path)

    def _serve(self) -> None:
        while not self._is_closing:
            try:
                self._listener.settimeout(self._end_unseen())
                connection, _address = self._listener.accept()
            except OSError:  # also when it is time to look who is not followed any more
                continue
            # One after the other: who asks is one person, and a second one waits for milliseconds.
            with connection:
                try:
                    connection.settimeout(_PATIENCE_S)
                    line = _read_line(connection)
                    connection.sendall(_line(self._answer(line)) if line else b"")
                except OSError as error:
                    if not self._is_closing:  # otherwise it is who has woken this thread for that
                        _log.info("an inspection broke off: %s", error)

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            question = json.loads(line)
            return {"ok": self._found(question)}
        except ConfigError as error:
            return {"error": str(error)}
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
            return {"error": 'ask one line of JSON, such as {"ask": "tree"}'}

    def _found(self, question: dict[str, Any]) -> Any:
        app, who = self._app, question.get("who")
        match question["ask"]:
            case "top":
                return {"name": app.name, "tree": app.tree().as_dict(), "metrics": app.metrics()}
            case "tree":
                return app.tree(who).as_dict()
            case "trace" if isinstance(who, str):
                every_s = min(_LONGEST_EVERY_S, max(0.0, float(question.get("every", _EVERY_S))))
                return self._traced(who, is_on=bool(question.get("on", True)), every_s=every_s)
            case asked:
                raise ConfigError(f"{asked!r} cannot be asked: ask for top, tree, or trace with who")

    def _traced(self, who: str, *, is_on: bool, every_s: float) -> dict[str, Any]:
        followed = self._followed.get(who)
        if followed is None:
            others = self._app.system.observation.of_kind(Trace)
            trace = self._app.trace(who)
            is_ours = trace not in others or any(one.is_ours for one in self._followed.values() if one.trace is trace)
            followed = self._followed[who] = _Followed(trace=trace, is_ours=is_ours, until=0.0)
        # One that comes late, under load, is not taken for one that has gone.
        followed.until = max(followed.until, self._clock.now() + 2 * every_s + self._patience_s)
        if not is_on:
            self._end(who)
        trace = followed.trace
        return {"records": [[record.at, str(record)] for record in trace.records], "is_over": trace.is_over}

    def _end_unseen(self) -> float | None:
        """End the traces at which nobody looks any more; return in how many seconds the next one may be such a one."""
        now = self._clock.now()
        for who in [who for who, followed in self._followed.items() if followed.until <= now]:
            self._end(who)
            _log.info("nobody follows %s any more: its trace was ended", who)
        return min((followed.until - now for followed in self._followed.values()), default=None)

    def _end(self, who: str) -> None:
        followed = self._followed.pop(who)
        is_followed_by_another_name = any(one.trace is followed.trace for one in self._followed.values())
        if followed.is_ours and not is_followed_by_another_name:
            followed.trace.end()


def ask(path: str, question: dict[str, Any]) -> Any:
    """Ask the application that listens at ``path``, and return its answer.

    Raises:
        ConfigError: nobody listens there, it is somebody else's, or the question cannot be answered.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE_S)
        try:
            connection.connect(path)
            connection.sendall(_line(question))
            line = _read_line(connection, longest=None)
        except PermissionError:
            raise ConfigError(f"{path} belongs to somebody else: ask as the user that runs the application") from None
        except TimeoutError:
            raise ConfigError(f"the application at {path} did not answer within {_PATIENCE_S:g} s") from None
        except OSError as error:
            raise ConfigError(
                f"no application listens at {path} ({error.strerror or error}): "
                f"start it with relay-actors run module:app --inspect {path}"
            ) from None
    answer = _read_answer(line) if line else {"error": f"the application at {path} has just ended"}
    if "error" in answer:
        raise ConfigError(str(answer["error"]))
    if "ok" not in answer:
        raise ConfigError(f"what listens at {path} is no application of relay-actors run --inspect: name its socket")
    return answer["ok"]


def _listen(path: str) -> socket.socket:
    _clear(path)
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(path)
        # Nobody can connect between the two: that is refused until somebody listens.
        os.chmod(path, _MODE)
        listener.listen()
    except OSError as error:
        listener.close()
        raise ConfigError(f"--inspect {path}: the socket cannot be made ({error.strerror or error})") from None
    return listener


def _clear(path: str) -> None:
    """Remove a socket that nobody listens at any more."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return  # nothing is there; whatever else is wrong with the path, the bind says
    if not stat.S_ISSOCK(mode):
        raise ConfigError(f"--inspect {path}: there is a file of that name already; name another")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_PATIENCE_S)
        try:
            probe.connect(path)
        except OSError:
            os.unlink(path)
            return
    raise ConfigError(f"--inspect {path}: an application listens there already; name another")


def _read_answer(line: bytes) -> dict[str, Any]:
    """Return an answer; an empty one in place of what is none."""
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _read_line(connection: socket.socket, longest: int | None = _LONGEST_QUESTION) -> bytes:
    parts: list[bytes] = []
    while not (parts and parts[-1].endswith(b"\n")):
        part = connection.recv(65536)
        if not part or (longest is not None and sum(map(len, parts)) > longest):
            break
        parts.append(part)
    return b"".join(parts)
