"""The numbers over HTTP."""

import http.client
import logging
import queue
import socket
import struct
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from relay_actors import RelayApp
from relay_actors.cli.metrics_server import MetricsServer, parse_address
from relay_actors.errors import ConfigError
from tests.cli.processes import DEADLINE_S


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_prometheus_can_fetch_the_numbers(app: RelayApp):
    """O1: in its own format, under its own content type."""
    app.start()
    with (
        MetricsServer(app, "127.0.0.1", 0) as server,
        urllib.request.urlopen(server.url, timeout=DEADLINE_S) as answer,
    ):
        text, content_type = answer.read().decode(), answer.headers["Content-Type"]
    numbers = {family.name: family.samples for family in text_string_to_metric_families(text)}
    assert numbers["relay_actors_connection_up"][0].value == 1
    assert content_type.startswith("text/plain; version=0.0.4")


def test_while_the_application_does_not_run_it_says_so(app: RelayApp):
    """Prometheus then counts it as down, which it is."""
    with MetricsServer(app, "127.0.0.1", 0) as server:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(server.url, timeout=DEADLINE_S)
        assert refused.value.code == 503
        refused.value.close()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(server.url.replace("/metrics", "/"), timeout=DEADLINE_S)
        assert refused.value.code == 404
        refused.value.close()


def test_the_numbers_can_be_fetched_over_ipv6(app: RelayApp):
    """In brackets, as every URL has it."""
    if not _has_ipv6():
        pytest.skip("this machine has no IPv6 on loopback")
    app.start()
    with MetricsServer(app, *parse_address("[::1]:0")) as server:
        assert server.url.startswith("http://[::1]:")
        with urllib.request.urlopen(server.url, timeout=DEADLINE_S) as answer:
            assert answer.status == 200


class _Heard(logging.Handler):
    """Knows when the server has logged that a request broke off."""

    def __init__(self) -> None:
        super().__init__()
        self.levels: queue.SimpleQueue[int] = queue.SimpleQueue()

    def emit(self, record: logging.LogRecord) -> None:
        if "broke off" in record.getMessage():
            self.levels.put(record.levelno)


@pytest.fixture
def heard() -> Iterator[_Heard]:
    logger, handler = logging.getLogger("relay_actors.metrics"), _Heard()
    before = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(before)


def test_who_breaks_a_request_off_leaves_no_traceback(app: RelayApp, heard: _Heard, capfd: pytest.CaptureFixture[str]):
    """A load balancer that only looks whether the port is open does so every few seconds."""
    with MetricsServer(app, "127.0.0.1", 0) as server:
        address = urllib.parse.urlsplit(server.url)
        with socket.create_connection((address.hostname, address.port), timeout=DEADLINE_S) as probe:
            # Lingering for no time makes the kernel send RST where it would have sent FIN.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            probe.sendall(b"GET /met")
        assert heard.levels.get(timeout=DEADLINE_S) == logging.DEBUG
    assert "Traceback" not in capfd.readouterr().err


def test_numbers_that_cannot_be_told_are_an_error_in_the_log(
    app: RelayApp, heard: _Heard, monkeypatch: pytest.MonkeyPatch
):
    """Nothing that fails here is taken for a client that has gone."""

    def fail() -> str:
        raise LookupError("no such number")

    monkeypatch.setattr(app, "prometheus", fail)
    with MetricsServer(app, "127.0.0.1", 0) as server:
        with pytest.raises(http.client.RemoteDisconnected):
            urllib.request.urlopen(server.url, timeout=DEADLINE_S)
        assert heard.levels.get(timeout=DEADLINE_S) == logging.ERROR


def test_a_port_that_is_taken_is_told(app: RelayApp):
    with MetricsServer(app, "127.0.0.1", 0) as server:
        port = int(server.url.rpartition(":")[2].partition("/")[0])
        with pytest.raises(ConfigError, match=f"--metrics 127.0.0.1:{port}: cannot listen there"):
            MetricsServer(app, "127.0.0.1", port)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("9464", ("127.0.0.1", 9464)),
        (":0", ("127.0.0.1", 0)),
        ("[::1]:9464", ("::1", 9464)),
    ],
)
def test_an_address_may_be_a_port_alone(text: str, address: tuple[str, int]):
    """Then it is on loopback: there is no password."""
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["localhost", "localhost:http", "1.2.3.4:70000", ""])
def test_what_is_no_address_is_told(text: str):
    with pytest.raises(ConfigError, match="write host:port"):
        parse_address(text)
    with pytest.raises(ConfigError, match=r"--control .*: write host:port, for example here:1"):
        parse_address(text, option="--control", example="here:1")


@pytest.mark.parametrize("host", ["ö..ö", "ö" * 64])
def test_a_host_name_that_cannot_be_one_is_told(host: str):
    """The library would say "encoding of hostname failed", in a traceback."""
    with pytest.raises(ConfigError, match=f"--control {host}:0: {host} is no host name; write host:port"):
        MetricsServer(RelayApp(), *parse_address(f"{host}:0", option="--control"))
