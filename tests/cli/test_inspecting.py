"""Looking from one process into another: who may, what is answered, and what is said when nobody is there."""

import json
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from relay_actors import CallActor, RelayApp
from relay_actors.cli.inspecting import Inspecting, ask
from relay_actors.errors import ConfigError
from relay_actors.simulator.simulator import Simulator
from tests.cli.processes import DEADLINE_S
from tests.support.plain_app import wait_until


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "look.sock")


def test_the_tree_of_a_running_application_is_answered(app: RelayApp, simulator: Simulator, path: str):
    """O3: each call by its id; and one alone."""

    @app.calls("shop")
    class Clerk(CallActor):
        async def run(self) -> None:
            await self.answer()
            await self.play_silence(1000).wait()

    with Inspecting(app, path):
        app.start()
        line = simulator.phone("+15550001111").dials(context="shop")
        wait_until(lambda: app.call(line.call_id))
        seen = ask(path, {"ask": "top"})
        alone = ask(path, {"ask": "tree", "who": line.call_id})

    assert seen["metrics"]["calls.up"] == 1
    assert [child["class"] for child in seen["tree"]["children"]][1] == "CallsSupervisor"
    assert (alone["class"], alone["label"]) == ("Clerk", line.call_id)


def test_an_actor_can_be_traced_from_outside(app: RelayApp, path: str):
    """O4: on, and off again."""
    with Inspecting(app, path):
        app.start()
        question = {"ask": "trace", "who": "ConnectionActor"}
        ask(path, question)
        assert len(app.system.observation.observers) == 1
        app.receive(["more"]).get(timeout=DEADLINE_S)
        told = [record[1] for record in ask(path, question)["records"]]
        ask(path, {**question, "on": False})

    assert any("received ChangeContexts" in text for text in told)
    assert app.is_running
    assert app.system.observation.observers == ()


def test_a_trace_at_which_nobody_looks_any_more_is_ended(app: RelayApp, path: str):
    """O4: who followed may have been killed, and every message of the application would take longer for ever."""
    question = {"ask": "trace", "who": "ConnectionActor", "every": 0.01}
    with Inspecting(app, path, patience_s=0.05):
        app.start()
        for _ in range(2):  # and who comes back follows it again
            assert not ask(path, question)["is_over"]
            wait_until(lambda: not app.system.observation.observers)


def test_a_trace_at_which_somebody_looks_goes_on(app: RelayApp, path: str):
    """However long, and if another one, who followed the same actor by another name, has gone."""
    other = {"ask": "trace", "every": 0.0}
    question = {"ask": "trace", "who": "ConnectionActor", "every": DEADLINE_S}
    with Inspecting(app, path, patience_s=0.05):
        app.start()
        ask(path, question)
        name = ask(path, {"ask": "tree", "who": "ConnectionActor"})["name"]
        [trace] = app.system.observation.observers
        ask(path, {**other, "who": name})
        ask(path, {**other, "who": "DeskActor"})
        wait_until(lambda: len(app.system.observation.observers) == 1)  # the later one of two that are not seen
        assert app.system.observation.observers == (trace,)
        ask(path, {**question, "on": False})
        assert app.system.observation.observers == ()


def test_a_trace_that_the_application_has_begun_is_its_own_to_end(app: RelayApp, path: str):
    """It is in its log, for example; who follows the same actor for a minute does not end it."""
    question = {"ask": "trace", "who": "ConnectionActor", "every": 0.0}
    with Inspecting(app, path, patience_s=0.05):
        app.start()
        trace = app.trace("ConnectionActor")
        ask(path, question)
        ask(path, {**question, "on": False})
        assert not trace.is_over
        ask(path, question)
        ask(path, {**question, "who": "DeskActor"})
        wait_until(lambda: len(app.system.observation.observers) == 1)
        assert not trace.is_over
        trace.end()


@pytest.mark.parametrize("every", [b"NaN", b"Infinity", b"-1", b"1e300"])
def test_any_number_may_be_said_for_how_often_one_asks(app: RelayApp, path: str, every: bytes):
    """The next one is answered all the same."""
    with Inspecting(app, path):
        app.start()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(DEADLINE_S)
            connection.connect(path)
            connection.sendall(b'{"ask": "trace", "who": "ConnectionActor", "every": ' + every + b"}\n")
            assert json.loads(connection.makefile().readline())["ok"]["is_over"] is False
        assert ask(path, {"ask": "top"})["name"] == "relay"


def test_only_its_owner_may_look_and_nothing_is_left(app: RelayApp, path: str):
    """A path is no password."""
    with Inspecting(app, path):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with pytest.raises(ConfigError, match="the application is not running"):
            ask(path, {"ask": "top"})
    assert not os.path.exists(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"hello\n", "ask one line of JSON"),
        (b"[1]\n", "ask one line of JSON"),
        (b"{}\n", "ask one line of JSON"),
        (b"[" * 60_000 + b"\n", "ask one line of JSON"),
        (b"\n", "ask one line of JSON"),
        (b'{"ask": "dance"}\n', "'dance' cannot be asked"),
        (b'{"ask": "trace"}\n', "'trace' cannot be asked"),
        (b'{"ask": "trace", "who": "ConnectionActor", "every": "often"}\n', "ask one line of JSON"),
        (b'{"ask": "tree", "who": "Nobody"}\n', "there is no actor 'Nobody'"),
    ],
)
def test_what_cannot_be_answered_is_answered_with_what_to_mend(app: RelayApp, path: str, line: bytes, said: str):
    """And the next one is answered all the same."""
    app.start()
    with Inspecting(app, path):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(DEADLINE_S)
            connection.connect(path)
            connection.sendall(line)
            answer = json.loads(connection.makefile().readline())
        assert said in answer["error"]
        assert ask(path, {"ask": "top"})["name"] == "relay"


def test_who_hangs_up_harms_nothing(app: RelayApp, path: str):
    app.start()
    with Inspecting(app, path):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            connection.sendall(b'{"ask"')
        assert ask(path, {"ask": "top"})["name"] == "relay"


def test_where_nobody_listens_the_error_says_what_to_do(path: str):
    """Whether there never was an application, or it was killed and has left its socket behind."""
    with pytest.raises(ConfigError, match=r"no application listens at .* relay-actors run module:app --inspect"):
        ask(path, {"ask": "top"})
    left = socket.socket(socket.AF_UNIX)
    left.bind(path)
    left.close()
    with pytest.raises(ConfigError, match=r"no application listens at .*[Rr]efused"):
        ask(path, {"ask": "top"})


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"[]\n", b"3\n", b"{}\n", b"[" * 60_000 + b"\n"])
def test_what_something_else_answers_is_told_as_that(path: str, said: bytes):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def serve() -> None:
            connection, _address = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(said)

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        with pytest.raises(ConfigError, match="is no application of relay-actors run --inspect"):
            ask(path, {"ask": "top"})
        server.join(DEADLINE_S)


def test_a_socket_that_was_left_behind_is_replaced_and_one_in_use_is_not(app: RelayApp, path: str):
    """A process that was killed could not tidy up."""
    left = socket.socket(socket.AF_UNIX)
    left.bind(path)
    left.close()
    with Inspecting(app, path):
        with pytest.raises(ConfigError, match="an application listens there already"):
            Inspecting(app, path)
        with pytest.raises(ConfigError, match="the application is not running"):
            ask(path, {"ask": "top"})


def test_a_file_of_that_name_is_left_alone(app: RelayApp, tmp_path: Path):
    file = tmp_path / "accounts.txt"
    file.write_text("precious")
    with pytest.raises(ConfigError, match="there is a file of that name already"):
        Inspecting(app, str(file))
    assert file.read_text() == "precious"


def test_a_place_where_no_socket_can_be_is_told(app: RelayApp, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"the socket cannot be made"):
        Inspecting(app, str(tmp_path / "nowhere" / "look.sock"))
    with pytest.raises(ConfigError, match=r"the socket cannot be made \(AF_UNIX path too long\)"):
        Inspecting(app, str(tmp_path / ("x" * 200)))
