"""What is left of frames when everything is taken out that is another in each run."""

from __future__ import annotations

from tests.parity.shipped.frames import SESSION, Frame, commands, names_in

CALL, OTHER, CONTROL, NODE = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "abcd")
WIRE = "signalwire_01_02"


def sent(event_type, **params):
    event = {"event_type": event_type, "params": params}
    return {
        "direction": "sent",
        "session": WIRE,
        "frame": {"id": "1", "method": "signalwire.event", "params": event},
    }


def received(method, **params):
    return {"direction": "received", "session": WIRE, "frame": {"id": "2", "method": method, "params": params}}


FRAMES = [
    received("signalwire.connect", agent="a", contexts=["default"]),
    sent("calling.call.receive", call_id=CALL, node_id=f"{NODE}@us-east"),
    {"direction": "received", "session": WIRE, "frame": {"id": "1", "result": {}}},
    received("calling.answer", call_id=CALL, node_id=f"{NODE}@us-east"),
    received("calling.play", call_id=CALL, node_id=f"{NODE}@us-east", control_id=CONTROL, play=[{"n": 1}]),
    received("calling.play.stop", call_id=CALL, node_id=f"{NODE}@us-east", control_id=CONTROL),
    received("signalwire.ping"),
    {"direction": "received", "session": WIRE, "frame": None},
    received("messaging.send", context=WIRE, tag=OTHER),
]


def test_what_was_asked_for_is_told_of_each_call_with_names_for_its_ids():
    asked = commands(FRAMES, names_in(FRAMES))

    call = {"call_id": "call 1", "node_id": "id"}
    assert asked == {
        SESSION: [
            Frame("signalwire.connect", {"agent": "a", "contexts": ["default"]}),
            Frame("messaging.send", {"context": SESSION, "tag": "id"}),
        ],
        "call 1": [
            Frame("calling.answer", call),
            Frame("calling.play", {**call, "control_id": "control 1", "play": [{"n": 1}]}),
            Frame("calling.play.stop", {**call, "control_id": "control 1"}),
        ],
    }


def test_a_second_call_has_a_name_of_its_own():
    frames = [*FRAMES, sent("calling.call.receive", call_id=OTHER), received("calling.end", call_id=OTHER)]

    assert commands(frames, names_in(frames))["call 2"] == [Frame("calling.end", {"call_id": "call 2"})]


def test_what_comes_after_the_end_of_its_call_was_told_is_late():
    end = sent("calling.call.state", call_id=CALL, call_state="ended")
    frames = [*FRAMES[:4], end, received("calling.end", call_id=CALL), received("calling.end", call_id=OTHER)]
    asked = commands(frames, names_in(frames))

    assert [frame.is_late for frame in asked["call 1"]] == [False, True]
    assert not any(frame.is_late for call, sent_there in asked.items() if call != "call 1" for frame in sent_there)


def test_ids_are_also_taken_out_of_what_was_printed():
    names = names_in(FRAMES)

    assert names.anonymous([f"<Call id='{CALL}'> {CONTROL} of {WIRE}", OTHER, 7]) == [
        f"<Call id='call 1'> control 1 of {SESSION}",
        "id",
        7,
    ]
