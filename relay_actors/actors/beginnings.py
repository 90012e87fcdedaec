"""How the journal is told who has a call. Layer: hall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relay_actors.actors.course import Started
from relay_actors.actors.leg import Leg
from relay_actors.actors.packing import name_of, pack_data
from relay_actors.protocol.base import JsonObject

if TYPE_CHECKING:
    from relay_actors.actors.office import Office

__all__ = ["begun", "plain_data"]


def begun(leg: Leg, actor_class: type, office: Office) -> Started:
    """Return what the connection is to be told when an actor has been given a call, or is about to dial one."""
    course = leg.course
    course.seed = office.system.new_id()
    course.saved = data = plain_data(leg, actor_class, office)
    settings: JsonObject = {"seed": course.seed}
    if leg.dialling is not None:
        dial = leg.dialling.command.to_params()
        settings |= {"tag": leg.tag, "timeout_s": leg.dialling.timeout_s, "dial": dial, "cause": leg.cause}
    return Started(leg.subject, name_of(actor_class), leg.direction, data, settings)


def plain_data(leg: Leg, actor_class: type, office: Office) -> dict[str, object]:
    """Return the application's data of a call, as far as the journal can hold them; what it cannot is told of once."""
    plain, problems = pack_data(leg.data)
    for key, why in problems.items():
        office.doubts.look_at_data(actor_class.__name__, key, why)
    return plain
