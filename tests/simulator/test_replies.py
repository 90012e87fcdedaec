"""The three answers to a command."""

from __future__ import annotations

from relay_actors.simulator.replies import CALL_GONE, Failure, Result, accepted, invalid_params, not_simulated, refused


def test_answers_have_the_shapes_of_the_wire():
    """Source: PROTOCOL 2.1, 2.5: codes of results are texts, those of errors are numbers."""
    assert accepted("Playing", call_id="c") == Result({"code": "200", "message": "Playing", "call_id": "c"})
    assert refused("409", "no") == Result({"code": "409", "message": "no"})
    assert CALL_GONE.body["code"] == "404"
    assert invalid_params(["x is required"]) == Failure(
        -32602,
        "Invalid params: x is required",
        {"signalwire_error_code": "INVALID_PARAMS", "problems": ["x is required"]},
    )
    assert not_simulated("calling.x").code == -32601
