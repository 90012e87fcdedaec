"""What follows an error, chosen by its class: pure. Layer: pillar. Source: SEMANTICS S12; Akka's directives."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from relay_actors.runtime.reasons import ExitReason

__all__ = ["Directive", "directive_for", "directives_problem"]


class Directive(StrEnum):
    """What a supervisor does about a child whose handler raised. Source: SEMANTICS S12, S13."""

    RESUME = "resume"
    """Go on with the same object: its state is kept, the message is gone. A start that failed is restarted."""
    RESTART = "restart"
    """What the child's restart type says."""
    STOP = "stop"
    """End it for good, whatever its restart type."""
    ESCALATE = "escalate"
    """End it, and fail the supervisor itself for the same reason."""


def directive_for(directives: Mapping[type[BaseException], Directive], reason: ExitReason) -> Directive:
    """Return what is said about the most specific class of what was raised; `Directive.RESTART` if nothing is."""
    if reason.cause is None or reason.kind not in ("error", "start_failed"):
        return Directive.RESTART
    for cls in type(reason.cause).__mro__:
        if cls in directives:
            chosen = Directive(directives[cls])
            is_resumed_start = chosen is Directive.RESUME and reason.kind == "start_failed"
            return Directive.RESTART if is_resumed_start else chosen
    return Directive.RESTART


def directives_problem(directives: object) -> str | None:
    """Return what ``directives`` must be and is not, for an error's text; None if it is."""
    if not isinstance(directives, Mapping):
        return "a mapping of exception classes to directives"
    for cls, directive in directives.items():
        if not (isinstance(cls, type) and issubclass(cls, BaseException)):
            return f"keyed by exception classes, and {cls!r} is none"
        if directive not in list(Directive):
            return f"made of {', '.join(Directive)}, and {directive!r} is none of these"
    return None
