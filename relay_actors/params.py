"""The window on what builds the dictionaries of RELAY, for people who do not like to write them by hand.

Each gives a plain dictionary; wherever one is taken, a dictionary of your own is taken as well, flat or nested::

    self.prompt_tts("Your order number?", digits(max=6, terminators="#") | speech())
    self.connect(phone(to="+15550100101", timeout=20))
    self.play([tts("One moment."), silence(0.5), ringtone("us", duration=4)])
    self.record(recording(beep=True, end_silence_timeout=2))

They are defined in `relay_actors.protocol.media`, `relay_actors.protocol.inputs` and `relay_actors.protocol.devices`.
"""

from __future__ import annotations

from relay_actors.protocol.devices import phone, rtp, sip, tap_audio, websocket
from relay_actors.protocol.inputs import digits, speech
from relay_actors.protocol.media import audio, recording, ringtone, silence, tts

__all__ = [
    "audio",
    "digits",
    "phone",
    "recording",
    "ringtone",
    "rtp",
    "silence",
    "sip",
    "speech",
    "tap_audio",
    "tts",
    "websocket",
]
