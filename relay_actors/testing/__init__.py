"""Test a phone application by the people who call it, or one of its actors alone. Layer: door.

The fixtures ``relay_app``, ``phone``, ``relay_sim`` and ``relay_clock`` come with pytest's plugin
`relay_actors.testing.plugin`, which pytest finds by itself where this package is installed. The names here are for
annotations, and for other test runners::

    def test_sales_is_reached(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None: ...
"""

from relay_actors.simulator.crowds import Crowd
from relay_actors.simulator.lines import Line, StoryError
from relay_actors.simulator.phones import Phone
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from relay_actors.testing.app_runner import AppRunner
from relay_actors.testing.bench import RelayClock
from relay_actors.testing.call_kit import CallKit
from relay_actors.testing.lab import Lab
from relay_actors.testing.leaks import no_leaks
from relay_actors.testing.phone_maker import PhoneMaker
from relay_actors.testing.probe import TestProbe
from relay_actors.testing.recording import Recording
from relay_actors.testing.replaying import Difference, Replayed, replay, replays
from relay_actors.testing.said import Said
from relay_actors.testing.text_kit import TextKit
from relay_actors.testing.timeline import Timeline, TimelineEntry

__all__ = [
    "AppRunner",
    "CallKit",
    "Crowd",
    "Difference",
    "Lab",
    "Line",
    "Phone",
    "PhoneMaker",
    "Recording",
    "RelayClock",
    "Replayed",
    "Said",
    "Simulator",
    "SimulatorServer",
    "StoryError",
    "TestProbe",
    "TextKit",
    "Timeline",
    "TimelineEntry",
    "no_leaks",
    "replay",
    "replays",
]
