"""Test a phone application by the people who call it. Layer: door.

The fixtures ``relay_app``, ``phone`` and ``relay_sim`` come with pytest's plugin `relay_actors.testing.plugin`, which
pytest finds by itself where this package is installed. The names here are for annotations, and for other test runners::

    def test_sales_is_reached(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None: ...
"""

from relay_actors.simulator.lines import Line, StoryError
from relay_actors.simulator.phones import Phone
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from relay_actors.testing.app_runner import AppRunner, PhoneMaker
from relay_actors.testing.recording import Recording
from relay_actors.testing.replaying import Difference, Replayed, replay, replays
from relay_actors.testing.said import Said

__all__ = [
    "AppRunner",
    "Difference",
    "Line",
    "Phone",
    "PhoneMaker",
    "Recording",
    "Replayed",
    "Said",
    "Simulator",
    "SimulatorServer",
    "StoryError",
    "replay",
    "replays",
]
