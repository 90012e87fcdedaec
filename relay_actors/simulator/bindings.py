"""Digit bindings: keys that make the server run a command on the call by itself. Layer: simulator.

Source: PROTOCOL 12 (bind_digit).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from relay_actors.protocol.readers import read_object, read_text, read_whole_number
from relay_actors.simulator.calls import Call, Params
from relay_actors.simulator.replies import Reply, accepted

__all__ = ["Binding", "DigitBindings"]

KEY = "digit bindings"


@dataclass(slots=True)
class Binding:
    """One sequence of keys and what it triggers."""

    digits: str
    method: str
    params: dict[str, object]
    realm: str
    triggers_left: int | None


class DigitBindings:
    """The bindings of one leg; kept among what runs on it, so that they hear its keys and end with it."""

    is_listening = True

    def __init__(self, call: Call, run: Callable[[Call, str, Params], Reply]) -> None:
        self._call = call
        self._run = run
        self._bindings: list[Binding] = []
        self._pressed = ""

    @classmethod
    def of(cls, call: Call, run: Callable[[Call, str, Params], Reply]) -> DigitBindings:
        """Return the bindings of ``call``, made at the first time.

        Args:
            call: the leg.
            run: carries out a command as if the owner of the leg had sent it.
        """
        known = call.running.get(KEY)
        if isinstance(known, DigitBindings):
            return known
        made = call.running[KEY] = cls(call, run)
        return made

    def bind(self, params: Params) -> Reply:
        """Do ``calling.bind_digit``."""
        self._bindings.append(
            Binding(
                digits=read_text(params.get("digits")) or "",
                method=read_text(params.get("bind_method")) or "",
                params=read_object(params.get("params")) or {},
                realm=read_text(params.get("realm")) or "",
                triggers_left=read_whole_number(params.get("max_triggers")),
            )
        )
        return accepted("Digit binding created", call_id=self._call.call_id)

    def clear(self, params: Params) -> Reply:
        """Do ``calling.clear_digit_bindings``: those of one realm, or all."""
        realm = read_text(params.get("realm"))
        self._bindings = [binding for binding in self._bindings if realm not in (None, binding.realm)]
        return accepted("Digit bindings cleared", call_id=self._call.call_id)

    def call_ends(self) -> None:
        """Bind nothing any more."""
        self._bindings.clear()
        self._call.running.pop(KEY, None)

    def digit_pressed(self, digit: str) -> bool:
        """Trigger what ends with this key."""
        self._pressed = (self._pressed + digit)[-32:]
        hits = [binding for binding in self._bindings if binding.digits and self._pressed.endswith(binding.digits)]
        if hits:
            self._pressed = ""
        for binding in hits:
            if binding.triggers_left is not None:
                binding.triggers_left -= 1
                if binding.triggers_left <= 0:
                    self._bindings.remove(binding)
            self._run(self._call, binding.method, binding.params)
        return bool(hits)

    def words_said(self, words: str, confidence: float) -> bool:
        """Let words pass."""
        return False
