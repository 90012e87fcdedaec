"""The window on the commands; they are defined in `relay_actors.protocol.commands`."""

from __future__ import annotations

from relay_actors.protocol.commands import *  # noqa: F403  # a window: every name, and only those of its __all__
from relay_actors.protocol.commands import __all__ as __all__
