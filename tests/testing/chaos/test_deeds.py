"""What people do in the middle of something."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from relay_actors.errors import ConfigError
from relay_actors.testing.chaos.deeds import Deed, do, parse_deed
from relay_actors.testing.lab import Lab
from tests.testing.chaos.application import app

ONE, OTHER = "+15550100100", "+15550100101"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        lab.start(app)
        yield lab


def act(lab: Lab, words: str, call_id: str = "") -> None:
    deed = parse_deed(words)
    assert deed is not None
    do(deed, lab, call_id)
    lab.settle()


def test_a_deed_is_read_from_its_words():
    """What is none may be a fault."""
    assert parse_deed("press keys=12#") == Deed("press", {"keys": "12#"})
    assert parse_deed("text who=+1 context=echo words='call me'") == Deed(
        "text", {"who": "+1", "context": "echo", "words": "call me"}
    )
    assert parse_deed("drop clean=yes") is None
    with pytest.raises(ConfigError, match="press takes keys="):
        parse_deed("press")
    with pytest.raises(ConfigError, match="hang_up takes nothing more"):
        parse_deed("hang_up who=+1")


def test_the_one_at_the_call_at_hand_acts_and_nobody_else(lab: Lab):
    one, other = (lab.phone(number).dials(context="echo") for number in (ONE, OTHER))
    one.hears("Say something.")
    other.hears("Say something.")
    act(lab, "press keys=5", one.call_id)
    assert "pressed 5" in [moment.what for moment in one.timeline]
    assert "pressed 5" not in [moment.what for moment in other.timeline]
    act(lab, "hang_up", one.call_id)
    assert (one.is_over, other.is_over) == (True, False)
    act(lab, "all_hang_up")
    assert other.is_over
    act(lab, "press keys=5", one.call_id)  # too late, and no harm


def test_people_call_text_and_pick_up_and_the_application_is_drained(lab: Lab):
    act(lab, f"call who={ONE} context=echo")
    assert lab.phone(ONE).line.state == "answered"
    act(lab, f"text who={OTHER} context=echo words='call me'")
    lab.phone(OTHER).rings()
    act(lab, "pick_up")
    assert lab.phone(OTHER).line.state == "answered"
    act(lab, "drain")
    act(lab, f"call who={OTHER} context=nowhere")  # nobody is there to be called
    act(lab, "all_hang_up")
    lab.advance(5.0)
    assert not lab.sim.calls_up()
