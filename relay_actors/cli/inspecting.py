"""How one process looks into the application of another: a unix socket, one line asked, one line answered. Layer: door.

Only who runs the application can use it: the socket's mode is 0600. Each connection asks one thing, in JSON:
``{"ask": "top"}``, ``{"ask": "tree", "who": "Support#12"}``, ``{"ask": "trace", "who": "Support#12", "on": true}``;
the answer is ``{"ok": …}`` or ``{"error": "what to mend"}``.
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
from relay_actors.runtime.tracing import Trace

__all__ = ["Inspecting", "ask"]

_log = logging.getLogger("relay_actors.inspect")

_PATIENCE_S: Final = 5.0
"""How long either side waits for the other."""
_LONGEST_QUESTION: Final = 64 * 1024
_MODE: Final = 0o600


class Inspecting:
    """Answers who asks about an application, on a thread of its own, while its ``with`` statement lasts.

    Args:
        app: need not run yet; until it does, that is what is answered.
        path: of the socket; one that a process has left behind when it was killed is replaced.

    Raises:
        ConfigError: somebody listens there already, there is another file, or it cannot be made.
    """

    def __init__(self, app: RelayApp, path: str) -> None:
        self._app = app
        self._path = path
        self._is_closing = False
        self._traces: dict[str, Trace] = {}  # also of actors that have ended since: their last records are the best
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
                connection, _address = self._listener.accept()
            except OSError:
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
                return self._traced(who, is_on=bool(question.get("on", True)))
            case asked:
                raise ConfigError(f"{asked!r} cannot be asked: ask for top, tree, or trace with who")

    def _traced(self, who: str, *, is_on: bool) -> dict[str, Any]:
        trace = self._traces.get(who)
        if trace is None:
            self._traces = {known: one for known, one in self._traces.items() if not one.is_over}
            trace = self._traces[who] = self._app.trace(who)
        if not is_on:
            del self._traces[who]
            trace.end()
        return {"records": [[record.at, str(record)] for record in trace.records], "is_over": trace.is_over}


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
