"""A script that calls one number and says something. It directs the call from its own thread, by a handle."""

import os

from relay_actors import CallActor, RelayApp
from relay_actors.errors import DialFailedError
from relay_actors.params import phone

app = RelayApp()

OFFICE = "+15550100100"


class Announcement(CallActor):
    """The call. It does nothing by itself: the handle tells it what to do."""


def announce(number: str, text: str) -> str:
    """Call ``number``, say ``text``, hang up; return how it went. Waits, so any thread but those of actors."""
    call = app.dial(Announcement, phone(to=number, from_=OFFICE, timeout=25))
    try:
        call.wait_for_answered().get(timeout=30)
    except DialFailedError:
        return f"not reached: {call.end_reason}"
    call.play_tts(text).wait(timeout=60).get()
    call.hangup().get(timeout=10)
    call.wait_for_ended().get(timeout=10)
    return f"told: {call.end_reason}"


if __name__ == "__main__":
    with app:
        print(announce(os.environ["NUMBER"], "Welcome to the Harbour Museum!"))
