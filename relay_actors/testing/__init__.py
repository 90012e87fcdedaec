"""Test a phone application by the people who call it. Layer: door.

The fixtures ``relay_app``, ``phone``, ``relay_sim`` and ``relay_clock`` come with pytest's plugin
`relay_actors.testing.plugin`, which pytest finds by itself where this package is installed. The names here are for
annotations, and for other test runners::

    def test_sales_is_reached(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None: ...
"""

from relay_actors.simulator.lines import Line, StoryError
from relay_actors.simulator.phones import Phone
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from relay_actors.testing.app_runner import AppRunner, PhoneMaker
from relay_actors.testing.bench import RelayClock
from relay_actors.testing.lab import Lab
from relay_actors.testing.timeline import Timeline, TimelineEntry

__all__ = [
    "AppRunner",
    "Lab",
    "Line",
    "Phone",
    "PhoneMaker",
    "RelayClock",
    "Simulator",
    "SimulatorServer",
    "StoryError",
    "Timeline",
    "TimelineEntry",
]
