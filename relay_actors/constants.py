"""The window on the wire's constants; they are defined in `relay_actors.protocol.constants`."""

from __future__ import annotations

from relay_actors.protocol.constants import *  # noqa: F403  # a window: every name, and only those of its __all__
from relay_actors.protocol.constants import __all__ as __all__
