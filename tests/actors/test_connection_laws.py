"""Laws of the connection actor, in virtual time: whatever an event says, and when it tries again."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay_actors import CallActor, Limits, MessageActor, Timing
from relay_actors.actors.connection import ConnectionActor
from relay_actors.errors import RequestTimeoutError
from relay_actors.events import EVENT_TYPES, PlayEvent
from relay_actors.journal.memory import MemoryStore
from relay_actors.protocol.commands import Hold
from tests.actors.world import device
from tests.support.operations import OPERATIONS, begin
from tests.support.plain_server import CALL, NODE
from tests.support.plain_world import PlainWorld
from tests.support.thorough import less

SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=8)
STATES = ["answered", "ended", "failed", "finished", "error", "playing", "dialing", "sent", "delivered", "created"]
WORDS = [*STATES, "support", "dial", CALL, "target", "tag", "control", "text"]
VALUES = st.recursive(
    SCALARS | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        *("call_id", "node_id", "call_state", "end_reason", "direction", "device", "peer", "parent", "created_by"),
        *("tag", "dial_state", "call", "dial_winner", "context", "protocol", "project_id", "segment_id", "control_id"),
        *("state", "result", "final", "detect", "fax", "record", "url", "message_id", "message_state", "media", "tags"),
        *("body", "from_number", "to_number", "segments", "reason", "timestamp", "type", "params", "connect_state"),
    ]
)
PARAMS = st.dictionaries(KEYS | st.text(max_size=6), VALUES, max_size=8)
OWNERS = [  # whoever is there: a call, its operation, a dial, one of its legs, a text
    {"call_id": "target"},
    {"call_id": "target", "control_id": "control"},
    {"tag": "tag"},
    {"tag": "tag", "call_id": "leg"},
    {"message_id": "text"},
]
OWNED = st.builds(
    lambda owner, params: {**owner, **params}, st.sampled_from(OWNERS), st.dictionaries(KEYS, VALUES, max_size=5)
)
EVENTS = st.tuples(
    st.sampled_from(sorted(EVENT_TYPES)) | VALUES,
    PARAMS | OWNED | VALUES,
    SCALARS | st.lists(SCALARS, max_size=2),
    st.dictionaries(st.sampled_from(["timestamp", "context", "project_id", "message"]), VALUES, max_size=3),
)


class Bystander(CallActor):
    """A call that has nothing to do with it."""

    def on_receive(self, message: object) -> None:
        self.data.setdefault("told", []).append(message)


class Inbox(MessageActor):
    def on_receive(self, message: object) -> None:
        """Texts are not what this is about."""


@contextmanager
def nothing_worse_than(level: int) -> Iterator[None]:
    """See that nothing above ``level`` is logged. Not pytest's: that one is not emptied between two examples."""
    worse: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            worse.append(self.format(record))

    handler = Handler(level + 1)
    logging.getLogger("relay_actors").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("relay_actors").removeHandler(handler)
    assert worse == []


@settings(max_examples=less(50, 100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(events=st.lists(EVENTS, min_size=1, max_size=6), seed=st.integers(0, 1000), has_journal=st.booleans())
def test_no_event_whatever_it_says_harms_the_connection_or_another_call(
    events: list[tuple[Any, Any, Any, dict[str, Any]]], seed: int, has_journal: bool
) -> None:
    """PROTOCOL 16.4: wrong types inside events must not raise out of the dispatcher.

    A call with a running operation, a dial and a text are there to take what is said of them, and none of them crashes.
    """
    with (
        PlainWorld(seed, journal=MemoryStore() if has_journal else None) as world,
        nothing_worse_than(logging.WARNING),
    ):
        world.app.calls("support")(Bystander)
        world.app.messages()(Inbox)
        world.answer = lambda frame: (
            {"code": "200", "message_id": "text"} if "body" in frame["params"] else {"code": "200"}
        )
        world.start()
        for call_id in (CALL, "target"):
            world.event("calling.call.receive", {"call_id": call_id, "node_id": NODE, "context": "support"})
        world.settle()
        bystander, target = world.app.call(CALL), world.app.call("target")
        assert bystander is not None
        assert target is not None
        method = sorted(OPERATIONS)[seed % len(OPERATIONS)]
        action = begin(target, method, "control", on_completed=lambda event: event.params)
        dial = world.app.dial(Bystander, [[device("+15550000001")]], tag="tag")
        text = world.app.send_message(to_number="+15550000002", from_number="+15550000003", body="hi")
        world.settle()
        for event_type, params, frame_id, outer in events:
            if isinstance(params, dict) and params.get("call_id") == CALL:
                params = {**params, "call_id": "target"}  # the bystander's own events are its own business
            world.event(event_type, params, frame_id, **outer)
        world.event("calling.call.play", {"call_id": CALL, "control_id": "after", "state": "playing"}, "after")
        reply = bystander.perform(Hold())
        world.settle()
        [connection] = [cell for cell in world.system.living if isinstance(cell.actor, ConnectionActor)]
        assert connection.incarnation == 0
        assert len(world.connected_at) == 1
        assert world.app.call(CALL) is not None
        last = bystander.data["told"][-1]
        assert isinstance(last, PlayEvent)
        assert last.control_id == "after"
        assert [frame for frame in world.received if frame.get("id") == "after"] == [
            {"jsonrpc": "2.0", "id": "after", "result": {}}
        ]
        assert reply.get(timeout=0) == {"code": "200"}
        assert world.requests("calling.hold")[-1] == {"call_id": CALL, "node_id": NODE}
        assert {handle.ref.incarnation for handle in (bystander, target, dial)} == {0}
        assert text.ref.incarnation == 0
        world.event("calling.call.state", {"call_id": "target", "call_state": "ended"}, "last")
        world.settle()
        assert action.is_done, "whatever it was told, it is over with its call"


@settings(max_examples=less(50, 60), deadline=None)
@given(seed=st.integers(0, 10_000), breaks=st.lists(st.integers(0, 30), max_size=3))
def test_every_request_is_settled_and_sent_at_most_once_however_often_the_socket_breaks(
    seed: int, breaks: list[int]
) -> None:
    """SEMANTICS K6: ok, unknown, or not sent; never twice, never nothing."""
    with PlainWorld(seed) as world:
        world.start()
        rng = Random(seed)
        replies = []
        for number in range(31):
            replies.append(world.app.execute("calling.x", {"number": number}))
            if number in breaks:
                world.vanish()
            for _ in range(rng.randrange(6)):
                world.dispatcher.step()
        world.run(60.0)
        assert all(reply.is_settled for reply in replies)
        sent = [params["number"] for params in world.requests("calling.x")]
        assert len(sent) == len(set(sent))
        assert sent == sorted(sent)
        for number, reply in enumerate(replies):
            assert reply.error is not None or number in sent


def test_the_pauses_between_attempts_double_up_to_the_maximum() -> None:
    """PROTOCOL 6.5: 1, 2, 4, 8, 16, 30, 30 …; SEMANTICS K2."""
    with PlainWorld(limits=Limits(reconnect_jitter=0.0)) as world:
        world.is_down = True
        world.start(wait_s=None)
        world.run(130.0)
        pauses = [after - before for before, after in itertools.pairwise(world.connected_at)]
        assert pauses == pytest.approx([1, 2, 4, 8, 16, 30, 30, 30])


def test_the_pauses_begin_anew_after_a_log_in_and_not_after_a_mere_connection() -> None:
    """Or a log in that is refused would be repeated every second. PROTOCOL 6.5, 18.14."""
    with PlainWorld(limits=Limits(reconnect_jitter=0.0)) as world:
        world.start()
        world.login = lambda _frame: {"error": {"code": -32002, "message": "not now"}}
        world.vanish()
        world.run(16.0)
        assert [round(at, 3) for at in world.connected_at] == [0.0, 1.0, 3.0, 7.0, 15.0]
        world.login = lambda _frame: {"result": {"protocol": "p"}}
        world.run(16.0)
        world.is_down = True
        world.vanish()
        at = world.clock.now()
        world.run(4.0)
        assert [round(tried - at, 3) for tried in world.connected_at[-3:]] == [0.0, 1.0, 3.0]


def test_a_connection_that_was_well_is_replaced_at_once_and_one_that_is_lost_again_after_a_pause() -> None:
    """K2: calls are without one as shortly as can be, and a server that throws us out is not tried in a circle."""
    with PlainWorld(limits=Limits(reconnect_jitter=0.0)) as world:
        world.start()
        world.run(1.0)
        world.vanish()
        world.settle()
        assert world.connected_at == [0.0, 1.0]
        world.vanish()
        world.settle()
        assert world.connected_at == [0.0, 1.0]
        world.run(1.0)
        assert world.connected_at == [0.0, 1.0, 2.0]


def test_a_jittered_pause_is_never_longer_than_the_maximum() -> None:
    """SEMANTICS B1, K2."""
    timing = Timing(reconnect_min_s=10.0, reconnect_max_s=10.0)
    with PlainWorld(3, timing=timing, limits=Limits(reconnect_jitter=0.5)) as world:
        world.is_down = True
        world.start(wait_s=None)
        world.run(200.0)
        pauses = [after - before for before, after in itertools.pairwise(world.connected_at)]
        assert len(pauses) > 10
        assert all(5.0 <= pause <= 10.0 for pause in pauses)
        assert len(set(pauses)) > 1


def test_a_half_open_connection_is_found_within_the_stated_time() -> None:
    """SEMANTICS K9: 15 s after the last ping of the server."""
    with PlainWorld() as world:
        world.start()
        world.run(2.0)
        world.say({"jsonrpc": "2.0", "id": "p", "method": "signalwire.ping", "params": {}})
        world.run(14.9)
        assert len(world.connected_at) == 1
        world.run(0.2 + 1.0)
        assert len(world.connected_at) == 2


@pytest.mark.parametrize("pings", [False, True], ids=["that never pings", "that has pinged"])
def test_a_server_that_takes_a_command_and_goes_deaf_is_left_within_15_s_of_it(pings: bool) -> None:
    """SEMANTICS K9: an unanswered command gives rise to a ping of ours, and only that ping condemns the socket."""
    with PlainWorld() as world:
        world.start()
        world.answer = lambda _frame: None
        if pings:
            world.say({"jsonrpc": "2.0", "id": "p", "method": "signalwire.ping", "params": {}})
        world.app.execute("calling.x", {})
        world.run(14.9)
        assert len(world.connected_at) == 1
        world.run(0.2 + 1.0)
        assert len(world.connected_at) == 2


def test_a_server_that_is_slow_with_every_command_and_answers_pings_is_kept() -> None:
    """A slow command is its caller's problem (K9): nobody else's calls are cut off for it."""
    with PlainWorld() as world:
        world.start()
        world.answer = lambda frame: {"code": "200"} if frame["method"] == "signalwire.ping" else None
        replies = [world.app.execute("calling.x", {"number": number}) for number in range(3)]
        world.run(300.0)
        assert all(isinstance(reply.error, RequestTimeoutError) for reply in replies)
        assert len(world.connected_at) == 1
        assert len(world.requests("signalwire.ping")) == 10, "one for the three, and then every 30 s"
