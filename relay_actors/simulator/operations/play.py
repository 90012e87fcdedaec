"""Playing media to the person on the line. Layer: simulator. Source: PROTOCOL 11.1."""

from __future__ import annotations

from collections.abc import Callable

from relay_actors.protocol.readers import read_whole_number
from relay_actors.simulator.calls import Call
from relay_actors.simulator.operations.base import Operation
from relay_actors.simulator.sounds import Sound, UnplayableError, sounds_of
from relay_actors.simulator.tapes import HEARD
from relay_actors.simulator.timers import Timer

__all__ = ["Play", "Player"]


class Player:
    """Plays sounds one after the other, and can be paused within one. It sends no events.

    Args:
        call: who hears them.
        sounds: at least one.
        loops: how often; 0 is for ever.
        at_end: called when the last one is over, but not after `stop`.
    """

    def __init__(self, call: Call, sounds: list[Sound], *, loops: int = 1, at_end: Callable[[], None]) -> None:
        self._call = call
        self._sounds = sounds
        self._loops_left = loops if loops > 0 else None
        self._at_end = at_end
        self._place = 0
        self._timer: Timer | None = None
        self._left_s = 0.0
        self.is_playing = False
        self.is_paused = False

    def start(self) -> None:
        """Begin with the first sound."""
        self.is_playing = True
        self._play_next()

    def stop(self) -> None:
        """Fall silent for good. Idempotent."""
        if self.is_playing and not self.is_paused:
            self._call.tape.cut(self._sounds[self._place])
        self.is_playing = False
        if self._timer is not None:
            self._timer.cancel()

    def pause(self) -> bool:
        """Fall silent for now; return whether there was something to pause."""
        if not self.is_playing or self.is_paused or self._timer is None:
            return False
        self.is_paused = True
        self._timer.cancel()
        world = self._call.world
        self._left_s = max(0.0, self._timer.due - world.now()) / world.pace
        self._call.tape.cut(self._sounds[self._place])
        return True

    def resume(self) -> bool:
        """Go on where it was paused; return whether it was."""
        if not self.is_paused:
            return False
        self.is_paused = False
        sound = self._sounds[self._place]
        self._call.tape.note(HEARD, sound, skipped_s=sound.length_s - self._left_s)
        self._timer = self._call.world.after(self._left_s, self._sound_is_over)
        return True

    def _play_next(self) -> None:
        sound = self._sounds[self._place]
        self._call.hear(sound)
        self._timer = self._call.world.after(sound.length_s, self._sound_is_over)

    def _sound_is_over(self) -> None:
        self._place += 1
        if self._place == len(self._sounds):
            self._place = 0
            if self._loops_left is not None:
                self._loops_left -= 1
                if not self._loops_left:
                    self.is_playing = False
                    self._at_end()
                    return
        self._play_next()


class Play(Operation):
    """``calling.play``: playing, perhaps paused and playing again, then finished or error."""

    event_type = "calling.call.play"
    started_message = "Playing"

    _player: Player | None = None

    def start(self) -> dict[str, object]:
        """Play, or fail at once if the media make no sense."""
        try:
            sounds = sounds_of(self.params.get("play"))
        except UnplayableError:
            self.finish(state="error")
            return {}
        loops = read_whole_number(self.params.get("loop"))
        self._player = Player(self.call, sounds, loops=1 if loops is None else loops, at_end=self.stop)
        self.report(state="playing")
        self._player.start()
        return {}

    def stop(self) -> None:
        """Fall silent and report ``finished``, also when the call ends."""
        if self._player is not None:
            self._player.stop()
        self.finish(state="finished")

    def pause(self) -> None:
        """Report ``paused``, once."""
        if self._player is not None and self._player.pause():
            self.report(state="paused")

    def resume(self) -> None:
        """Report ``playing``, if it was paused."""
        if self._player is not None and self._player.resume():
            self.report(state="playing")
