"""Tells developers of names that nobody knows: misspelt ones would be without effect, in silence. Layer: hall.

Each is told once for an application, however many calls it has.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Hashable, Mapping, Sequence
from typing import Final, cast

from relay_actors.protocol.commands import RelayCommand
from relay_actors.protocol.commands.doubts import doubts
from relay_actors.protocol.events import EVENT_TYPES
from relay_actors.protocol.near_miss import near_miss

__all__ = ["Doubts"]

MOST: Final = 1000
"""So many names are remembered; those who make up names without end are not told of more."""

_OF_DIAL: Final = ("dial_timeout", "max_duration")
"""What ``app.dial`` takes by name; but ``tag``, which is too short for others not to be like it by chance."""

_log = logging.getLogger("relay_actors.calls")


class Doubts:
    """What has been told of already. Any thread."""

    def __init__(self) -> None:
        self._told: set[Hashable] = set()
        self._lock = threading.Lock()

    def look_at_params(self, command: RelayCommand, params: Mapping[str, object], whose: str) -> None:
        """Tell of params that nobody knows: as a warning if it is plausible what was meant, else for debugging.

        For who has asked `can_be_doubtful` first.

        Args:
            command: that is being sent.
            params: of the command, complete.
            whose: which call, for the log.
        """
        for doubt in doubts(command, params, lambda key: self._is_news((type(command), key))):
            if doubt.meant:
                text = "unknown param call_id=%s method=%s param=%s: sent as it is, but probably meant: %s"
                _log.warning(text, whose, command.method, doubt.key, doubt.meant)
            else:
                _log.debug("unknown param call_id=%s method=%s param=%s: sent", whose, command.method, doubt.key)

    def look_at_event_type(self, event_type: str, whose: str) -> None:
        """Warn of an event type that is unknown, but nearly like one that is known."""
        if event_type in EVENT_TYPES or not self._is_news(event_type):
            return
        meant = near_miss(event_type, EVENT_TYPES)
        if meant is not None:
            text = "unknown event type call_id=%s event_type=%s: no event may ever come; probably meant: %s"
            _log.warning(text, whose, event_type, meant)

    def look_at_dial(self, data: Mapping[str, object]) -> None:
        """Warn of names among the data of a dial that are nearly, or the end of, what ``app.dial`` takes itself."""
        for key in data:
            name = key.removesuffix("_s")  # as the settings have it, whose units are in their names
            meant = next((own for own in _OF_DIAL if own.endswith(f"_{name}")), None) or near_miss(key, _OF_DIAL)
            if meant is not None and self._is_news(("dial", key)):
                text = "unknown argument app.dial(%s=…): it is in self.data of the call, but probably meant: %s"
                _log.warning(text, key, meant)

    def look_at_data(self, actor: str, key: Hashable, why: str) -> None:
        """Warn of something in ``self.data`` that is not there any more after the end of the process."""
        if self._is_news((actor, key)):
            _log.warning("self.data[%r] of %s is not in the journal: %s", key, actor, why)

    def look_at_arranged(self, actor: str, what: str, why: str) -> None:
        """Warn of something that a handler has arranged, and that is not done after the end of the process."""
        if self._is_news((actor, what)):
            _log.warning("%s of %s is not in the journal: %s", what, actor, why)

    def look_at_lost(self, actor: str, values: Mapping[str, object]) -> None:
        """Warn of something that a flow is told or given, and that cannot be kept for when it is run again.

        Args:
            actor: the class of the call.
            values: of the note about it; nothing is said of one that has kept it.
        """
        for part in (values, *cast("Sequence[Mapping[str, object]]", values.get("parts", ()))):
            if "lost" in part and self._is_news((actor, "is given", part["lost"])):
                text = (
                    "%s is given a %s, which cannot be kept: a flow that is run again, as after the end of the "
                    "process, cannot be brought past it. Plain data, events, enums and dataclasses of these can be "
                    "kept; in place of a ref or a handle give a call's id or a name"
                )
                _log.warning(text, actor, part["lost"])

    def _is_news(self, name: Hashable) -> bool:
        with self._lock:
            if name in self._told or len(self._told) >= MOST:
                return False
            self._told.add(name)
            return True
