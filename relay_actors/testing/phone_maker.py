"""Gives tests their telephones: what the fixture ``phone`` is. Layer: door. Knows no test runner."""

from __future__ import annotations

from relay_actors.simulator.crowds import FIRST, Crowd
from relay_actors.simulator.phones import Phone
from relay_actors.simulator.simulator import Simulator

__all__ = ["PhoneMaker"]


class PhoneMaker:
    """``phone("+15550001111")`` is the telephone of that number, and ``phone.many(200)`` are two hundred of them.

    Args:
        simulator: where they are.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def __call__(self, number: str) -> Phone:
        """Do `Simulator.phone`."""
        return self._simulator.phone(number)

    def many(self, count: int, first: str = FIRST) -> Crowd:
        """Do `Simulator.many`."""
        return self._simulator.many(count, first)
