"""`CallActor`: what a phone application is written with. Layer: hall. Source: DESIGN section 4."""

from __future__ import annotations

import logging
from typing import Any, ClassVar, Final

from relay_actors.actors.flow_leg import FlowLegActor
from relay_actors.actors.notices import ActionCompleted, CommandFailed, ConnectionLost, ConnectionRestored, DialFailed
from relay_actors.actors.office import App, Office
from relay_actors.actors.outbound_leg import OutboundLegActor
from relay_actors.protocol import checks
from relay_actors.protocol.events import RelayEvent
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.restart_policy import Restart

__all__ = ["CallActor", "GivenUpCall"]

_log = logging.getLogger("relay_actors.calls")

_HANDLERS: Final = ("on_receive", "on_start", "receive")
"""What a class can write a call in, beside ``run``."""


class GivenUpCall(OutboundLegActor):
    """Takes over a call whose actor has crashed too often: hangs it up, once, and waits for its end (SEMANTICS X7)."""

    def begin(self) -> None:
        """Hang up, unless somebody has; what the crashed one has not been told, nobody is told."""
        self.system.hooks.count("calls.abandoned")
        _log.error("call given up call_id=%s", self.leg.name)
        self.leave("error")


class CallActor(FlowLegActor):
    """One phone call. Subclass it, and either handle `on_receive`, or write the call top to bottom in `run`.

    ``on_receive(message)`` is given everything that happens to this call, one thing at a time: its typed events,
    `ActionCompleted`, `CommandFailed`, `ConnectionLost` and `ConnectionRestored`, timers, and whatever other actors
    tell. ``async def run(self)`` is the same call as a flow: its awaits suspend the flow, not the actor.

    When the handler or the flow crashes, the actor is restarted in place: the call stays up, running operations go on,
    `data` is kept, and a flow begins anew. When it crashes more than ``max_restarts`` times within ``within_s``
    seconds, the call is given up: hung up, once.
    """

    max_restarts: ClassVar[int] = 3
    within_s: ClassVar[float] = 60.0
    given_up_to: ClassVar[type[OutboundLegActor]] = GivenUpCall
    """Who takes over when the restarts are used up."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _check_restarts(cls)

    # -- what it knows -----------------------------------------------------------------------------------------------

    @property
    def app(self) -> App:
        """The application: ``self.app.dial(…)``, ``self.app.send_message(…)``, ``self.app.lookup(name)``."""
        return self.office.app

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose lines begin with the call."""
        return _CallLog(logging.getLogger(f"relay_actors.{type(self).__name__}"), {"call_id": self.leg.name})

    def label(self) -> str:
        """The call's id, for reports of the runtime; the tag of an outbound call before it has one."""
        return self.leg.name

    # -- what happens ------------------------------------------------------------------------------------------------

    def on_receive(self, message: object) -> Any:
        """Handle one message. Override it; for what you do not know, call ``super().on_receive(message)``."""
        match message:
            case CommandFailed(command=command, error=error):
                self.log.warning("command failed method=%s: %s", command.method, error)
            case DialFailed(error=error):
                self.log.info("dial failed: %s", error)
            case RelayEvent() | ActionCompleted() | ConnectionLost() | ConnectionRestored():
                self.log.debug("not handled: %s", message)
            case _:
                super().on_receive(message)

    @classmethod
    def says_what_to_do(cls) -> bool:
        """Whether the class has anything of its own that is run when a call comes in."""
        return cls.run is not None or any(getattr(cls, name) is not getattr(CallActor, name) for name in _HANDLERS)

    # -- machinery ---------------------------------------------------------------------------------------------------

    @classmethod
    def child_spec(cls, office: Office) -> ChildSpec:
        """How its supervisor treats a call of this class."""
        return ChildSpec(
            restart=Restart.TRANSIENT,
            max_restarts=cls.max_restarts,
            within_s=cls.within_s,
            successor=cls.given_up_to,
            keep_children=True,
            shutdown_s=office.timing.stop_timeout_s,
        )

    def begin(self) -> None:
        """Start an incarnation: the first one, or one after a crash."""
        super().begin()
        if self.leg.backlog:
            self.later(lambda actor: actor.hand_out())
        if not (self.leg.is_ended or self.leg.is_handed_on):
            self.begin_dial()
            self.start_flow()

    @property
    def _keeps_untaken(self) -> bool:
        return self.run is not None and type(self).on_receive is CallActor.on_receive


class _CallLog(logging.LoggerAdapter[logging.Logger]):
    """Begins each line with the call."""

    def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
        """Put the call in front."""
        return f"[{(self.extra or {}).get('call_id', '')}] {msg}", kwargs


def _check_restarts(cls: type[CallActor]) -> None:
    """Check how often a class is restarted, and who comes then.

    Raises:
        TypeError: one of the class's attributes is not what it has to be.
    """
    within_s, successor = cls.within_s, cls.given_up_to
    is_time = isinstance(within_s, int | float) and not isinstance(within_s, bool) and within_s > 0
    is_successor = successor is None or (isinstance(successor, type) and issubclass(successor, OutboundLegActor))
    must_be = {
        "max_restarts": checks.whole_number(cls.max_restarts),
        "within_s": None if is_time else "a number of seconds, above 0",
        "given_up_to": None if is_successor else "GivenUpCall, a subclass of it, or one of CallActor",
    }
    for name, problem in must_be.items():
        if problem is not None:
            raise TypeError(f"{cls.__name__}.{name} must be {problem}, not {getattr(cls, name)!r}")
