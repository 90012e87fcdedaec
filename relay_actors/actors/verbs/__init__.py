"""The verbs of a call, by noun; defined once for all callers. Layer: hall."""

from __future__ import annotations

from relay_actors.actors.verbs.agents import AgentVerbs
from relay_actors.actors.verbs.calling import CallingVerbs
from relay_actors.actors.verbs.documents import DocumentVerbs
from relay_actors.actors.verbs.keys import KeyVerbs
from relay_actors.actors.verbs.media import MediaVerbs
from relay_actors.actors.verbs.rooms import RoomVerbs
from relay_actors.actors.verbs.sound import SoundVerbs
from relay_actors.actors.verbs.waiting import WaitingVerbs

__all__ = ["AllVerbs"]


class AllVerbs(CallingVerbs, KeyVerbs, MediaVerbs, SoundVerbs, DocumentVerbs, RoomVerbs, AgentVerbs, WaitingVerbs):
    """Every verb. A new group of verbs is one more base class here."""
