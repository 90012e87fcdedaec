"""The control API without its sockets: what is asked, and what is answered."""

import contextlib
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay_actors import CallActor, RelayApp, Timing
from relay_actors.cli.control_operations import Answer
from relay_actors.cli.control_table import STORY, ControlTable
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.phones import Phone
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from tests.cli.conftest import PACE

CALLER = "+15550001111"
TOKEN = "a-token-that-nobody-may-see"


class Asker:
    """Whoever asks a table, in Python's words."""

    def __init__(self, simulator: Simulator) -> None:
        self.table = ControlTable(simulator)

    def get(self, path: str) -> Any:
        path, _mark, query = path.partition("?")
        return self.right(self.table.answer("GET", path, query))

    def post(self, path: str, **arguments: object) -> Any:
        return self.right(self.send(path, **arguments))

    def send(self, path: str, **arguments: object) -> Answer:
        return self.table.answer("POST", path, "", json.dumps(arguments).encode())

    def right(self, answer: Answer) -> Any:
        assert answer.status == 200, answer
        json.dumps(answer.body)
        return answer.body


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(clock=SystemClock(), random=Random(1), pace=PACE)


@pytest.fixture
def asker(simulator: Simulator) -> Asker:
    return Asker(simulator)


class Greeter(CallActor):
    async def run(self) -> None:
        await self.answer()
        await self.play_tts("Good morning.").wait()


@pytest.fixture
def greeted(simulator: Simulator, asker: Asker) -> Iterator[Asker]:
    """With an application that greets, and whose token is a secret. The asker is older than its log-in."""
    with SimulatorServer(simulator) as server, contextlib.ExitStack() as stack:
        host = f"127.0.0.1:{server.port}"
        app = RelayApp("project", TOKEN, host=host, scheme="ws", timing=Timing(linger_s=0.05))
        app.calls("office")(Greeter)
        stack.callback(app.stop)
        app.start()
        yield asker


def test_every_word_of_a_story_is_there():
    """What tells a phone of something is none: is_called, on_sound, note."""
    public = {name for name in vars(Phone) if not name.startswith("_") and callable(getattr(Phone, name))}
    assert public - {"is_called", "is_texted"} <= STORY.keys()
    assert {"is_asked", "is_connected", "is_transferred"} <= STORY.keys()
    assert not STORY.keys() & {"is_called", "is_texted", "on_sound", "on_change", "note"}


def test_a_story_is_told_word_by_word(greeted: Asker):
    line = greeted.post(f"/phones/{CALLER}/dials", context="office")
    heard = greeted.post(f"/phones/{CALLER}/hears", what="good morning")
    ended = greeted.post(f"/lines/{line['call_id']}/is_hung_up", within=5)
    assert heard["heard"] == ["Good morning."]
    assert "heard 'Good morning.'" in greeted.post(f"/phones/{CALLER}/story")["result"]
    assert (ended["number"], ended["state"], ended["end_reason"]) == (CALLER, "ended", "hangup")
    assert greeted.post("/expect", call=line["call_id"], method="calling.play") == {"ok": True}
    assert greeted.get(f"/lines/{line['call_id']}") == ended
    assert greeted.get("/phones")["phones"][0]["lines"] == greeted.get(f"/phones/{CALLER}")["lines"] == [ended]
    assert greeted.get("/calls?up=1") == {"calls": []}
    [leg] = greeted.get("/calls")["calls"]
    assert (leg["from_number"], leg["commands"]["calling.play"]) == (CALLER, 1)


def test_credentials_are_never_shown(greeted: Asker):
    """Not where they belong, and not where they do not."""
    greeted.post(f"/phones/{CALLER}/texts", body=f"it is {TOKEN}", context="office")
    [login] = greeted.get("/frames?method=signalwire.connect")["frames"]
    assert login["frame"]["params"]["authentication"]["token"] == "***"
    [text] = greeted.get("/frames?event=messaging.receive")["frames"]
    assert text["frame"]["params"]["params"]["body"] == "it is ***"
    for path in ("/frames", "/timeline", "/violations", "/webhooks", "/phones", "/health"):
        assert TOKEN not in json.dumps(greeted.get(path))


def test_frames_are_found_by_method_event_direction_and_time(greeted: Asker):
    greeted.post(f"/phones/{CALLER}/dials", context="office")
    greeted.post(f"/phones/{CALLER}/is_hung_up")
    played = greeted.get("/frames?method=calling.play")
    assert [one["direction"] for one in played["frames"]] == ["received"]
    events = greeted.get("/frames?event=calling.call.play&direction=sent")["frames"]
    assert [one["frame"]["params"]["params"]["state"] for one in events] == ["playing", "finished"]
    assert greeted.get("/frames?event=calling.call.play&direction=received")["frames"] == []
    now = played["now"]
    assert all(one["at"] > now for one in greeted.get(f"/frames?since={now}")["frames"])
    assert greeted.table.answer("GET", "/frames", "method=calling.ply").status == 400


def test_the_timeline_has_people_and_frames_in_one_order(greeted: Asker):
    greeted.post(f"/phones/{CALLER}/dials", context="office")
    greeted.post(f"/phones/{CALLER}/is_hung_up")
    told = greeted.get("/timeline")["timeline"]
    whats = [one["what"] for one in told]
    assert [one["at"] for one in told] == sorted(one["at"] for one in told)
    order = ["calling.answer", "calling.play", "calling.call.play playing", "heard 'Good morning.'"]
    assert [what for what in whats if what in order][:2] == order[:2]
    assert set(order) < set(whats)
    hers = greeted.get(f"/timeline?number={CALLER}")["timeline"]
    assert {one["who"] for one in hers} == {CALLER, "received", "sent"}
    assert "signalwire.connect" not in {one["what"] for one in hers}
    assert greeted.get("/timeline?number=+15559999999")["timeline"] == []
    now = greeted.get("/timeline")["now"]
    assert all(one["at"] > now for one in greeted.get(f"/timeline?since={now}")["timeline"])


def test_a_story_that_goes_otherwise_is_a_409_with_what_happened(asker: Asker):
    asker.post(f"/phones/{CALLER}/dials", context="office")
    answer = asker.send(f"/phones/{CALLER}/hears", what="press 1", within=0)
    assert answer.status == 409
    assert answer.body["error"] == f"{CALLER} did not hear 'press 1' within 0 s; heard in its place: nothing"
    assert "nobody there: no application is logged in" in answer.body["story"]


@pytest.mark.parametrize(
    ("path", "arguments", "status", "said"),
    [
        (f"/phones/{CALLER}/hears", {"what": "x", "within": 0}, 409, "has had no call yet"),
        (f"/phones/{CALLER}/is_asked", {"within": 0}, 409, "has had no call yet"),
        (f"/phones/{CALLER}/dials", {"contxt": "a"}, 400, "it probably means 'context'"),
        (f"/phones/{CALLER}/dials", {}, 400, "nobody knows where this leads"),
        (f"/phones/{CALLER}/answers_after", {"seconds": "soon"}, 400, "must be a number"),
        (f"/phones/{CALLER}/dails", {}, 404, "it probably means 'dials'"),
        (f"/phones/{CALLER}/is_called", {}, 404, "there is nothing at"),
        (f"/phones/{CALLER}", {}, 405, "use GET"),
        ("/phones//dials", {}, 404, "there is nothing at"),
        ("/lines/nobody/presses", {"digits": "1"}, 404, "no phone has had a call 'nobody'"),
        ("/conferences/weekly/mute", {"who": CALLER}, 409, "nobody is in conference weekly"),
        ("/scripts/next_payment", {"ends": "well"}, 400, "well"),
        ("/wait", {"count": 1, "within": 0}, 409, "0 of 1 clients were logged in"),
        ("/faults", {}, 400, "POST /faults needs fault"),
        ("/faults", {"fault": "sockets_down"}, 400, "it probably means 'socket_down'"),
        ("/faults", {"fault": "answer_late"}, 400, "answer_late needs"),
        ("/faults", {"fault": "answer_twice", "method": "calling.ply"}, 400, "it probably means 'calling.play'"),
        ("/fames", {}, 404, "it probably means 'frames'"),
        ("/nothing/at/all", {}, 404, "there is nothing at /nothing/at/all"),
    ],
)
def test_what_cannot_be_done_is_told_with_what_to_mend(
    asker: Asker, path: str, arguments: dict[str, object], status: int, said: str
):
    answer = asker.send(path, **arguments)
    assert (answer.status, said in answer.body["error"]) == (status, True), answer


def test_what_there_is_in_that_place_is_listed(asker: Asker):
    assert set(STORY) == set(asker.send(f"/phones/{CALLER}/flies").body["there is"])
    assert {"phones", "faults", "health"} <= set(asker.send("/flies").body["there is"])
    assert asker.table.answer("POST", "/phones").allowed == "GET"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b'{"within": NaN}'])
def test_a_body_that_is_no_object_is_told(asker: Asker, body: bytes):
    answer = asker.table.answer("POST", f"/phones/{CALLER}/rings", "", body)
    assert answer.status == 400
    assert "the body" in answer.body["error"]


def test_a_body_may_be_left_out(asker: Asker):
    assert asker.table.answer("POST", f"/phones/{CALLER}/is_busy", "", b" \n").status == 200


def test_any_number_is_a_phone_as_it_is_or_encoded(asker: Asker, simulator: Simulator):
    asker.post("/phones/sip%3Aanna%40example.com/dials", context="office")
    asker.post("/phones/%2B15550002222/answers")
    assert [phone.number for phone in simulator.phones] == ["sip:anna@example.com", "+15550002222"]


def test_a_number_leads_to_a_context(asker: Asker):
    asker.post("/numbers", number="+15550100100", context="office")
    line = asker.post(f"/phones/{CALLER}/dials", to="+15550100100")
    assert line["timeline"][0]["what"] == "dialled +15550100100 (context office)"


def test_faults_are_listed_and_let_happen(asker: Asker, simulator: Simulator):
    assert "socket_down" in {one["fault"] for one in asker.get("/faults")["faults"]}
    asker.post("/faults", fault="socket_down", seconds=60)
    assert not simulator.is_accepting
    asker.post("/reset")
    assert simulator.is_accepting


def test_a_frame_is_pushed(greeted: Asker):
    greeted.post("/push", frame={"jsonrpc": "2.0", "id": "7", "method": "signalwire.ping", "params": {}})
    assert greeted.send("/push", frame="{", session="nobody's").status == 400


def test_manners_can_be_changed(asker: Asker, simulator: Simulator):
    def change(**changes: object) -> Answer:
        return asker.table.answer("PATCH", "/manners", "", json.dumps(changes).encode())

    told = change(ring_s=3, refusal="unauthorized").body["manners"]
    assert (told["ring_s"], told["refusal"], simulator.manners.ring_s) == (3, "unauthorized", 3)
    assert asker.get("/manners")["manners"] == told
    assert told.keys() == set(Manners.__slots__)
    assert "one of 'auth_required', 'unauthorized'" in change(refusal="maybe").body["error"]
    assert "it probably means 'ring_s'" in change(ring=3).body["error"]


def test_reset_begins_anew(asker: Asker):
    asker.post(f"/phones/{CALLER}/dials", context="office")
    asker.post("/reset")
    assert asker.get("/phones") == {"phones": []}
    assert asker.get("/timeline")["timeline"] == []


def test_a_script_for_an_agent_may_have_words_and_turns(asker: Asker):
    asker.post("/scripts/next_agent", turns=["Hello!", {"hears": "sales", "says": "One moment."}], ends="hangs up")
    answer = asker.send("/scripts/next_agent", turns=["Hello!"], ends="sings")
    assert "ends of next_agent must be one of 'finished', 'hangs up'" in answer.body["error"]


def test_the_list_of_what_there_is_is_complete(asker: Asker):
    listed = asker.get("/")
    assert [one["do"] for one in listed["operations"]] == [f"{one.method} {one.path}" for one in asker.table.operations]
    assert all(one["what"] for one in listed["operations"])
    assert asker.get("/health")["status"] == "ok"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**7), 10**7) | st.floats(0, 1e12) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


NO_WAIT = st.sampled_from([0, -1, True, "soon", [], {}])
"""For numbers, which may be the seconds of a wait."""


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_is_sent_gets_an_answer(data: st.DataObject):
    """Never an exception: what does not fit is a 400, what is not so a 409, and all answers are JSON."""
    simulator = Simulator(clock=SystemClock(), random=Random(1), pace=PACE)
    asker = Asker(simulator)
    line = asker.post(f"/phones/{CALLER}/dials", context="office")
    for operation in data.draw(st.lists(st.sampled_from(asker.table.operations), min_size=1, max_size=4)):
        path = operation.path.replace("{number}", CALLER).replace("{call_id}", line["call_id"])
        given = {one.name: data.draw(NO_WAIT if "minimum" in one.schema else JSON) for one in operation.arguments}
        answer = asker.table.answer(operation.method, path, "", json.dumps(given).encode())
        assert answer.status in (200, 400, 404, 409), answer
        json.dumps(answer.body, allow_nan=False)
