"""Turns as spans of OpenTelemetry. Layer: pillar. The only file that knows ``opentelemetry``; it is optional.

The span of the sender's turn is the parent of the receiver's, so that a trace goes on from an event of the wire to the
call's actor, to whom that tells something, and to the connection with the command that comes of it. Who sends from
outside of all actors, with a span of their own, is the parent in the same way. A start, and a flow on a thread of
its own, are no messages: what is sent there belongs to the span in which they were begun. Source: SEMANTICS O2.
"""

from __future__ import annotations

from typing import Any

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider

from relay_actors._version import __version__
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.inspection import label_of, name_of_message
from relay_actors.runtime.mailbox import Envelope
from relay_actors.runtime.reasons import ExitReason

__all__ = ["Spans"]


class Spans:
    """An observer that makes a span of each message's handling.

    Its attributes name the actor and the type of the message, and of an error the type: never what they say.

    Args:
        provider: of the tracer; by default the one that OpenTelemetry is set to.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("relay_actors", __version__, provider)

    def on_sent(self, cell: Cell, message: object) -> None:
        """Sending is no span of its own."""

    def capture(self) -> object:
        """Return the present context, if a span is in it: the sender's turn, or what somebody outside is doing."""
        context = contexts.get_current()
        return context if trace.get_current_span(context).get_span_context().is_valid else None

    def on_handling(self, cell: Cell, envelope: Envelope) -> tuple[Span, Any]:
        """Begin a span, and make it the present one of this thread."""
        parent = getattr(envelope, "carried", None)
        context = parent if isinstance(parent, Context) else Context()
        name, message = cell.actor_class.__name__, name_of_message(envelope.message)
        attributes: dict[str, str | int] = {
            "relay_actors.actor": repr(cell),
            "relay_actors.actor_class": name,
            "relay_actors.incarnation": cell.incarnation,
            "relay_actors.message": message,
        }
        label = label_of(cell)
        if label:
            attributes["relay_actors.label"] = label
        span = self._tracer.start_span(f"{name} {message}", context, SpanKind.CONSUMER, attributes)
        return span, contexts.attach(trace.set_span_in_context(span, context))

    def on_handled(
        self, cell: Cell, envelope: Envelope, begun: tuple[Span, Any] | None, took_s: float, error: BaseException | None
    ) -> None:
        """End the span."""
        if begun is None:
            return
        span, token = begun
        contexts.detach(token)
        if error is not None:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR, type(error).__name__)
        span.end()

    def on_ended(self, cell: Cell, reason: ExitReason) -> None:
        """An end is no span of its own."""
