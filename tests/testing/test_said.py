"""One thing that was said."""

from relay_actors.testing.said import COMMAND, EVENT, Said


def test_it_knows_its_call_and_can_be_moved_and_given_another_content():
    """It is a value: nothing of it changes in place."""
    said = Said(1.0, COMMAND, "calling.answer", {"call_id": "c"}, number=3)
    assert said.call_id == "c"
    assert said.moved(0.5) == Said(1.5, COMMAND, "calling.answer", {"call_id": "c"}, number=3)
    assert said.with_body({"call_id": None}, {"a": 1}).call_id == ""
    assert said.at == 1.0


def test_times_are_moved_in_seconds_and_in_milliseconds():
    """When a call was is nobody's business; how long it was is kept."""
    body = {"start_time": 1_700_000_000_000, "deep": [{"end_time": 1_700_000_001.5}], "other": 5}
    assert Said(3.0, EVENT, "e", body).moved(-1.0) == Said(
        2.0,
        EVENT,
        "e",
        {"start_time": 1_699_999_999_000, "deep": [{"end_time": 1_700_000_000.5}], "other": 5},
    )
