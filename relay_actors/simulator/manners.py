"""How the simulator behaves where RELAY leaves it open, or where servers are known to differ. Layer: simulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Manners"]


@dataclass(slots=True, kw_only=True)
class Manners:
    """Switches that may be turned at any time, also while calls run. Times are simulated seconds unless said otherwise.

    Source: PROTOCOL 2.5, 2.7, 9.2, 17, 19.1.
    """

    event_before_response: bool = False
    """The events that a command causes go out before its response, which a client must survive."""

    dial_event_first: bool = False
    """``calling.call.dial`` ``answered`` comes before the winner's own ``calling.call.state`` ``answered``."""

    losers_end_first: bool = False
    """Losing legs of a dial report their end before ``calling.call.dial`` ``answered``, not after it."""

    losers_answer_too: bool = False
    """Who loses a dial has picked up at the same moment: the leg is reported as answered before its end."""

    refusal: Literal["auth_required", "unauthorized"] = "auth_required"
    """How bad credentials are refused: -32401 of the vendor's test server, or -32002 of the real one."""

    violation_answer: Literal["error", "400"] = "error"
    """How a command that breaks the schema is answered: JSON-RPC error -32602, or result code ``"400"``."""

    accepts_unknown_methods: bool = False
    """Answer 200 to a method that nobody knows, as the vendor's test server does; otherwise -32601."""

    sends_authorization_state: bool = True
    """Send ``signalwire.authorization.state`` after each log-in."""

    ring_s: float = 30.0
    """How long a dialled device rings when the command does not say."""

    connect_ring_s: float = 60.0
    """The same for ``calling.connect``."""

    inbound_ring_s: float = 60.0
    """How long an inbound call waits for an answer before it ends with ``noAnswer``."""

    conference_events: Literal["every_member", "participant"] = "every_member"
    """Who hears of what happens in a conference, which no document says.

    ``every_member``: all members, each on its own leg, so that all their actors hear it; ``participant_call_id`` says
    whom it is about. ``participant``: only the member whom it is about, in just the words of the known frames: nobody
    hears of the others, and ``conference-end`` names no call.
    """
