"""Snippets on the sound of a call as a whole: one for each verb of `actors/verbs/sound.py`, called at its name."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import DenoiseEvent, EchoEvent
from relay_actors.params import rtp, tap_audio

app = RelayApp()

HOTEL = "+15550100100"


@app.calls("tap")
class Supervised(CallActor):
    """Copies both directions to a supervisor's device while one sentence is said."""

    async def run(self) -> None:
        await self.answer()
        tap = await self.tap(tap_audio("both"), rtp("203.0.113.7", 4000))
        await self.play_tts("Somebody may be listening.").wait()
        await tap.stop()
        await tap.wait()
        await self.play_tts("Now nobody is.").wait()


@app.calls("stream")
class Analysed(CallActor):
    """Streams what the caller says to a WebSocket of ours."""

    async def run(self) -> None:
        await self.answer()
        stream = await self.stream("wss://media.example.com/calls", codec="PCMU", track="inbound_track")
        await self.play_tts("Please describe your problem.").wait()
        await stream.stop()
        await stream.wait()
        await self.play_tts("That is all we need.").wait()


@app.calls("transcribe")
class Minutes(CallActor):
    """Texts the caller where to read what was said."""

    async def run(self) -> None:
        await self.answer()
        minutes = await self.transcribe()
        await self.prompt_tts("Say what you like, then press pound.", {"digits": {"max": 1}}).wait()
        await minutes.stop()
        text = await minutes.wait()
        self.app.send_message(to_number=self.from_number, from_number=HOTEL, body=f"You said: {text.url}")


@app.calls("live_transcribe")
class Captions(CallActor):
    """Has what is said sent to a webhook, sentence by sentence."""

    async def run(self) -> None:
        await self.answer()
        await self.live_transcribe({"start": {"webhook": "https://example.com/captions", "lang": "en-US"}})
        await self.prompt_tts("Say what you like, then press pound.", {"digits": {"max": 1}}).wait()
        await self.live_transcribe({"stop": {}})
        await self.play_tts("Thank you.").wait()


@app.calls("live_translate")
class Interpreter(CallActor):
    """Has the call translated from English to German."""

    async def run(self) -> None:
        await self.answer()
        languages = {"from_lang": "en-US", "to_lang": "de-DE"}
        await self.live_translate({"start": {"webhook": "https://example.com/words", **languages}})
        await self.prompt_tts("Say what you like, then press pound.", {"digits": {"max": 1}}).wait()
        await self.live_translate({"stop": {}})
        await self.play_tts("Thank you.").wait()


@app.calls("denoise")
class Clear(CallActor):
    """Switches noise reduction on."""

    async def run(self) -> None:
        await self.answer()
        await self.denoise()
        await self.next(DenoiseEvent, where=lambda event: event.denoised)
        await self.play_tts("Now we hear you well.").wait()


@app.calls("denoise_stop")
class Concert(CallActor):
    """Switches noise reduction off again, so that music is not taken for noise."""

    async def run(self) -> None:
        await self.answer()
        await self.denoise()
        await self.denoise_stop()
        await self.next(DenoiseEvent, where=lambda event: not event.denoised)
        await self.play_tts("Please play your song.").wait()


@app.calls("echo")
class LineTest(CallActor):
    """Lets callers hear themselves for five seconds."""

    async def run(self) -> None:
        await self.answer()
        await self.play_tts("Say something.").wait()
        await self.echo(timeout=5)
        await self.next(EchoEvent, where=lambda event: event.state == "finished")
        await self.play_tts("The test is over.").wait()
