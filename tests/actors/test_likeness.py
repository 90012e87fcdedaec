"""A command is compared with one of the journal, which does not know everything of it."""

from __future__ import annotations

import pytest
from hypothesis import given

from relay_actors.actors import likeness
from relay_actors.actors.likeness import as_kept, different
from relay_actors.journal.redact import MASK, Redactor
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.json_codec import dumps, loads
from tests.journal.strategies import objects


def test_the_params_that_differ_are_named_and_nothing_else_is_said() -> None:
    """What a caller was told is not for the log. J10."""
    then = {"call_id": "c", "node_id": "n", "play": [{"text": "Hello"}], "volume": 1.0, "loop": 2}
    now: JsonObject = {"call_id": "d", "node_id": "m", "play": [{"text": "Goodbye"}], "volume": 1, "control_id": "x"}
    assert different(then, now) == ["control_id", "loop", "play"]


def test_what_is_the_same_is_compared_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """As nearly always; it costs as much as all else to make JSON of it, and ten thousand calls wait for that."""
    monkeypatch.delattr(likeness, "dumps")
    assert different({"call_id": "c", "play": [{"text": "Hello"}]}, {"call_id": "c", "play": [{"text": "Hello"}]}) == []


def test_a_tuple_is_like_the_list_that_the_journal_has_made_of_it() -> None:
    """JSON knows lists only."""
    assert different({"hints": ["one", "two"]}, {"hints": ("one", "two")}) == []


def test_what_was_a_secret_then_is_like_anything_now() -> None:
    """The journal does not know it, and a call must not be given up for that."""
    secret = "tok-0123456789"
    params: JsonObject = {"url": f"https://example.com/{secret}", "extra": {"token": "x"}, "text": "plain"}
    kept = Redactor([secret]).value(params)
    assert isinstance(kept, dict)
    assert secret not in str(kept)
    assert different(kept, params) == []
    assert different(kept, {**params, "text": "other"}) == ["text"]


@pytest.mark.parametrize("unfit", [object(), {1, 2}, {"a": {1: 2}}, 1 << 64, float("nan"), "\ud800", b"x"])
def test_what_json_cannot_write_is_like_itself_and_the_rest_is_compared(unfit: object) -> None:
    """It was never sent: the command was refused, and is refused again when its call is rebuilt. J3."""
    params: JsonObject = {"event": "order", "x": unfit}
    kept = as_kept(params)
    assert kept == {"event": "order", "x": MASK}
    assert different(kept, params) == different({"event": "order", "x": unfit}, params) == []
    assert different(kept, {**params, "event": "other"}) == ["event"]


@given(objects)
def test_whatever_is_sent_is_like_itself_as_json_has_made_it(params: JsonObject) -> None:
    """However it is nested. Bytes have no JSON form, and are never sent."""
    try:
        plain = loads(dumps(params))
    except ValueError:
        return
    assert isinstance(plain, dict)
    assert different(plain, params) == []
