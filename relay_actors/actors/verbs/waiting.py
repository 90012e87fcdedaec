"""Verbs that wait: for an event, or for a state, which is a level and not an edge. Layer: hall.

Source: PROTOCOL 8.4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from relay_actors.actors.leg import Listener
from relay_actors.actors.orders import Listen
from relay_actors.actors.verbs.base import CallVerbs
from relay_actors.actors.waits import Wait
from relay_actors.protocol.constants import EVENT_CALL_STATE
from relay_actors.protocol.events import EVENT_CLASS_MAP, CallStateEvent, RelayEvent
from relay_actors.protocol.states import CallState
from relay_actors.runtime.context import here
from relay_actors.runtime.future import of_code

__all__ = ["WaitingVerbs"]


class WaitingVerbs(CallVerbs):
    """Time-outs are in seconds; None waits as long as the call lives. A time-out is a `TimeoutError` in the wait."""

    def on(self, event_type: str, handler: Listener) -> None:
        """Have ``handler(event)`` called with every event of a type, in the call's turn.

        It may be a coroutine function, and several may listen to the same type. What one raises is logged, and
        harms neither the others nor the call.

        Args:
            event_type: for example ``calling.call.play``.
            handler: called with the event.

        Raises:
            TypeError: ``event_type`` is no text, or ``handler`` cannot be called.
        """
        _check_type("on", event_type)
        if not callable(handler):
            raise TypeError(f"on({event_type!r}, …): the handler must be a function of the event, not {handler!r}")
        # A call's own listeners end with their incarnation; of others it is told once by the code that goes on.
        self._post(Listen(event_type, handler if here.turn is self.runs_as else of_code(handler)))

    def wait_for(
        self,
        event_type: str,
        predicate: Callable[[RelayEvent], bool] | None = None,
        timeout: float | None = None,
    ) -> Wait[RelayEvent]:
        """Wait for the next event of a type for which ``predicate`` is true.

        The event of a state does not come twice: if ``predicate`` is true of the present one, the wait is over at once.

        Args:
            event_type: for example ``calling.call.play``.
            predicate: called with each event of the type; every one will do if there is none.
            timeout: seconds.

        Raises:
            TypeError: ``event_type`` is no text.
        """
        _check_type("wait_for", event_type)

        def accepts(event: RelayEvent) -> bool:
            return event.event_type == event_type and (predicate is None or predicate(event))

        level = predicate if event_type == EVENT_CALL_STATE else None
        return self._wait(accepts, timeout, f"event {event_type}", event_type=event_type, accepts_state=level)

    def wait_for_ringing(self, timeout: float | None = None) -> Wait[CallStateEvent]:
        """Wait until the call rings; at once if it does, or is past that.

        Args:
            timeout: seconds.
        """
        return self._wait_for_state(CallState.RINGING, timeout)

    def wait_for_answered(self, timeout: float | None = None) -> Wait[CallStateEvent]:
        """Wait until the call is answered; at once if it is, or is past that: look at the event's ``call_state``.

        Args:
            timeout: seconds.
        """
        return self._wait_for_state(CallState.ANSWERED, timeout)

    def wait_for_ending(self, timeout: float | None = None) -> Wait[CallStateEvent]:
        """Wait until the call begins to end; at once if it does, or has ended.

        Args:
            timeout: seconds.
        """
        return self._wait_for_state(CallState.ENDING, timeout)

    def wait_for_ended(self, timeout: float | None = None) -> Wait[CallStateEvent]:
        """Wait until the call has ended; at once if it has.

        A flow of that call that has awaited it is not raised `CallEnded` as well: it goes on with what is to be done
        after the call, for ``Timing.wrap_up_s`` at most.

        Args:
            timeout: seconds.
        """
        return self._wait_for_state(CallState.ENDED, timeout)

    def _wait_for_state(self, state: str, timeout_s: float | None) -> Wait[CallStateEvent]:
        return cast("Wait[CallStateEvent]", self._wait(state, timeout_s, f"state {state}", state=state))


def _check_type(verb: str, event_type: object) -> None:
    """Check that an event type is given as text.

    Raises:
        TypeError: it is not.
    """
    if isinstance(event_type, str):
        return
    of_class = next((name for name, event_class in EVENT_CLASS_MAP.items() if event_class is event_type), "")
    given = event_type.__name__ if isinstance(event_type, type) else repr(event_type)
    text = f'{verb}({given}, …): write the type of the event as text, "{of_class or "calling.call.play"}"'
    raise TypeError(f"{text}; what takes a class is next({given}), in a flow" if of_class else text)
