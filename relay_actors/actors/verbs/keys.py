"""Verbs on keys: press them, and have the server listen to them. Layer: hall. Source: PROTOCOL 12."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay_actors.actors.verbs.base import CallVerbs
from relay_actors.actors.waits import Reply
from relay_actors.protocol.commands import BindDigit, ClearDigitBindings, SendDigits

__all__ = ["KeyVerbs"]


class KeyVerbs(CallVerbs):
    """Each sends one command and gives its `Reply`. To collect keys, see `MediaVerbs.collect`."""

    def send_digits(self, digits: str, *, control_id: str | None = None) -> Reply:
        """Press keys: ``0-9 * # A-D``, ``w`` and ``W`` for pauses of 0.5 s and 1 s.

        The reply says that they were accepted; `SendDigitsEvent` ``finished`` that the tones are over.

        Args:
            digits: which keys.
            control_id: goes with the event; chosen for you.
        """
        return self.perform(SendDigits(digits=digits, control_id=control_id))

    def bind_digit(
        self,
        digits: str,
        bind_method: str,
        *,
        bind_params: Mapping[str, object] | None = None,
        realm: str | None = None,
        max_triggers: int | None = None,
        **kwargs: Any,
    ) -> Reply:
        """Have the server do something by itself whenever these keys are pressed.

        What comes of it is told by the events of the bound method, with the ``control_id`` that ``bind_params`` name.

        Args:
            digits: which keys, for example ``*9``.
            bind_method: the wire method, for example ``calling.play``.
            bind_params: its params, without ``node_id`` and ``call_id``.
            realm: a name for several bindings, by which they can be cleared.
            max_triggers: how often; for ever by default.
            kwargs: further params.
        """
        return self.perform(
            BindDigit(
                digits=digits,
                bind_method=bind_method,
                bind_params=bind_params,
                realm=realm,
                max_triggers=max_triggers,
                extra=kwargs,
            )
        )

    def clear_digit_bindings(self, *, realm: str | None = None, **kwargs: Any) -> Reply:
        """Forget the bindings of ``realm``, or all of them.

        Args:
            realm: as `bind_digit` was told; all if left out.
            kwargs: further params.
        """
        return self.perform(ClearDigitBindings(realm=realm, extra=kwargs))
