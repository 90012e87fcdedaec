"""Verbs on the call itself: answer, hang up, bridge, hand on, hold. Layer: hall. Source: PROTOCOL 8.8, 12."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay_actors.actors.actions import Action
from relay_actors.actors.orders import HangUpAfter, Perform
from relay_actors.actors.verbs.base import CallVerbs
from relay_actors.actors.waits import Reply
from relay_actors.errors import ArgumentError
from relay_actors.protocol.commands import (
    Answer,
    Connect,
    Disconnect,
    Hangup,
    Hold,
    Pass,
    Refer,
    Transfer,
    Unhold,
    UserEvent,
)
from relay_actors.protocol.devices import Devices
from relay_actors.protocol.media import MediaItems
from relay_actors.runtime.future import Future

__all__ = ["CallingVerbs"]


class CallingVerbs(CallVerbs):
    """Each sends one command and gives its `Reply`: accepted, not finished."""

    def answer(self, **kwargs: Any) -> Reply:
        """Answer an inbound call. One that is answered already stays so, and nothing is sent.

        The reply says that it was asked to be; `CallStateEvent` tells ``answered``.

        Args:
            kwargs: further params, for example ``max_duration`` in minutes.
        """
        return self.perform(Answer(extra=kwargs))

    def hangup(self, reason: str = "hangup", *, after: Action | Future[Any] | None = None) -> Reply:
        """Hang up, once: asked for again, it gives the result of the first time.

        It is seen to: when its answer is lost it is sent again, and when it is refused it is tried once more.
        `CallStateEvent` tells ``ending`` and then ``ended``.

        Args:
            reason: ``hangup``, ``cancel``, ``busy``, ``noAnswer``, ``decline`` or ``error``.
            after: an operation, or any future: hang up when it is over, however it ended. After an operation of this
                call it is done also if the process ends meanwhile, and the next one has the journal; after a future
                that a handler has, it is not: nobody has that any more.

        Raises:
            ArgumentError: ``after`` is nothing that is ever over.
        """
        command = Hangup(reason=reason)
        if after is None:
            return self.perform(command)
        if not hasattr(after, "add_done_callback"):  # that of another library will do: it says when it is over
            raise ArgumentError(
                f"hangup(after=…): give an operation, such as what play_tts(…) gives, or a future, not {after!r}"
            )
        reply = self._reply(command)
        order = Perform(command, reply)
        if isinstance(after, Action):
            self._post(HangUpAfter(order, after))
            after.on_done(lambda: self._post(order))
        else:
            self._post(HangUpAfter(order, None))
            if not reply.is_settled:  # it was refused to code that is closed
                after.add_done_callback(lambda _after: self._post(order))
        return reply

    def pass_(self) -> Reply:
        """Give an inbound call back to the server's routing, unanswered. This application hears no more of it."""
        return self.perform(Pass())

    def connect(
        self,
        devices: Devices,
        *,
        ringback: MediaItems | None = None,
        tag: str | None = None,
        max_duration: int | None = None,
        max_price_per_minute: float | None = None,
        status_url: str | None = None,
        **kwargs: Any,
    ) -> Reply:
        """Bridge the call to somebody else.

        The reply says that ringing began; `ConnectEvent` tells ``connected`` or ``failed``.

        Args:
            devices: tried one after the other; those of an inner list ring together. One alone needs no lists.
            ringback: media that the caller hears meanwhile.
            tag: correlates the new leg.
            max_duration: minutes (PROTOCOL D9).
            max_price_per_minute: limit of the price.
            status_url: where the server reports to.
            kwargs: further params.
        """
        return self.perform(
            Connect(
                devices=devices,
                ringback=ringback,
                tag=tag,
                max_duration=max_duration,
                max_price_per_minute=max_price_per_minute,
                status_url=status_url,
                extra=kwargs,
            )
        )

    def disconnect(self) -> Reply:
        """Take the bridge down; both legs live on. `ConnectEvent` tells ``disconnected`` when it is."""
        return self.perform(Disconnect())

    def transfer(self, dest: str, **kwargs: Any) -> Reply:
        """Hand the call on: to an SWML URL or text, or an application such as ``context:sales``.

        Once accepted the call is no longer ours: nothing hangs it up, and this actor stops.

        Args:
            dest: whither.
            kwargs: further params.
        """
        return self.perform(Transfer(dest=dest, extra=kwargs))

    def refer(self, device: Mapping[str, object], *, status_url: str | None = None, **kwargs: Any) -> Reply:
        """Have a SIP phone call somebody else in place of us.

        The reply says that it was asked to; `ReferEvent` tells ``inProgress``, and then ``success``, ``cancel``,
        ``busy``, ``noAnswer`` or ``error``. For calls from SIP phones only.

        Args:
            device: whom: ``{"type": "sip", "params": {"to": "sip:…"}}``, with ``username`` and ``password`` if needed.
            status_url: where the server reports to.
            kwargs: further params.
        """
        return self.perform(Refer(device=device, status_url=status_url, extra=kwargs))

    def hold(self) -> Reply:
        """Put the call on hold; `HoldEvent` tells when it is. Some servers refuse it (PROTOCOL 12)."""
        return self.perform(Hold())

    def unhold(self) -> Reply:
        """Take the call off hold; `HoldEvent` tells when it is. Some servers refuse it (PROTOCOL 12)."""
        return self.perform(Unhold())

    def user_event(self, *, event: object = None, **kwargs: Any) -> Reply:
        """Tell whoever else attends to the call something of the application's own.

        Args:
            event: its name, or a dictionary; sent as given (PROTOCOL D17).
            kwargs: what goes with it: ``user_event(event="order_placed", order_id="12345")``.
        """
        return self.perform(UserEvent(event=event, extra=kwargs))
