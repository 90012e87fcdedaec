"""Frames in the log: at DEBUG only, without secrets, and without anybody's number. Layer: hall.

Source: PROTOCOL 16.1; SEMANTICS O6.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Final

from relay_actors.protocol.scrub import excerpt, scrub

__all__ = ["FrameLog", "mask_numbers", "show_log"]

_log = logging.getLogger("relay_actors.frames")

_WHOLE_UP_TO: Final = 16 * 1024
"""Bytes. A longer frame is shown by its beginning: to scrub 10 MiB would hold up the socket."""

_NUMBER: Final = re.compile(
    r'(?<![\w.-])(?:(?P<plus>\+|\\{1,16}u002[bB])|(?<=_number":")|(?<=_number": "))\d{3,15}(?=\d\d)'
)
"""E.164, also where JSON has escaped the plus, or whatever stands as a ``…_number`` without one; but for the last two
digits."""


def mask_numbers(text: str) -> str:
    """Return ``text`` with every telephone number reduced to its last two digits: ``+***99``."""
    return _NUMBER.sub(lambda found: ("+" if found["plus"] else "") + "***", text)


class FrameLog:
    """Writes frames to the logger ``relay_actors.frames``, at DEBUG.

    Attributes:
        is_on: whether anybody listens; as it was when `look` was called last.
    """

    is_on: bool

    def __init__(self) -> None:
        self.look()

    def look(self) -> bool:
        """Look whether anybody listens: once for all that is read together, as `logging` takes its time to say so."""
        self.is_on = _log.isEnabledFor(logging.DEBUG)
        return self.is_on

    def received(self, text: bytes, secrets: Iterable[str]) -> None:
        """Log a frame of the server. Ask `look` first: to scrub takes longer than to handle."""
        clean = scrub(text, secrets) if len(text) <= _WHOLE_UP_TO else excerpt(text, secrets)
        _log.debug("received %s", mask_numbers(clean))

    def requested(self, method: str, request_id: str) -> None:
        """Log a request of ours: its params are the application's own business."""
        _log.debug("requested method=%s id=%s", method, request_id)

    def ignored(self, why: str) -> None:
        """Log that something odd came; ``why`` is scrubbed already."""
        if self.look():
            _log.debug("ignored: %s", mask_numbers(why))


def show_log(level: str) -> None:
    """Have what the framework logs from ``level`` on be seen: on standard error, if the program has no log of its own.

    An empty level leaves everything as it is.

    Source: PROTOCOL 16.3, ``SIGNALWIRE_LOG_LEVEL``.
    """
    if not level:
        return
    log = logging.getLogger("relay_actors")
    log.setLevel(level)
    if not log.hasHandlers():
        shown = logging.StreamHandler()
        shown.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
        log.addHandler(shown)
