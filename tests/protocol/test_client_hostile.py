"""Whatever comes, and in whatever order: nothing raises, nothing is lost, nothing is said twice."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from relay_actors.config import Limits
from relay_actors.errors import NotSentError
from relay_actors.protocol.frames import classify
from relay_actors.protocol.happenings import (
    CloseSocket,
    ConnectionDown,
    EventArrived,
    Happening,
    LoggedIn,
    LogInRefused,
    OpenSocket,
    RequestCancelled,
    RequestFailed,
    RequestSucceeded,
)
from tests.protocol.driven_client import PROJECT, TOKEN, DrivenClient
from tests.support.thorough import less

_LINES = (Path(__file__).parents[1] / "data" / "frames.jsonl").read_text().splitlines()
CAPTURED = [json.loads(line)["frame"] for line in _LINES]

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_METHODS = ("signalwire.event", "signalwire.ping", "signalwire.disconnect", "signalwire.connect", "odd")
_SHAPED = st.fixed_dictionaries(
    {},
    optional={
        "id": _JSON | st.sampled_from(["id-1", "id-2", "id-3"]),
        "method": _JSON | st.sampled_from(_METHODS),
        "params": _JSON
        | st.fixed_dictionaries(
            {"event_type": _JSON | st.sampled_from(["signalwire.authorization.state", "calling.call.state"])},
            optional={"params": _JSON | st.fixed_dictionaries({"authorization_state": _JSON}), "restart": _JSON},
        ),
        "result": _JSON | st.fixed_dictionaries({"code": _JSON}, optional={"message": _JSON, "protocol": _JSON}),
        "error": _JSON | st.fixed_dictionaries({}, optional={"code": _JSON, "message": _JSON}),
    },
)


def _clients() -> list[DrivenClient]:
    """Return one client in each state in which it reads."""
    logging_in = DrivenClient()
    logging_in.start()
    logging_in.open()
    ready, leaving = DrivenClient.ready(), DrivenClient.ready()
    for client in (ready, leaving):
        client.request()
        client.advance(1.0)
    leaving.ask("signalwire.disconnect")
    return [logging_in, ready, leaving, DrivenClient()]


def _endure(*texts: bytes | str) -> None:
    for client in _clients():
        for text in texts:
            for happening in client.protocol.receive([text], client.now):
                if isinstance(happening, EventArrived):
                    client.protocol.acknowledge(happening.frame_id)
        client.sent()
        client.advance(60.0)


@given(st.lists(st.binary() | st.text(), max_size=3))
def test_any_bytes_are_endured(texts):
    """PROTOCOL 16.4: never crash the receive path."""
    _endure(*texts)


@given(_JSON.map(json.dumps))
def test_any_json_is_endured(text):
    _endure(text)


@given(st.lists(_SHAPED, min_size=1, max_size=5))
def test_frames_with_any_content_are_endured(frames):
    _endure(*map(json.dumps, frames))


@given(st.lists(_SHAPED, min_size=1, max_size=5))
def test_the_quick_way_in_makes_the_same_of_a_frame_as_the_careful_one(frames):
    """Only what both would make the same of may take it."""
    for quick, careful in zip(_clients(), _clients(), strict=True):
        for text in map(json.dumps, frames):
            told = careful.protocol._received(classify(text), text, careful.now) if careful.protocol._reads else []
            assert repr(quick.protocol.receive([text], quick.now)) == repr(told)
        assert quick.sent() == careful.sent()


def _paths(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(below for key, item in inner for below in _paths(item, (*path, key)))]


@given(st.sampled_from(CAPTURED), st.data())
def test_any_mutation_of_a_known_frame_is_endured(frame, data):
    """Wrong types where a real server sends right ones."""
    mutant = copy.deepcopy(frame)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([path for path in _paths(mutant) if path]))
        *way, last = path
        holder = mutant
        for key in way:
            holder = holder[key]
        if data.draw(st.booleans()):
            holder[last] = data.draw(_JSON)
        else:
            del holder[last]
        if not mutant:
            break
    text = json.dumps(mutant)
    _endure(text, text[: data.draw(st.integers(0, len(text)))])


@pytest.mark.parametrize("depth", [300, 1000, 100_000])
def test_deep_nesting_is_endured(depth):
    """Deeper than what can be written back, and deeper than what can be read."""
    nested = "[" * depth + "]" * depth
    _endure(
        f'{{"id":{nested},"method":"signalwire.event","params":{{"event_type":"calling.call.play"}}}}',
        f'{{"id":"1","method":"signalwire.event","params":{{"event_type":"calling.call.play","params":{{"x":{nested}}}}}}}',
        f'{{"id":"id-1","error":{nested}}}',
        f'{{"id":"id-2","result":{{"code":{nested}}}}}',
    )


def test_every_known_frame_is_endured():
    """PROTOCOL 19.4: none of them may break the connection."""
    client = DrivenClient.ready()
    for frame in CAPTURED:
        if frame.get("method") != "signalwire.disconnect":
            client.receive(frame)
            assert client.protocol.is_ready


class AnyOrder(RuleBasedStateMachine):
    """A careless world drives the client; the promises of PROTOCOL 2 to 7 are checked after each step."""

    @initialize()
    def begin(self) -> None:
        self.client = DrivenClient(limits=Limits(queued_requests=5, remembered_event_ids=4))
        self.socket = "none"  # none, opening, open
        self.logged_in = False
        self.retry_expected = False
        self.stopped = True
        self.waiting: set[str] = set()
        self.on_wire: set[str] = set()
        self.ever_sent: set[str] = set()
        self.first_text_due = False
        self.open_requests: list[dict[str, Any]] = []
        self.acks_due = 0
        self.unsettled: list[object] = []
        self.next_event = 0

    def _happen(self, happenings: list[Happening]) -> None:
        for happening in happenings:
            match happening:
                case OpenSocket():
                    assert self.socket == "none"
                    self.socket, self.retry_expected = "opening", False
                case CloseSocket():
                    self._socket_gone()
                case LoggedIn():
                    assert self.socket == "open"
                    self.logged_in = True
                case LogInRefused(final=final):
                    self.stopped = final
                case ConnectionDown(retry_at=retry_at):
                    assert (retry_at is None) is self.stopped
                    assert retry_at is None or self.client.now <= retry_at <= self.client.now + 30.0
                    self.retry_expected = retry_at is not None
                    self._socket_gone()
                case EventArrived(frame_id=frame_id):
                    assert frame_id not in self.unsettled
                    self.unsettled.append(frame_id)
                case RequestFailed(request_id=request_id, error=error):
                    assert request_id in self.waiting
                    self.waiting.discard(request_id)
                    assert not (isinstance(error, NotSentError) and request_id in self.ever_sent)
                case RequestSucceeded(request_id=request_id) | RequestCancelled(request_id=request_id):
                    assert request_id in self.waiting
                    self.waiting.discard(request_id)

    def _socket_gone(self) -> None:
        self.socket, self.logged_in = "none", False
        self.open_requests.clear()
        self.acks_due = 0

    @precondition(lambda self: self.stopped)
    @rule()
    def start(self) -> None:
        self.stopped = False
        self._happen(self.client.start())

    @precondition(lambda self: self.socket == "opening")
    @rule(succeeds=st.booleans())
    def opening_ends(self, succeeds: bool) -> None:
        if succeeds:
            self.socket, self.first_text_due = "open", True
            self._happen(self.client.protocol.opened(self.client.now))
        else:
            self._happen(self.client.protocol.open_failed(self.client.now, "refused"))

    @rule()
    def close(self) -> None:
        was_open = self.socket == "open"
        happenings = self.client.closed()
        assert bool(happenings) is was_open
        self._happen(happenings)

    @rule(method=st.sampled_from(["calling.play", "calling.end"]))
    def request(self, method: str) -> None:
        try:
            self.waiting.add(self.client.request(method))
        except NotSentError:
            assert self.stopped or self.client.protocol.queued == 5

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        request_id = data.draw(st.sampled_from(sorted(self.waiting)))
        self.waiting.discard(request_id)
        self.client.protocol.forget(request_id)

    @rule()
    def write(self) -> None:
        frames = self.client.sent()
        assert not frames or self.socket == "open", "nothing is written without a socket"
        for frame in frames:
            if self.first_text_due:
                assert frame["method"] == "signalwire.connect", "the log in goes first"
                self.first_text_due = False
            if "method" not in frame:
                self.acks_due -= 1
                continue
            assert self.logged_in or frame["method"] == "signalwire.connect", "the log in goes alone"
            assert frame["id"] not in self.ever_sent, "nothing is sent twice"
            self.ever_sent.add(frame["id"])
            self.open_requests.append(frame)
        assert self.acks_due == 0, "each acknowledgement goes out, and no other"

    @precondition(lambda self: self.open_requests)
    @rule(data=st.data(), code=st.sampled_from(["200", "404", None]), protocol=st.sampled_from(["p1", "p2", None]))
    def server_answers(self, data: st.DataObject, code: str | None, protocol: str | None) -> None:
        frame = data.draw(st.sampled_from(self.open_requests))
        self.open_requests.remove(frame)
        self._happen(self.client.reply(frame, {"code": code, "protocol": protocol}))

    @precondition(lambda self: self.open_requests)
    @rule(data=st.data())
    def server_refuses(self, data: st.DataObject) -> None:
        frame = data.draw(st.sampled_from(self.open_requests))
        self.open_requests.remove(frame)
        self._happen(self.client.refuse(frame))

    @precondition(lambda self: self.socket == "open")
    @rule(method=st.sampled_from(["signalwire.ping", "signalwire.disconnect"]), restart=st.booleans())
    def server_asks(self, method: str, restart: bool) -> None:
        self.acks_due += 1
        self._happen(self.client.ask(method, restart=restart))
        assert method == "signalwire.ping" or not self.client.protocol.is_ready

    @precondition(lambda self: self.socket == "open")
    @rule()
    def server_tells(self) -> None:
        self.next_event += 1
        before = len(self.unsettled)
        self._happen(self.client.event(frame_id=f"e-{self.next_event}", state="playing"))
        assert len(self.unsettled) == before + 1

    @precondition(lambda self: self.unsettled)
    @rule(data=st.data())
    def event_becomes_durable(self, data: st.DataObject) -> None:
        frame_id = data.draw(st.sampled_from(self.unsettled))
        self.unsettled.remove(frame_id)
        before = len(self.client.protocol._texts)
        self.client.protocol.acknowledge(frame_id)
        self.client.protocol.acknowledge(frame_id)
        written = len(self.client.protocol._texts) - before
        assert written <= (1 if self.socket == "open" else 0)
        self.acks_due += written

    @rule(seconds=st.sampled_from([0.0, 0.3, 1.0, 5.0, 20.0, 70.0]))
    def time_passes(self, seconds: float) -> None:
        until = self.client.now + seconds
        while (due := self.client.protocol.next_deadline()) is not None and due <= until:
            self.client.now = max(self.client.now, due)
            self._happen(self.client.protocol.tick(self.client.now))
            assert self.client.protocol.next_deadline() != due
        self.client.now = until

    @rule()
    def shut_down(self) -> None:
        self._happen(self.client.protocol.shut_down(self.client.now))
        self.stopped, self.retry_expected = True, False
        assert not self.waiting

    @invariant()
    def whoever_waits_is_in_the_books(self) -> None:
        """Nobody is left in silence: what has no outcome yet is queued or pending, and has a deadline."""
        protocol = self.client.protocol
        assert protocol.queued + protocol.pending == len(self.waiting)
        assert not self.waiting or protocol.next_deadline() is not None
        assert not self.retry_expected or protocol.next_deadline() is not None
        assert not protocol.is_ready or self.logged_in


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=less(40, 100), stateful_step_count=50, deadline=None)


def test_why_a_connection_is_down_is_told_without_the_secrets_that_the_server_repeats():
    """The reason of a WebSocket's close, and the line that answers an upgrade, are the server's own words."""
    client = DrivenClient.ready()
    client.event("signalwire.authorization.state", authorization_state="state-secret")
    client.advance(5.0)
    why = f"closed (1008 'bad token {TOKEN} of {PROJECT}: state-secret')"
    lost, _open = client.protocol.closed(client.now, why)
    (failed,) = client.protocol.open_failed(client.now, why)
    assert isinstance(lost, ConnectionDown)
    assert isinstance(failed, ConnectionDown)
    assert lost.why == failed.why == "closed (1008 'bad token *** of ***: ***')"
