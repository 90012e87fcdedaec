"""What an application's numbers are called and mean. Layer: hall."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from relay_actors.runtime.metrics import RUNTIME_METRICS, Metric

__all__ = ["METRICS"]

_TELEPHONY: Final[Mapping[str, Metric]] = {
    "calls.abandoned": Metric("counter", "Calls whose actor was given up."),
    "calls.declined": Metric("counter", "Inbound calls that were declined because the application drains."),
    "calls.late_legs": Metric("counter", "Legs of a dial that were answered or began to ring too late, and hung up."),
    "calls.lost": Metric("counter", "Calls and dials that ended because nothing could be heard of them any more."),
    "calls.passed": Metric("counter", "Inbound calls that were passed on because as many were up as may be."),
    "calls.received": Metric("counter", "Inbound calls that were given to an actor."),
    "calls.recovered": Metric("counter", "Calls that were taken up from the journal of a former process."),
    "calls.rejected": Metric("counter", "Inbound calls that were declined because no class could take them."),
    "calls.stalled": Metric("counter", "Commands of calls that took longer than stall_after_s."),
    "calls.up": Metric("gauge", "Calls that are up, dials included."),
    "commands.in_doubt": Metric("counter", "Commands of calls whose answer did not come in time, or was lost."),
    "commands.repeated": Metric("counter", "Commands in doubt that were sent once more."),
    "connection.lost": Metric("counter", "How often the connection was lost."),
    "connection.refused": Metric("counter", "How often the server refused the log in."),
    "connection.restored": Metric("counter", "How often the connection came back."),
    "connection.up": Metric("gauge", "1 while the application is logged in, else 0."),
    "dials.answered": Metric("counter", "Dials that somebody has answered."),
    "dials.failed": Metric("counter", "Dials that nobody has answered, by why.", "reason"),
    "dials.pending": Metric("gauge", "Dials that nobody has answered yet."),
    "dials.placed": Metric("counter", "Dials that were begun, be it that they had to wait for a connection."),
    "messages.lost": Metric("counter", "Texts of which nothing more was heard because their session was gone."),
    "messages.received": Metric("counter", "Inbound texts that were given to an actor."),
    "messages.unknown": Metric("counter", "Texts of which nobody knows whether they were sent."),
    "messages.unhandled": Metric("counter", "Inbound texts that no class could take."),
}

METRICS: Final[Mapping[str, Metric]] = dict(sorted({**RUNTIME_METRICS, **_TELEPHONY}.items()))
"""All numbers of an application, by the names that `RelayApp.metrics` gives them."""
