"""What is asked of a phone, and meant for the line that its person is on. Layer: simulator."""

from __future__ import annotations

from abc import ABC, abstractmethod

from relay_actors.simulator.faxes import Fax
from relay_actors.simulator.lines import Line
from relay_actors.simulator.near_words import NearWords

__all__ = ["OnTheLine"]


class OnTheLine(NearWords, ABC):
    """Passes the story on to the latest line, so that one need not hold it.

    What waits, waits for a call, too: for the first one, and for the one that `Phone.answers` was said ahead about.
    """

    @property
    @abstractmethod
    def line(self) -> Line:
        """The latest line."""

    @abstractmethod
    def _awaited_line(self, within: float | None) -> Line:
        """Return the line that the story is about, once there is one."""

    def hears(self, what: str, within: float | None = None) -> Line:
        """Do `Line.hears` on the latest line."""
        return self._awaited_line(within).hears(what, within)

    def hears_nothing(self, for_s: float) -> Line:
        """Do `Line.hears_nothing` on the latest line."""
        return self._awaited_line(None).hears_nothing(for_s)

    def is_connected(self, within: float | None = None) -> Line:
        """Do `Line.is_connected` on the latest line."""
        return self._awaited_line(within).is_connected(within)

    def is_asked(self, within: float | None = None) -> Line:
        """Do `Line.is_asked` on the latest line."""
        return self._awaited_line(within).is_asked(within)

    def is_hung_up(self, within: float | None = None) -> Line:
        """Do `Line.is_hung_up` on the latest line."""
        return self._awaited_line(within).is_hung_up(within)

    def is_transferred(self, to: str, within: float | None = None) -> Line:
        """Do `Line.is_transferred` on the latest line."""
        return self._awaited_line(within).is_transferred(to, within)

    def talks_to(self, other: object, within: float | None = None) -> Line:
        """Do `Line.talks_to` on the latest line."""
        return self._awaited_line(within).talks_to(other, within)

    def is_in_conference(self, name: str, within: float | None = None) -> Line:
        """Do `Line.is_in_conference` on the latest line."""
        return self._awaited_line(within).is_in_conference(name, within)

    def is_in_room(self, name: str, within: float | None = None) -> Line:
        """Do `Line.is_in_room` on the latest line."""
        return self._awaited_line(within).is_in_room(name, within)

    def is_in_queue(self, name: str, position: int | None = None, within: float | None = None) -> Line:
        """Do `Line.is_in_queue` on the latest line."""
        return self._awaited_line(within).is_in_queue(name, position, within)

    def receives_fax(self, document: str = "", within: float | None = None) -> Fax:
        """Do `Line.receives_fax` on the latest line."""
        return self._awaited_line(within).receives_fax(document, within)

    def presses(self, digits: str) -> Line:
        """Do `Line.presses` on the latest line."""
        return self.line.presses(digits)

    def says(self, words: str, *, confidence: float = 95.0) -> Line:
        """Do `Line.says` on the latest line."""
        return self.line.says(words, confidence=confidence)

    def hangs_up(self) -> Line:
        """Do `Line.hangs_up` on the latest line."""
        return self.line.hangs_up()
