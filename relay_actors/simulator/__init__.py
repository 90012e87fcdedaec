"""The other end of the wire: a RELAY server with people on the phone."""

from relay_actors.simulator.agents import Turn
from relay_actors.simulator.crowds import Crowd
from relay_actors.simulator.lines import Line, StoryError
from relay_actors.simulator.links import LinkDriver
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.phones import Phone
from relay_actors.simulator.simulator import Simulator

__all__ = ["Crowd", "Line", "LinkDriver", "Manners", "Phone", "Simulator", "StoryError", "Turn"]
