"""Digit bindings: keys that make the server run a command on the call by itself. Layer: simulator.

Source: PROTOCOL 12 (bind_digit).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from relay_actors.protocol.readers import read_object, read_text, read_whole_number
from relay_actors.simulator.calls import Call, Params, Running
from relay_actors.simulator.replies import Failure, Reply, accepted, refused
from relay_actors.simulator.timers import Timer

__all__ = ["Binding", "DigitBindings", "Run"]

KEY = ("digit bindings",)

KEYS: Final = frozenset("0123456789*#ABCD")

NEXT_KEY_S: Final = 2.0
"""How long the next key is waited for, simulated, when what was pressed triggers one binding and may become another."""

Run = Callable[[Call, str, Params], Reply]
"""Carries out a command as if the owner of the leg had sent it."""


@dataclass(slots=True)
class Binding:
    """One sequence of keys and what it triggers.

    Attributes:
        triggers_left: how often it still does; None: there is no limit.
    """

    digits: str
    method: str
    params: dict[str, object]
    realm: str
    triggers_left: int | None


class DigitBindings(Running):
    """The bindings of one leg; kept among what runs on it, so that they hear its keys and end with it.

    All realms are bound at once: a realm is only a name under which bindings are cleared. Keys that are bound again in
    the same realm are bound anew; in two realms they trigger both. Of ``1`` and ``12`` the longer one is triggered if
    its keys follow within two seconds, or else the shorter one.
    """

    def __init__(self, call: Call, run: Run) -> None:
        self._call = call
        self._run = run
        self._bindings: list[Binding] = []
        self._keys = ""
        self._pending: list[Binding] = []
        self._keys_since = ""
        self._timer: Timer | None = None

    @classmethod
    def of(cls, call: Call, run: Run) -> DigitBindings:
        """Return the bindings of ``call``, made at the first time."""
        known = call.running.get(KEY)
        if isinstance(known, DigitBindings):
            return known
        made = call.running[KEY] = cls(call, run)
        return made

    @property
    def is_listening(self) -> bool:
        """Whether any key is bound."""
        return bool(self._bindings)

    def bind(self, params: Params) -> Reply:
        """Do ``calling.bind_digit``; ``max_triggers`` of 0 is no limit."""
        made = Binding(
            digits=read_text(params.get("digits")) or "",
            method=read_text(params.get("bind_method")) or "",
            params=read_object(params.get("params")) or {},
            realm=read_text(params.get("realm")) or "",
            triggers_left=read_whole_number(params.get("max_triggers")) or None,
        )
        if not made.digits or not KEYS.issuperset(made.digits):
            return refused("400", f"Only keys of a telephone can be bound, not {made.digits!r}")
        if made.triggers_left is not None and made.triggers_left < 0:
            return refused("400", f"A binding cannot trigger {made.triggers_left} times")
        self._bindings = [known for known in self._bindings if (known.digits, known.realm) != (made.digits, made.realm)]
        self._bindings.append(made)
        return accepted("Digit binding created", call_id=self._call.call_id)

    def clear(self, params: Params) -> Reply:
        """Do ``calling.clear_digit_bindings``: those of one realm, or all."""
        realm = read_text(params.get("realm"))
        self._bindings = [binding for binding in self._bindings if realm not in (None, binding.realm)]
        return accepted("Digit bindings cleared", call_id=self._call.call_id)

    def call_ends(self) -> None:
        """Bind nothing any more."""
        self._bindings.clear()
        self._stop_waiting()
        self._call.running.pop(KEY, None)

    def digit_pressed(self, digit: str) -> bool:
        """Trigger what ends with this key, at once unless it may become something longer."""
        if self._pending and not self._begins(self._keys + digit):
            return self._press_again(self._trigger() + digit)
        return self._take(digit)

    def _take(self, digit: str) -> bool:
        pressed = self._keys + digit
        self._keys = next((pressed[at:] for at in range(len(pressed)) if self._begins(pressed[at:])), "")
        if hits := self._hits():
            self._pending, self._keys_since = hits, ""
        elif self._pending:
            self._keys_since += digit
        if not self._pending:
            return False
        self._stop_waiting()
        if any(binding.digits.startswith(self._keys) and binding.digits != self._keys for binding in self._bindings):
            self._timer = self._call.world.after(NEXT_KEY_S, self._waited_long_enough)
        else:
            self._trigger()
        return True

    def _begins(self, keys: str) -> bool:
        """Whether these keys are bound, or may become so."""
        return any(binding.digits.startswith(keys) for binding in self._bindings)

    def _hits(self) -> list[Binding]:
        """Return the bindings that the last key completes: the longest ones, if there are several.

        While one waits to be triggered, only what its keys are the beginning of counts.
        """
        ends = [binding for binding in self._bindings if self._keys.endswith(binding.digits)]
        longest = len(self._keys) if self._pending else max((len(binding.digits) for binding in ends), default=0)
        return [binding for binding in ends if len(binding.digits) == longest]

    def _waited_long_enough(self) -> None:
        self._press_again(self._trigger())

    def _press_again(self, keys: str) -> bool:
        took = [self.digit_pressed(key) for key in keys]
        return any(took)

    def _trigger(self) -> str:
        """Trigger what waits for it, and return the keys that were pressed since and mean something else."""
        self._stop_waiting()
        hits, keys_since = self._pending, self._keys_since
        self._pending, self._keys, self._keys_since = [], "", ""
        for binding in hits:
            if binding not in self._bindings:
                continue  # cleared meanwhile
            if binding.triggers_left is not None:
                binding.triggers_left -= 1
                if binding.triggers_left == 0:
                    self._bindings.remove(binding)
            self._carry_out(binding)
        return keys_since

    def _carry_out(self, binding: Binding) -> None:
        """Run the command; nobody waits for its answer, so a refusal is told by ``calling.error``."""
        reply = self._run(self._call, binding.method, binding.params)
        if isinstance(reply, Failure):
            code, message = str(reply.code), reply.message
        elif not reply.is_success:
            code, message = str(reply.body.get("code")), str(reply.body.get("message"))
        else:
            return
        self._call.emit("calling.error", {"code": code, "message": f"{binding.method}: {message}"})

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
