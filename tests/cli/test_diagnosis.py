"""Each thing that can be wrong is found where it is, says what to mend, and gives no secret away."""

import importlib.metadata
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from relay_actors.cli.diagnosis import (
    Finding,
    check_connection,
    check_dependencies,
    check_environment,
    check_python,
)
from relay_actors.config import Credentials, Limits, Settings, Timing
from relay_actors.runtime.clock import SystemClock, uuid4_ids
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.tls import make_tls_files
from relay_actors.simulator.websockets_server import SimulatorServer
from tests.support.raw_server import RawPeer, RawServer
from tests.support.tls import ThrowawayAuthority

ACCOUNT = {"SIGNALWIRE_PROJECT_ID": "my-project", "SIGNALWIRE_API_TOKEN": "my-secret"}
SHORT = Timing(request_timeout_s=0.2, tcp_connect_s=2.0, tls_handshake_s=2.0, upgrade_s=0.5)


def test_an_old_python_is_named():
    assert check_python().is_right
    found = check_python((3, 10, 12))
    assert (found.is_right, found.detail, found.hint) == (False, "3.10.12", "install Python 3.11 or newer")


def test_every_library_of_the_package_is_there():
    """As this package's own metadata say; tools for its tests are not asked for."""
    found = {finding.what: finding.is_right for finding in check_dependencies()}

    assert {"pykka", "websocket-client", "websockets", "msgpack", "orjson", "rich"} <= found.keys()
    assert all(found.values())
    assert "pytest" not in found


def test_a_library_that_is_missing_or_too_old_comes_with_the_command_that_mends_it():
    def version_of(name: str) -> str:
        if name == "orjson":
            raise importlib.metadata.PackageNotFoundError(name)
        return {"pykka": "4.4.9", "rich": "13.10"}[name]

    found = list(check_dependencies(["pykka>=4.5", "orjson>=3.10", "rich>=13.7", "x>=1; extra == 'docs'"], version_of))

    assert found == [
        Finding("pykka", False, "4.4.9", "pip install 'pykka>=4.5'"),
        Finding("orjson", False, "not installed", "pip install 'orjson>=3.10'"),
        Finding("rich", True, "13.10"),
    ]


def environment(**variables: str) -> dict[str, Finding]:
    return {finding.what: finding for finding in check_environment({**ACCOUNT, **variables})}


def test_an_environment_that_is_right_has_nothing_to_mend():
    found = environment(SIGNALWIRE_SPACE="example.signalwire.com")

    assert all(finding.is_right is not False for finding in found.values())
    assert found["settings"].is_right
    assert found["SIGNALWIRE_SPACE"].detail == "example.signalwire.com"
    assert found["SIGNALWIRE_RELAY_SCHEME"] == Finding("SIGNALWIRE_RELAY_SCHEME", None, "not set: wss")


def test_secrets_are_never_shown():
    """Only how long they are, which is enough to see that half of one was copied."""
    found = list(
        check_environment({**ACCOUNT, "SIGNALWIRE_JWT_TOKEN": "'my-token'", "SIGNALWIRE_SPACE": "https://wrong/"})
    )

    assert not [finding for finding in found if "my-" in repr(finding)]
    assert found[0] == Finding("SIGNALWIRE_PROJECT_ID", True, "set, 10 characters")


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("SIGNALWIRE_SPACE", "https://example.signalwire.com", "must be a host name, optionally with :port, not a URL"),
        ("SIGNALWIRE_SPACE", "example.com:99999", "the port must be a number from 1 to 65535"),
        ("SIGNALWIRE_SPACE", " example.com", "spaces or quotes around its value"),
        ("SIGNALWIRE_API_TOKEN", '"my-secret"', "spaces or quotes around its value"),
        ("SIGNALWIRE_PROJECT_ID", "my-project\n", "spaces or quotes around its value"),
        ("SIGNALWIRE_RELAY_SCHEME", "https", "must be 'wss' or 'ws'"),
        ("SIGNALWIRE_RELAY_CA_FILE", "/no/such/file", "which is not a file"),
        ("SIGNALWIRE_LOG_LEVEL", "loud", "must be one of DEBUG"),
        ("RELAY_MAX_ACTIVE_CALLS", "many", "must be a whole number of at least 1"),
        ("RELAY_MAX_CONNECTIONS", "0", "must be a whole number of at least 1"),
    ],
)
def test_a_variable_that_cannot_be_used_is_found_by_itself(name: str, value: str, hint: str):
    """The others are not blamed for it."""
    found = environment(**{name: value})

    assert found[name].is_right is False
    assert hint in found[name].hint
    wrong = {finding.what for finding in found.values() if finding.is_right is False}
    assert wrong <= {name, "settings"}


@pytest.mark.parametrize(
    ("missing", "hint"),
    [("SIGNALWIRE_PROJECT_ID", "project is required"), ("SIGNALWIRE_API_TOKEN", "token is required")],
)
def test_missing_credentials_are_named(missing: str, hint: str):
    found = environment(**{missing: ""})

    assert found["settings"].is_right is False
    assert hint in found["settings"].hint
    assert missing in found["settings"].hint


def test_what_does_not_go_together_is_found():
    """Each by itself is right."""
    found = environment(SIGNALWIRE_RELAY_SCHEME="ws", SIGNALWIRE_SPACE="example.signalwire.com")

    assert found["SIGNALWIRE_RELAY_SCHEME"].is_right
    assert found["SIGNALWIRE_SPACE"].is_right
    assert "plain ws:// is for loopback only" in found["settings"].hint


def test_a_variable_of_another_sdk_is_recognized():
    """Its name is nearly right, and its value would be ignored without a word."""
    found = environment(SIGNALWIRE_API_TOKEN="", SIGNALWIRE_TOKEN="my-secret")

    assert found["SIGNALWIRE_TOKEN"] == Finding(
        "SIGNALWIRE_TOKEN", False, "set, but not read here", "set SIGNALWIRE_API_TOKEN in its place"
    )
    assert "SIGNALWIRE_TOKEN" not in environment(SIGNALWIRE_TOKEN="my-secret")


# -- the connection, against real sockets ------------------------------------------------------------------------------


def connection(host: str, *, scheme: str = "ws", ca_file: str = "", jwt_token: str = "") -> list[Finding]:
    credentials = Credentials(project="my-project", token="my-secret", jwt_token=jwt_token)
    settings = Settings(credentials=credentials, host=host, scheme=scheme, ca_file=ca_file)
    found = list(check_connection(settings, SHORT, Limits(), clock=SystemClock(), ids=uuid4_ids(Random(1))))
    assert not [finding for finding in found if "my-" in repr(finding)], "a secret is in a finding"
    return found


def marks(found: list[Finding]) -> dict[str, bool | None]:
    return {finding.what: finding.is_right for finding in found}


def mend(found: list[Finding]) -> str:
    """The one hint that there is."""
    [hint] = [finding.hint for finding in found if finding.is_right is False]
    return hint


@contextmanager
def visitor(server: RawServer, receive: Callable[[RawServer], RawPeer]) -> Iterator[None]:
    """Have the server receive one client, in a thread of its own."""
    peers: list[RawPeer] = []

    def take() -> None:
        peers.append(receive(server))

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield
    finally:
        thread.join(10.0)
        for peer in peers:
            peer.close()


def test_a_server_that_accepts_is_all_right(server: SimulatorServer, simulator: Simulator):
    """And no context is asked for: the doctor takes no calls away from anybody."""
    found = connection(f"127.0.0.1:{server.port}")

    assert marks(found) == {"host name": True, "TCP": True, "WebSocket": True, "log-in": True}
    assert simulator.contexts == ()


def test_nothing_waits_at_the_server_for_the_doctor_to_come_back(server: SimulatorServer, simulator: Simulator):
    """An event follows the log-in, and whoever looks for what an application has not acknowledged would find that."""
    connection(f"127.0.0.1:{server.port}")

    assert simulator.wait_until(lambda: not simulator.unacknowledged, 5.0)


def test_a_server_that_says_no_more_after_the_log_in_is_all_right():
    """Not all of them do."""
    manners = Manners(sends_authorization_state=False)
    with SimulatorServer(Simulator(clock=SystemClock(), random=Random(1), manners=manners)) as server:
        assert marks(connection(f"127.0.0.1:{server.port}"))["log-in"] is True


def test_tls_is_checked_with_the_authority_of_the_settings(tmp_path: Path, simulator: Simulator):
    files = make_tls_files(tmp_path, clock=SystemClock())
    with SimulatorServer(simulator, tls=files) as server:
        host = f"localhost:{server.port}"
        assert all(marks(connection(host, scheme="wss", ca_file=str(files.ca_file))).values())

        found = connection(host, scheme="wss")

    assert marks(found) == {"host name": True, "TCP": True, "TLS": False, "WebSocket": None, "log-in": None}
    assert "let SIGNALWIRE_RELAY_CA_FILE name its bundle" in mend(found)


def test_a_bundle_that_is_none_is_named(tmp_path: Path, simulator: Simulator):
    (tmp_path / "ca.pem").write_text("not a certificate")
    files = make_tls_files(tmp_path, clock=SystemClock())
    (tmp_path / "nonsense.pem").write_text("not a certificate")
    with SimulatorServer(simulator, tls=files) as server:
        found = connection(f"localhost:{server.port}", scheme="wss", ca_file=str(tmp_path / "nonsense.pem"))

    assert marks(found)["TLS"] is False
    assert "SIGNALWIRE_RELAY_CA_FILE" in mend(found)


def test_a_certificate_for_another_name_is_told(tmp_path: Path):
    authority = ThrowawayAuthority(tmp_path)
    context = authority.server_context("elsewhere.example")

    def receive(server: RawServer) -> RawPeer:
        try:
            return server.accept(context)
        except OSError:
            return server.accept()

    with RawServer() as server, visitor(server, receive):
        found = connection(f"localhost:{server.port}", scheme="wss", ca_file=str(authority.ca_file))
        # The first client refuses the handshake; a second one lets the server's thread end.
        connection(f"127.0.0.1:{server.port}")

    assert marks(found)["TLS"] is False
    assert "check that SIGNALWIRE_SPACE is the name in the certificate" in mend(found)


def test_a_name_that_cannot_be_looked_up_is_told_apart_from_a_server_that_is_down():
    """A label of a name has 63 letters at most, so this one is refused without asking anybody."""
    found = connection(f"{'x' * 64}.example", scheme="wss")

    assert marks(found) == {"host name": False, "TCP": None, "TLS": None, "WebSocket": None, "log-in": None}
    assert "check SIGNALWIRE_SPACE" in mend(found)


def test_a_port_where_nobody_listens_is_told():
    with RawServer() as server:
        port = server.port
    found = connection(f"127.0.0.1:{port}")

    assert marks(found) == {"host name": True, "TCP": False, "WebSocket": None, "log-in": None}
    assert "Connection refused" in mend(found)


def test_a_web_server_that_is_no_relay_server_is_told():
    def receive(server: RawServer) -> RawPeer:
        peer = server.accept()
        peer.read_head()
        peer.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        return peer

    with RawServer() as server, visitor(server, receive):
        found = connection(f"127.0.0.1:{server.port}")

    assert marks(found) == {"host name": True, "TCP": True, "WebSocket": False, "log-in": None}
    assert "404 Not Found" in mend(found)
    assert "SIGNALWIRE_SPACE" in mend(found)


@pytest.mark.parametrize(
    ("jwt_token", "variables"),
    [("", "SIGNALWIRE_PROJECT_ID and SIGNALWIRE_API_TOKEN"), ("my-token", "SIGNALWIRE_JWT_TOKEN")],
)
def test_refused_credentials_lead_to_their_variables(jwt_token: str, variables: str):
    simulator = Simulator(clock=SystemClock(), random=Random(1), project="theirs", token="theirs", jwt_token="theirs")
    with SimulatorServer(simulator) as server:
        found = connection(f"127.0.0.1:{server.port}", jwt_token=jwt_token)

    assert marks(found)["WebSocket"] is True
    assert marks(found)["log-in"] is False
    assert mend(found).startswith("refused (-32401")
    assert variables in mend(found)


def test_a_server_that_does_not_answer_the_log_in_is_told(server: SimulatorServer, simulator: Simulator):
    """Within the time that was given."""
    simulator.stop_answering("signalwire.connect")

    found = connection(f"127.0.0.1:{server.port}")

    assert marks(found)["log-in"] is False
    assert "no answer to the log in within 0.2 s" in mend(found)


def test_a_server_that_hangs_up_on_the_log_in_is_told():
    def receive(server: RawServer) -> RawPeer:
        peer = server.accept_upgraded()
        peer.read_frame()
        peer.reset()
        return peer

    with RawServer() as server, visitor(server, receive):
        found = connection(f"127.0.0.1:{server.port}")

    assert marks(found)["log-in"] is False
    assert "check that SIGNALWIRE_SPACE names a RELAY host" in mend(found)
