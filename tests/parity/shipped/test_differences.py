"""What the named differences excuse, and what they do not."""

from __future__ import annotations

import pytest

from tests.parity.shipped.comparing import Departure
from tests.parity.shipped.differences import DETECT, DIFFERENCES, FAXES_AND_PAYMENTS, difference
from tests.parity.shipped.frames import Frame
from tests.parity.shipped.scenarios import STATE_FIRST

LATE = Frame("calling.end", {}, is_late=True)


def connect(**params):
    return Frame("signalwire.connect", {"version": 2, "agent": "official", **params})


def name_of(departure, run="a run"):
    found = difference(departure, run)
    return found.name if found is not None else ""


def test_each_difference_has_a_name_of_its_own_and_a_reason():
    assert len({one.name for one in DIFFERENCES}) == len(DIFFERENCES)
    assert all(one.reason for one in DIFFERENCES)


@pytest.mark.parametrize(
    ("departure", "run", "name"),
    [
        (Departure("frame", connect(), connect(agent="ours"), "the session"), "a run", "agent"),
        (Departure("frame", None, Frame("signalwire.unreceive", {"contexts": ["a"]})), "a run", "farewell"),
        (Departure("frame", LATE, None, "call 1"), "a run", "too late"),
        (Departure("frame", LATE, Frame("calling.play", {}, is_late=True), "call 1"), "a run", "too late"),
        (Departure("printed", "No answer — timed out", "Call answered"), STATE_FIRST, "answered before"),
        (Departure("printed", None, "Disconnected"), STATE_FIRST, "answered before"),
        (Departure("frame", None, Frame("calling.play", {}), "call 1"), STATE_FIRST, "answered before"),
        (Departure("heard", [[]], [["Welcome"]], "+1"), STATE_FIRST, "answered before"),
        (Departure("otherwise", "+1 did not hear 'welcome' within 8 s", ""), STATE_FIRST, "answered before"),
        (
            Departure(
                "frame",
                Frame("calling.detect", {"detect": {"type": "machine"}}),
                Frame("calling.detect", {"detect": {"type": "machine", "params": {}}}),
            ),
            DETECT,
            "detect",
        ),
        (Departure("ended", "RelayError Exception", "by itself"), DETECT, "detect"),
        (Departure("ended", "not at all", "by itself"), FAXES_AND_PAYMENTS[0], "no state"),
    ],
)
def test_what_is_meant_has_its_name(departure, run, name):
    assert name_of(departure, run) == name


@pytest.mark.parametrize(
    ("departure", "run"),
    [
        (Departure("frame", connect(), connect(agent="ours", contexts=["a"])), "a run"),
        (Departure("frame", Frame("signalwire.unreceive", {}), None), "a run"),
        (Departure("frame", LATE, Frame("calling.play", {}), "call 1"), "a run"),
        (Departure("frame", Frame("calling.end", {}), None, "call 1"), "a run"),
        (Departure("printed", "Call answered", "No answer — timed out"), STATE_FIRST),
        (Departure("heard", [["Welcome"]], [[]], "+1"), STATE_FIRST),
        (Departure("otherwise", "", "+1 did not hear 'welcome' within 8 s"), STATE_FIRST),
        (Departure("printed", "No answer — timed out", "Call answered"), "a run"),
        (Departure("ended", "not at all", "by itself"), "a run"),
        (Departure("ended", "by itself", "not at all"), FAXES_AND_PAYMENTS[0]),
        (Departure("ended", "by itself", "RelayError Exception"), DETECT),
    ],
)
def test_neither_what_ours_does_worse_nor_what_belongs_elsewhere_is_excused(departure, run):
    assert name_of(departure, run) == ""
