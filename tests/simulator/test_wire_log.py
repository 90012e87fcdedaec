"""The journal of frames."""

from __future__ import annotations

from relay_actors.simulator.wire_log import BOUND, LoggedFrame, WireLog


def entry(text: bytes, direction: str = "sent") -> LoggedFrame:
    return LoggedFrame(1.0, 2.0, direction, "p", text)  # type: ignore[arg-type]  # a test may pass a str


EVENT = b'{"id":"1","method":"signalwire.event","params":{"event_type":"calling.call.play","params":{}}}'


def test_only_the_last_thousand_frames_are_kept():
    """Source: PROTOCOL 19.3."""
    log = WireLog()
    for number in range(BOUND + 5):
        log.add(entry(b"%d" % number))

    assert len(log) == BOUND
    assert next(iter(log)).text == b"5"


def test_frames_are_found_by_direction_method_and_event_type():
    log = WireLog()
    log.add(entry(b'{"id":"1","method":"calling.play","params":{"call_id":"c"}}', "received"))
    log.add(entry(b'{"id":"1","result":{}}'))
    log.add(entry(EVENT))

    assert [logged.params for logged in log.received("calling.play")] == [{"call_id": "c"}]
    assert log.received("calling.end") == []
    assert [logged.event_type for logged in log.sent("calling.call.play")] == ["calling.call.play"]
    assert len(log.sent()) == 2


def test_a_text_that_is_no_frame_is_logged_all_the_same():
    logged = entry(b"{oops")
    assert (logged.frame, logged.params, logged.method, logged.event_type) == ({}, {}, "", "")
    assert entry(b"[1]").frame == {}


def test_the_repr_hides_the_text_because_a_log_in_holds_a_token():
    assert "secret" not in repr(entry(b'{"token":"secret"}'))


def test_observers_see_each_frame_at_once():
    log, seen = WireLog(), []
    log.observe(seen.append)
    log.add(entry(EVENT))
    log.clear()

    assert [logged.text for logged in seen] == [EVENT]
    assert len(log) == 0
