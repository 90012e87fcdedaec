"""Who is on the line; what detectors make of it is in operations/test_detect.py."""

from __future__ import annotations

from relay_actors.simulator.personas import HUMAN, Persona


def test_a_phone_belongs_to_a_person_unless_it_says_otherwise():
    assert Persona() == HUMAN
    assert HUMAN.kind == "human"
