"""The window on the typed events; they are defined in `relay_actors.protocol`."""

from __future__ import annotations

from relay_actors.protocol.events import *  # noqa: F403  # a window: every name, and only those of its __all__
from relay_actors.protocol.events import __all__ as __all__
