"""What is switched on and off on a leg: hold and denoise. Layer: simulator. Source: PROTOCOL 12.

A command that asks for what is already so is accepted, and its event is sent again: whoever repeats a command after a
crash gets the answer that it waits for.
"""

from __future__ import annotations

from relay_actors.simulator.calls import Call, Params, Running
from relay_actors.simulator.conference import Participation
from relay_actors.simulator.operations.play import Player
from relay_actors.simulator.replies import Reply, accepted
from relay_actors.simulator.sounds import music

__all__ = ["Hold", "denoise", "hold", "stop_denoising", "unhold"]

KEY = ("on hold",)


class Hold(Running):
    """The music that a person on hold hears; kept among what runs on the leg, so that it ends with it."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._music = Player(call, [music("hold")], loops=0, at_end=self.stop)
        call.running[KEY] = self
        call.is_on_hold = True
        self._music.start()

    def stop(self) -> None:
        """Fall silent: the person hears the others again."""
        self._music.stop()
        self._call.is_on_hold = False
        self._call.running.pop(KEY, None)

    def call_ends(self) -> None:
        """Fall silent."""
        self.stop()


def hold(call: Call, _params: Params) -> Reply:
    """Do ``calling.hold``: music for the person, silence for whoever talked to them."""
    if not call.is_on_hold:
        Hold(call)
        _tell(call, "on hold")
    call.emit("calling.call.hold", {"state": "hold"})
    _tell_conferences(call)
    return accepted("Call on hold", call_id=call.call_id)


def unhold(call: Call, _params: Params) -> Reply:
    """Do ``calling.unhold``."""
    held = call.running.get(KEY)
    if isinstance(held, Hold):
        held.stop()
        _tell(call, "off hold")
    call.emit("calling.call.hold", {"state": "unhold"})
    _tell_conferences(call)
    return accepted("Call off hold", call_id=call.call_id)


def denoise(call: Call, _params: Params) -> Reply:
    """Do ``calling.denoise``. Words are understood as well before as after: only the switch is simulated."""
    return _switch_denoiser(call, is_on=True)


def stop_denoising(call: Call, _params: Params) -> Reply:
    """Do ``calling.denoise.stop``."""
    return _switch_denoiser(call, is_on=False)


def _switch_denoiser(call: Call, *, is_on: bool) -> Reply:
    call.is_denoised = is_on
    call.emit("calling.call.denoise", {"denoised": is_on})
    return accepted("Denoiser on" if is_on else "Denoiser off", call_id=call.call_id)


def _tell_conferences(call: Call) -> None:
    for running in list(call.running.values()):
        if isinstance(running, Participation):
            running.hold_changed()


def _tell(call: Call, what: str) -> None:
    if call.ear is not None:
        call.ear.on_change(what)
