"""An application's numbers for Prometheus to fetch, over HTTP. Layer: door."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from relay_actors.app import RelayApp
from relay_actors.errors import ConfigError
from relay_actors.runtime.exposition import CONTENT_TYPE

__all__ = ["MetricsServer", "parse_address"]

_log = logging.getLogger("relay_actors.metrics")


class MetricsServer:
    """Serves ``/metrics`` while its ``with`` statement lasts; 503 while the application does not run.

    Args:
        app: whose numbers.
        host: where to listen. There is no password: keep it to loopback, or to a network of your own.
        port: 0 picks a free one.

    Raises:
        ConfigError: it cannot listen there.
    """

    def __init__(self, app: RelayApp, host: str, port: int) -> None:
        try:
            self._server = _Server((host, port), _handler_for(app))
        except OSError as error:
            raise ConfigError(f"--metrics {host}:{port}: cannot listen there ({error.strerror or error})") from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="relay-actors-metrics", daemon=True
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return f"http://[{host!s}]:{port}/metrics" if ":" in str(host) else f"http://{host!s}:{port}/metrics"

    def __enter__(self) -> Self:
        self._thread.start()
        _log.info("metrics at %s", self.url)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5.0)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what has failed; quietly if a client has gone before its answer came, which is no error of anybody."""
        is_gone = isinstance(sys.exception(), ConnectionError)
        _log.log(logging.DEBUG if is_gone else logging.ERROR, "a request broke off", exc_info=True)


def parse_address(text: str, *, option: str = "--metrics", example: str = "127.0.0.1:9464") -> tuple[str, int]:
    """Return host and port of ``host:port``, or of a port alone, which is on loopback.

    Args:
        text: what was given; an address of IPv6 stands in brackets.
        option: to which it was given.
        example: of what may be given.

    Raises:
        ConfigError: it is neither, or no host can have that name.
    """
    host, _colon, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ConfigError(f"{option} {text}: write host:port, for example {example}")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    try:
        host.encode("idna")  # as the socket does, whose error says neither what nor where
    except UnicodeError:
        raise ConfigError(f"{option} {text}: {host} is no host name; write host:port, for example {example}") from None
    return host, int(port)


def _handler_for(app: RelayApp) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10.0

        def do_GET(self) -> None:  # the library's name
            """Answer one request."""
            if self.path.partition("?")[0] != "/metrics":
                self._send(404, "text/plain; charset=utf-8", "The numbers are at /metrics\n")
                return
            try:
                text = app.prometheus()
            except ConfigError as error:
                self._send(503, "text/plain; charset=utf-8", f"{error}\n")
            else:
                self._send(200, CONTENT_TYPE, text)

        def log_message(self, format: str, *args: Any) -> None:  # the library's name
            """Log quietly: it is asked every few seconds."""
            _log.debug(format, *args)

        def _send(self, status: int, content_type: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
