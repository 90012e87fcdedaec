"""The control API of a simulator over HTTP, for tests in any language. Layer: door."""

from __future__ import annotations

import hmac
import ipaddress
import json
import logging
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from relay_actors.cli.control_openapi import openapi
from relay_actors.cli.control_operations import Answer
from relay_actors.cli.control_table import ControlTable
from relay_actors.errors import ConfigError
from relay_actors.simulator.simulator import Simulator

__all__ = ["SimulatorControl"]

_log = logging.getLogger("relay_actors.control")

LONGEST_BODY: Final = 1024 * 1024
"""In bytes. A frame that is pushed may be long; more than this is a mistake."""

IDLE_S: Final = 10.0
"""How long a client may take to send its request."""


class SimulatorControl:
    """Serves the control API of a simulator while its ``with`` statement lasts. Each request has a thread of its own.

    Args:
        simulator: whose people, faults and frames they are.
        host: where to listen.
        port: 0 picks a free one.
        token: each request has to bear it, as ``Authorization: Bearer …``; empty: nobody is asked for one.

    Raises:
        ConfigError: it cannot listen there.
    """

    def __init__(self, simulator: Simulator, host: str = "127.0.0.1", port: int = 0, *, token: str = "") -> None:
        self._token = token
        try:
            self._server = _Server((host, port), _handler_for(self))
        except OSError as error:
            raise ConfigError(f"--control {host}:{port}: cannot listen there ({error.strerror or error})") from None
        self._table = ControlTable(simulator)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="relay-actors-control", daemon=True
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return f"http://[{host!s}]:{port}" if ":" in str(host) else f"http://{host!s}:{port}"

    @property
    def is_open_to_others(self) -> bool:
        """Whether other machines can ask, and need no token."""
        return not self._token and not self._is_on_loopback

    def is_meant_by(self, host: str) -> bool:
        """Return whether a request with this ``Host`` is meant for what listens here, and for no site of the web.

        A site can let its own name point to loopback, and its pages then read there as if it were theirs. They cannot
        know a token; on a network of one's own any name may be right.
        """
        if self._token or not self._is_on_loopback:
            return True
        try:
            name = urlsplit(f"//{host}").hostname or "localhost"
            return name == "localhost" or bool(ipaddress.ip_address(name))
        except ValueError:
            return False

    @property
    def _is_on_loopback(self) -> bool:
        return ipaddress.ip_address(str(self._server.server_address[0])).is_loopback

    def answer(self, method: str, path: str, query: str, body: bytes, *, authorization: str = "") -> Answer:
        """Answer one request; otherwise as `ControlTable.answer`.

        Args:
            method: of HTTP.
            path: percent-encoded.
            query: the same.
            body: a JSON object, or nothing.
            authorization: the header of that name.
        """
        if self._token and not hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode()):
            return Answer(401, {"error": "send the token of --control-token, as Authorization: Bearer …"})
        if method == "GET" and path == "/openapi.json":
            return Answer(200, openapi(self._table.operations, url=self.url, has_token=bool(self._token)))
        return self._table.answer(method, path, query, body)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5.0)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Note that a client has gone before its answer came: it is no error of anybody here."""
        _log.debug("a request broke off", exc_info=True)


def _handler_for(control: SimulatorControl) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = IDLE_S
        wbufsize = -1  # head and body leave together
        error_content_type = "application/json"
        error_message_format = '{"error": "this is no request that can be answered (%(code)d)"}\n'

        def do_GET(self) -> None:  # the library's name
            """Answer one request."""
            self._send(self._answer())

        do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815  # the library's names

        def log_message(self, format: str, *args: Any) -> None:  # the library's name
            """Log quietly: a test asks a hundred times."""
            _log.debug(format, *args)

        def _answer(self) -> Answer:
            length = self.headers.get("Content-Length", "0")
            if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
                return Answer(411, {"error": "send the body with its Content-Length, and not in chunks"})
            if len(length) > len(str(LONGEST_BODY)) or int(length) > LONGEST_BODY:
                return Answer(413, {"error": f"the body has {length[:20]} bytes, and {LONGEST_BODY} is the most"})
            body = self.rfile.read(int(length))
            if "Origin" in self.headers or not control.is_meant_by(self.headers.get("Host", "")):
                # A page in somebody's browser can reach loopback, too.
                return Answer(
                    403,
                    {
                        "error": "this is for tests, and not for pages of the web: send no Origin, and as Host "
                        "an address or localhost"
                    },
                )
            path, _mark, query = self.path.partition("?")
            authorization = self.headers.get("Authorization", "")
            try:
                return control.answer(self.command, path, query, body, authorization=authorization)
            except Exception as error:
                _log.exception("%s %s failed", self.command, path)
                return Answer(500, {"error": f"this failed, and should not have: {error!r}"})

        def _send(self, answer: Answer) -> None:
            body = json.dumps(answer.body, indent=2, ensure_ascii=False).encode() + b"\n"
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if answer.allowed:
                self.send_header("Allow", answer.allowed)
            if answer.status == 401:
                self.send_header("WWW-Authenticate", "Bearer")
            self.end_headers()
            self.wfile.write(body)

    return Handler
