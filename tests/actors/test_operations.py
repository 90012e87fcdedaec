"""Every operation of the wire, in a running application: each is over by its own rule, and with its call.

The same for all twelve, whatever their verbs and handles are; what is special to one is in the tests of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from relay_actors import ActionCompleted, CallActor, CallHandle, CommandFailed, RelayError
from relay_actors.actors.actions import Action
from relay_actors.events import CallStateEvent, RelayEvent
from relay_actors.protocol.catalog import ACTIONS
from relay_actors.protocol.commands import SUB_COMMANDS, Hold
from relay_actors.protocol.states import ActionState
from relay_actors.runtime.future import Future
from tests.support.operations import LAST_WORDS, OPERATIONS, begin, last_words
from tests.support.plain_server import CALL, NODE
from tests.support.plain_world import PlainWorld

every_operation = pytest.mark.parametrize("method", ACTIONS)
in_both_kinds = pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])

# What each says while it runs, and what does not concern it although it bears its id; none of it is the end.
NOT_THE_END: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "calling.ai": [("calling.call.ai", {"state": "odd"})],
    "calling.collect": [
        ("calling.call.collect", {"result": {"type": "start_of_input", "params": {"type": "digit"}}}),
        ("calling.call.collect", {"result": {"type": "speech", "params": {"text": "I"}}, "final": False}),
        ("calling.call.play", {"state": "finished"}),
    ],
    "calling.detect": [("calling.call.detect", {"detect": {}}), ("calling.call.play", {"state": "finished"})],
    "calling.pay": [("calling.call.pay", {"for": "payment-card-number", "attempt": 1})],
    "calling.play": [("calling.call.play", {"state": "playing"}), ("calling.call.play", {"state": "paused"})],
    "calling.play_and_collect": [
        ("calling.call.play", {"state": "playing"}),
        ("calling.call.play", {"state": "finished"}),
        ("calling.call.play", {"state": "error"}),
        ("calling.call.collect", {"result": {"type": "speech", "params": {"text": "I"}}, "final": False}),
    ],
    "calling.receive_fax": [("calling.call.fax", {"fax": {"type": "page", "params": {"number": 1}}})],
    "calling.record": [("calling.call.record", {"state": "recording"}), ("calling.call.record", {"state": "paused"})],
    "calling.send_fax": [("calling.call.fax", {"fax": {"type": "page", "params": {"number": "1"}}})],
    "calling.stream": [("calling.call.stream", {"state": "streaming"})],
    "calling.tap": [("calling.call.tap", {"state": "tapping"})],
    "calling.transcribe": [("calling.call.transcribe", {"state": "transcribing"})],
}
# How a server says that a call is gone: as text, as a number, and as an error of JSON-RPC (PROTOCOL 8.7, 18.12).
GONE: list[dict[str, Any]] = [
    *({"result": {"code": code, "message": "Call does not exist"}} for code in ("404", "410", 404, 410)),
    *({"error": {"code": code, "message": "Call does not exist"}} for code in ("404", 404, 410)),
]
REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"result": {"code": "500", "message": "no"}}, 500),
    ({"result": {"code": "-32001", "message": "Permission denied"}}, -32001),
    ({"result": {"code": 409, "message": "Conflict"}}, 409),
    ({"error": {"code": -32601, "message": "Method not found"}}, -32601),
]


class Seen(CallActor):
    def on_receive(self, message: object) -> None:
        self.data.setdefault("told", []).append(message)


class Bench:
    """A call, and what its callbacks were given."""

    def __init__(self, world: PlainWorld) -> None:
        self.world = world
        params = {"call_id": CALL, "node_id": NODE, "call_state": "created", "context": "x"}
        world.event("calling.call.receive", params)
        world.settle()
        handle = world.app.call(CALL)
        assert handle is not None
        self.handle: CallHandle = handle
        self.given: list[RelayEvent] = []

    def callback(self, is_async: bool) -> Callable[[Any], Any]:
        """Return a function that notes what it is given; the asynchronous one after an await that suspends it."""

        async def later(event: RelayEvent) -> None:
            pause: Future[None] = Future(self.world.dispatcher)
            self.world.dispatcher.call_at(self.world.clock.now(), lambda: pause.set(None))
            await pause
            self.given.append(event)

        return later if is_async else self.given.append

    def begin(self, method: str, *, is_async: bool = False) -> Action:
        action = begin(self.handle, method, on_completed=self.callback(is_async))
        self.world.settle()
        return action

    def say(self, event_type: str, **params: Any) -> None:
        self.world.event(event_type, {"call_id": CALL, "node_id": NODE, **params})
        self.world.settle()

    def say_last(self, action: Action) -> None:
        self.say(ACTIONS[action.command.method].rule.completing, **last_words(action))

    def answer(self, method: str, body: dict[str, Any]) -> None:
        """Answer the request of a method, which has not been answered yet."""
        [request] = [frame for frame in self.world.received if frame.get("method") == method]
        self.world.say({"jsonrpc": "2.0", "id": request["id"], **body})
        self.world.settle()

    def told(self, kind: type) -> list[Any]:
        return [message for message in self.handle.data["told"] if isinstance(message, kind)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with PlainWorld() as world:
        world.app.calls()(Seen)
        world.start()
        yield Bench(world)


def test_every_operation_is_proven() -> None:
    """One that is missing here would be promised and not proven."""
    assert OPERATIONS.keys() == LAST_WORDS.keys() == NOT_THE_END.keys() == ACTIONS.keys()
    assert len(ACTIONS) == 12
    assert all(OPERATIONS[method][0] is kind.command for method, kind in ACTIONS.items())


@every_operation
@in_both_kinds
def test_it_is_over_with_its_last_word_and_not_before(bench: Bench, method: str, is_async: bool) -> None:
    """PROTOCOL 10.3, 11: by its own rule."""
    action = bench.begin(method, is_async=is_async)
    wait = action.wait()
    assert action.get(timeout=0) is action
    for event_type, params in NOT_THE_END[method]:
        bench.say(event_type, control_id=action.control_id, **params)
        assert not action.is_done, (event_type, params)
    assert bench.given == []
    bench.say_last(action)
    event = wait.get(timeout=0)
    assert (action.completed, action.result) == (True, event)
    assert event.event_type == ACTIONS[method].rule.completing
    bench.say_last(action)  # once more: somebody says it twice
    assert bench.given == [event]
    assert [message.event for message in bench.told(ActionCompleted)] == [event]
    assert len(bench.told(type(event))) >= 2, "the call is told each event, besides"


def test_operations_of_every_kind_run_beside_each_other_on_one_call(bench: Bench) -> None:
    """PROTOCOL 10.3: told apart by their ids, whatever ends first."""
    actions = [bench.begin(method) for method in ACTIONS]
    for number, action in enumerate(reversed(actions), 1):
        bench.say_last(action)
        assert [one.is_done for one in actions] == [False] * (12 - number) + [True] * number
    assert len(bench.told(ActionCompleted)) == len(bench.given) == 12


@every_operation
@in_both_kinds
def test_it_is_over_when_its_call_is(bench: Bench, method: str, is_async: bool) -> None:
    """PROTOCOL 10.5, 18.4: also when the server says nothing of it, as it does of an agent."""
    action = bench.begin(method, is_async=is_async)
    wait = action.wait()
    bench.say("calling.call.state", call_state="ended", end_reason="hangup")
    event = wait.get(timeout=0)
    assert isinstance(event, CallStateEvent)
    assert (event.call_state, action.state, action.completed) == ("ended", ActionState.CALL_ENDED, True)
    assert bench.given == [event]
    assert [message.event for message in bench.told(ActionCompleted)] == [event]
    bench.say_last(action)
    assert bench.given == [event] == [action.result]


@every_operation
@in_both_kinds
@pytest.mark.parametrize("body", GONE, ids=str)
def test_a_call_that_is_gone_completes_it_at_once(
    bench: Bench, method: str, is_async: bool, body: dict[str, Any]
) -> None:
    """PROTOCOL 10.2.6, 10.4: no exception, an empty event, and the callback is called."""
    bench.world.answer = lambda _frame: None
    action = bench.begin(method, is_async=is_async)
    bench.answer(method, body)
    assert action.get(timeout=0) is action
    assert action.wait().get(timeout=0) == RelayEvent("", {}) == action.result
    assert (action.completed, action.state) == (True, ActionState.CALL_ENDED)
    assert bench.given == [RelayEvent("", {})]
    assert len(bench.told(ActionCompleted)) == 1
    assert bench.told(CommandFailed) == []


@every_operation
@in_both_kinds
@pytest.mark.parametrize("how_long_ago_s", [0.0, 3600.0])
def test_it_is_not_begun_on_a_call_that_has_ended(
    bench: Bench, method: str, is_async: bool, how_long_ago_s: float
) -> None:
    """PROTOCOL 8.5, 10.4: nothing is sent, and the callback is called; also when the call's actor is gone (D16)."""
    bench.say("calling.call.state", call_state="ended")
    bench.world.run(how_long_ago_s)
    action = bench.begin(method, is_async=is_async)
    assert action.get(timeout=0) is action
    assert action.wait().get(timeout=0) == RelayEvent("", {})
    assert action.completed
    bench.world.settle()
    assert bench.given == [RelayEvent("", {})]
    assert bench.world.requests(method) == []


@every_operation
@pytest.mark.parametrize(("body", "code"), REFUSED, ids=str)
def test_a_refusal_fails_it_and_nothing_else(bench: Bench, method: str, body: dict[str, Any], code: int) -> None:
    """PROTOCOL 10.2.7: who waits gets the error, the callback is not called, and the call goes on."""
    bench.world.answer = lambda _frame: None
    action = bench.begin(method)
    wait = action.wait()
    bench.answer(method, body)
    for future in (action, wait, action.wait()):
        with pytest.raises(RelayError) as refused:
            future.get(timeout=0)
        assert refused.value.code == code
    assert (action.is_done, action.completed, action.result) == (True, False, None)
    bench.say_last(action)
    assert bench.given == []
    assert bench.told(ActionCompleted) == bench.told(CommandFailed) == []
    bench.world.answer = lambda _frame: {"code": "200"}
    reply = bench.handle.perform(Hold())
    bench.world.settle()
    assert reply.get(timeout=0) == {"code": "200"}
    assert bench.begin(method).get(timeout=0)


@every_operation
def test_a_refusal_that_nobody_asks_for_is_told_to_the_call(bench: Bench, method: str) -> None:
    """Nothing fails in silence (DESIGN 4)."""
    bench.world.answer = lambda _frame: {"code": "500", "message": "no"}
    action = bench.begin(method)
    [failed] = bench.told(CommandFailed)
    assert failed.command is action.command
    assert isinstance(failed.error, RelayError)


@every_operation
def test_a_stop_is_sent_by_its_own_name_and_completes_nothing_by_itself(bench: Bench, method: str) -> None:
    """PROTOCOL 10.1, 10.6: its last word does. After that nothing is sent any more."""
    action = bench.begin(method)
    reply = action.stop()
    bench.world.settle()
    stop = SUB_COMMANDS[method]["stop"]
    assert bench.world.requests(stop) == [{"call_id": CALL, "node_id": NODE, "control_id": action.control_id}]
    assert reply.get(timeout=0)["code"] == "200"
    assert not action.is_done
    bench.say_last(action)
    assert action.completed
    late = action.stop()
    bench.world.settle()
    assert late.get(timeout=0) == {}
    assert len(bench.world.requests(stop)) == 1


@every_operation
@in_both_kinds
def test_what_its_callback_raises_is_logged_and_harms_nothing(
    bench: Bench, method: str, is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """PROTOCOL 10.1; SEMANTICS X13."""

    def broken(_event: RelayEvent) -> None:
        raise ValueError("broken")

    async def broken_later(_event: RelayEvent) -> None:
        raise ValueError("broken")

    action = begin(bench.handle, method, on_completed=broken_later if is_async else broken)
    other = bench.begin("calling.record")
    bench.say_last(action)
    assert action.completed
    assert len([record for record in caplog.records if record.getMessage().startswith("on_completed raised")]) == 1
    assert bench.handle.ref.incarnation == 0
    assert not other.is_done
    assert len(bench.told(ActionCompleted)) == 1
