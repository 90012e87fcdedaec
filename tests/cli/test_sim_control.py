"""The control API over real HTTP: what a test in another language does with it."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shlex
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from relay_actors import CallActor, RelayApp, Timing
from relay_actors.cli.examples import load_example
from relay_actors.cli.sim_control import LONGEST_BODY, SimulatorControl
from relay_actors.errors import ConfigError
from relay_actors.runtime.clock import Random, SystemClock
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from tests.cli.processes import DEADLINE_S
from tests.support.house import REPOSITORY

CALLER, DESK = "+15550001111", "+15550002222"
PACE = 0.1
"""Unhurried: between two requests of a busy machine, five simulated seconds must not be over."""
HOW_TO = REPOSITORY / "docs" / "how-to" / "test-an-application-in-any-language.md"


class Client:
    """A test in another language: it knows the URL, and nothing else."""

    def __init__(self, url: str) -> None:
        self.netloc = urlsplit(url).netloc

    def send(
        self, method: str, path: str, body: str | bytes | None = None, **headers: str
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection(self.netloc, timeout=DEADLINE_S)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            assert answer.headers["Content-Type"] == "application/json"
            return answer.status, json.loads(answer.read()), answer.headers

    def get(self, path: str) -> Any:
        status, body, _headers = self.send("GET", path)
        assert status == 200, body
        return body

    def post(self, path: str, **arguments: object) -> Any:
        status, body, _headers = self.send("POST", path, json.dumps(arguments))
        assert status == 200, body
        return body

    def says(self, number: str, verb: str, **arguments: object) -> Any:
        return self.post(f"/phones/{number}/{verb}", **arguments)


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(Simulator(clock=SystemClock(), random=Random(1), pace=PACE)) as server:
        yield server


@pytest.fixture
def control(simulator: Simulator) -> Iterator[SimulatorControl]:
    with SimulatorControl(simulator) as control:
        yield control


@pytest.fixture
def client(control: SimulatorControl) -> Client:
    return Client(control.url)


@pytest.fixture
def office(server: SimulatorServer) -> Iterator[RelayApp]:
    """The application of the first call, logged in by WebSocket."""
    app = load_example("first_call")
    app.timing = Timing(linger_s=0.05, reconnect_min_s=0.01, reconnect_max_s=0.05)
    with contextlib.ExitStack() as stack:
        stack.callback(app.stop)
        app.start(host=f"127.0.0.1:{server.port}", project="any", token="any", scheme="ws")
        yield app


def test_a_whole_story_is_told_by_http(app: RelayApp, client: Client):
    """Somebody calls, chooses, is connected to a desk, texts, and hangs up; the test sees only HTTP."""

    @app.calls("shop")
    class Shop(CallActor):
        async def run(self) -> None:
            await self.answer()
            pressed = await self.prompt_tts(
                "Press 1 for the desk.", {"digits": {"max": 1}, "initial_timeout": 600}
            ).wait()
            assert pressed.digits == "1"
            await self.connect([[{"type": "phone", "params": {"from_number": CALLER, "to_number": DESK}}]])
            await self.wait_for_ended()

    app.start()
    client.post("/wait", count=1, within=DEADLINE_S)
    assert client.get("/contexts") == {"contexts": ["shop"]}
    assert client.says(CALLER, "dials", context="shop")["number"] == CALLER
    client.says(CALLER, "hears", what="press 1")
    client.says(CALLER, "presses", digits="1")
    assert client.says(DESK, "rings")["is_ringing"]
    assert client.says(DESK, "answers")["line"]["number"] == DESK
    client.says(CALLER, "talks_to", other=DESK)
    client.says(DESK, "says", words="How can I help?")
    assert client.says(CALLER, "hears", what="help")["heard"][-1] == "voice How can I help?"
    assert len(client.get("/calls?up=1")["calls"]) == 2
    client.says(CALLER, "hangs_up")
    ended = client.says(DESK, "is_hung_up")
    assert (ended["state"], ended["end_reason"]) == ("ended", "hangup")
    whats = [one["what"] for one in client.get("/timeline")["timeline"]]
    assert whats.index("calling.connect") < whats.index(f"said {'How can I help?'!r}") < whats.index("hung up")
    assert client.get("/violations") == {"violations": []}


def test_the_socket_is_broken_by_http_and_the_call_goes_on(office: RelayApp, client: Client):
    client.says(CALLER, "dials", context="office")
    client.says(CALLER, "hears", what="press 1")
    client.post("/faults", fault="socket_down", seconds=0.05)
    client.says(CALLER, "presses", digits="2")
    client.says(CALLER, "hears", what="nine to five")
    client.says(CALLER, "is_hung_up")
    logins = client.get("/frames?method=signalwire.connect")["frames"]
    assert len(logins) == 2
    assert logins[1]["frame"]["params"]["protocol"]


def test_an_answer_comes_twice_by_http(office: RelayApp, client: Client):
    client.post("/faults", fault="answer_twice", method="calling.answer")
    client.says(CALLER, "dials", context="office")
    client.says(CALLER, "hears", what="press 1")
    [command] = client.get("/frames?method=calling.answer&direction=received")["frames"]
    sent = client.get("/frames?direction=sent")["frames"]
    assert [one["frame"]["id"] for one in sent].count(command["frame"]["id"]) == 2


def test_waits_do_not_hold_up_others(client: Client):
    """Two people ring at once, and whoever waits learns of what another request does."""
    client.says(CALLER, "dials", context="nobody")
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(client.says(CALLER, "is_hung_up", within=DEADLINE_S)))
    waiting.start()
    client.says(CALLER, "hangs_up")
    waiting.join(DEADLINE_S)
    assert found[0]["state"] == "ended"


def test_a_story_that_goes_otherwise_is_a_409(client: Client):
    status, body, _headers = client.send("POST", f"/phones/{CALLER}/rings", '{"within": 0}')
    assert (status, body["error"]) == (409, f"{CALLER} did not ring within 0 s")
    assert body["story"] == "it has had no call at all"


# -- every operation, as it is described -----------------------------------------------------------------------------

VALUES: dict[str, object] = {
    "call": "unknown",
    "context": "office",
    "digits": "1",
    "ends": "success",
    "event": "calling.call.play",
    "event_type": "calling.call.play",
    "fault": "socket_down",
    "frame": {"method": "signalwire.event", "params": {}},
    "media": ["https://example.com/a.png"],
    "method": "calling.play",
    "number": CALLER,
    "other": DESK,
    "pages": 2,
    "presses": "1",
    "seconds": 0.01,
    "session": None,
    "within": 0,
    "who": CALLER,
}
"""What is given for an argument of this name; for all others something of its type."""


def example_of(name: str, schema: dict[str, Any]) -> object:
    if name in VALUES and ("enum" not in schema or VALUES[name] in schema["enum"]):
        return VALUES[name]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example_of("", schema["anyOf"][0])
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    return {"string": "word", "boolean": True, "integer": 1, "number": 0.01, "array": [], "object": {}}[kind]


def request_of(path: str, described: dict[str, Any]) -> tuple[str, str | None]:
    """Return the path and the body of a request, made of nothing but the description."""
    queries = []
    for parameter in described.get("parameters", ()):
        value = example_of(parameter["name"], parameter["schema"])
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(VALUES.get(parameter["name"], value)))
        else:
            queries.append(f"{parameter['name']}={str(value).lower() if isinstance(value, bool) else value}")
    if "requestBody" not in described:
        return "?".join([path, "&".join(queries)]), None
    schema = described["requestBody"]["content"]["application/json"]["schema"]
    properties = schema["properties"]
    return path, json.dumps({name: example_of(name, one) for name, one in properties.items()})


def fits(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> bool:
    """Whether an answer is what it is described to be, as far as its own keys go."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return isinstance(value, dict) and set(schema.get("required", ())) <= value.keys()


def test_every_operation_can_be_called_as_it_is_described(office: RelayApp, client: Client):
    """With valid arguments nothing is a 400, nothing fails, and each answer is one that is described."""
    document = client.get("/openapi.json")
    call_id = client.says(CALLER, "dials", context="office")["call_id"]
    client.says(CALLER, "hears", what="press 1")
    statuses = []
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            where, body = request_of(path.replace("{call_id}", call_id), described)
            status, answer, _headers = client.send(method.upper(), where, body)
            told = described["responses"].get(str(status))
            assert status in (200, 409), (method, where, body, answer)
            assert told is not None, (method, path, status)
            assert fits(answer, told["content"]["application/json"]["schema"], document), (path, answer)
            statuses.append(status)
            if path == "/reset":  # the line that the others are about is gone
                client.post("/wait", within=DEADLINE_S)
                call_id = client.says(CALLER, "dials", context="office")["call_id"]
    assert len(statuses) > 80
    assert statuses.count(200) > 45  # the others wait for what does not come


# -- HTTP itself -----------------------------------------------------------------------------------------------------


def test_a_token_is_asked_for_when_there_is_one(simulator: Simulator):
    with SimulatorControl(simulator, token="a-secret") as control:
        client = Client(control.url)
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "a-secret"}):
            status, body, answered = client.send("GET", "/phones", **headers)
            assert (status, answered["WWW-Authenticate"]) == (401, "Bearer")
            assert "--control-token" in body["error"]
        right = {"Authorization": "Bearer a-secret"}
        assert client.send("GET", "/phones", **right)[0] == 200
        assert client.send("GET", "/openapi.json", **right)[1]["security"]


def test_a_page_of_the_web_is_refused(client: Client):
    """It could reach loopback from the browser of whoever develops here."""
    status, body, _headers = client.send("POST", "/reset", "{}", Origin="https://example.com")
    assert (status, "pages of the web" in body["error"]) == (403, True)


def test_a_page_whose_site_lets_its_name_point_here_is_refused(client: Client):
    """To the browser it is the same site, so it sends no Origin with what it reads."""
    for host in ("rebound.example.com:8444", "[", "127.0.0.1.example.com"):
        status, body, _headers = client.send("GET", "/frames", Host=host)
        assert (status, "pages of the web" in body["error"]) == (403, True)
    for host in ("localhost:8444", "127.0.0.1", "[::1]:8444"):
        assert client.send("GET", "/frames", Host=host)[0] == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
def test_a_method_that_a_path_does_not_have_is_told(client: Client, method: str):
    status, body, headers = client.send(method, "/phones")
    assert (status, headers["Allow"], body["error"]) == (405, "GET", f"{method} is not for /phones: use GET")
    assert client.send("BREW", "/phones")[0] == 501


def test_a_body_without_end_or_too_long_is_refused(client: Client):
    path = f"/phones/{CALLER}/rings"
    assert client.send("POST", path, **{"Transfer-Encoding": "chunked"})[0] == 411
    assert client.send("POST", path, **{"Content-Length": "many"})[0] == 411
    assert client.send("POST", path, **{"Content-Length": str(LONGEST_BODY + 1)})[0] == 413
    assert client.send("POST", path, **{"Content-Length": "9" * 5000})[0] == 413


def test_what_fails_inside_is_a_500_and_logged(
    client: Client, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """Whoever asks is told, rather than cut off."""
    monkeypatch.setattr(Simulator, "calls_up", lambda self: 1 / 0)
    status, body, _headers = client.send("GET", "/health")
    assert (status, "division by zero" in body["error"]) == (500, True)
    assert "GET /health failed" in caplog.text


def test_who_goes_before_the_answer_disturbs_nobody(client: Client, capfd: pytest.CaptureFixture[str]):
    host, _colon, port = client.netloc.rpartition(":")
    with socket.create_connection((host, int(port)), DEADLINE_S) as connection:
        connection.sendall(b"GET /")
    assert client.get("/health")["status"] == "ok"
    assert "Traceback" not in capfd.readouterr().err


def test_where_it_cannot_listen_is_told(simulator: Simulator, control: SimulatorControl):
    port = urlsplit(control.url).port
    assert port is not None
    with pytest.raises(ConfigError, match=rf"--control 127\.0\.0\.1:{port}: cannot listen there"):
        SimulatorControl(simulator, "127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "token", "is_open"), [("127.0.0.1", "", False), ("0.0.0.0", "", True), ("0.0.0.0", "x", False)]
)
def test_it_knows_whether_others_can_ask(simulator: Simulator, host: str, token: str, is_open: bool):
    with SimulatorControl(simulator, host, token=token) as control:
        assert control.is_open_to_others is is_open


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_it_listens_by_ipv6_too(simulator: Simulator):
    with contextlib.ExitStack() as stack:
        try:
            control = stack.enter_context(SimulatorControl(simulator, "::1"))
        except ConfigError:
            pytest.skip("this machine has no ::1")
        assert control.url.startswith("http://[::1]:")
        assert not control.is_open_to_others
        assert Client(control.url).get("/health")["status"] == "ok"


# -- the page that shows how -----------------------------------------------------------------------------------------


def commands_of(page: str) -> list[tuple[list[str], list[str]]]:
    """From the consoles of a page: each ``curl`` in words, with the lines that it is shown to print."""
    found: list[tuple[list[str], list[str]]] = []
    for console in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        is_curl = False
        for line in console.splitlines():
            if line.startswith("$ "):
                is_curl = line.startswith("$ curl ")
                if is_curl:
                    found.append((shlex.split(line)[2:], []))
            elif is_curl:
                found[-1][1].append(line)
    return found


def as_request(words: list[str]) -> tuple[str, str, str | None]:
    """Return method, path and body of a ``curl``: it knows ``-s``, ``-X`` and ``-d``."""
    method, body, path = "", None, ""
    rest = iter(words)
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-d":
            body = next(rest)
        elif word != "-s":
            assert word.startswith("$SIM/"), word
            path = word.removeprefix("$SIM")
    return method or ("GET" if body is None else "POST"), path, body


def test_the_page_prints_what_it_shows(simulator: Simulator, office: RelayApp, client: Client):
    """Every command of it, in its order, against the application that it names; "…" stands for other lines."""
    commands = commands_of(HOW_TO.read_text("utf-8"))
    assert len(commands) > 20
    for words, shown in commands:
        method, path, body = as_request(words)
        status, answer, _headers = client.send(method, path, body)
        assert status == (409 if "error" in "".join(shown) else 200), (words, answer)
        printed = iter(json.dumps(answer, indent=2, ensure_ascii=False).splitlines())
        for line in shown:
            begin, dots, _others = line.partition("…")
            assert not begin.strip() or any(one == line or (dots and one.startswith(begin)) for one in printed), line


def test_a_simulator_that_is_served_twice_has_one_truth():
    """Two fronts of one simulator: nothing is kept in the API itself."""
    simulator = Simulator(clock=SystemClock(), random=Random(1), pace=PACE)
    with SimulatorControl(simulator) as one, SimulatorControl(simulator) as other:
        Client(one.url).says(CALLER, "dials", context="office")
        assert Client(other.url).get(f"/phones/{CALLER}")["lines"]
