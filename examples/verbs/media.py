"""Snippets on what is heard and understood: one for each verb of `actors/verbs/media.py`.

Classes are called at the context of their verb's name; functions call out, and use the verb on the handle of the call.
"""

from relay_actors import CallActor, RelayApp
from relay_actors.events import DetectEvent
from relay_actors.params import audio, digits, phone, silence, speech, tts

app = RelayApp()

HOTEL = "+15550100100"


@app.calls("play")
class Welcome(CallActor):
    """Plays a jingle between two sentences, a little quieter than usual."""

    async def run(self) -> None:
        await self.answer()
        jingle = [tts("Welcome."), silence(0.5), audio("https://example.com/jingle.mp3"), tts("Good to hear you.")]
        await self.play(jingle, volume=-3).wait()


@app.calls("play_tts")
class Closed(CallActor):
    """Says one sentence. Leaving `run` hangs up."""

    async def run(self) -> None:
        await self.answer()
        await self.play_tts("We are closed. Please call tomorrow.", language="en-US").wait()


@app.calls("play_audio")
class Music(CallActor):
    """Plays a file, paused and resumed by the key 5."""

    async def run(self) -> None:
        await self.answer()
        music = self.play_audio("https://example.com/music.mp3", volume=-6)
        await self.detect_digit(digits="5").wait()
        await music.pause()
        await self.detect_digit(digits="5").wait()
        await music.resume()
        await music.wait()


@app.calls("play_silence")
class Pause(CallActor):
    """Is silent for a second between two sentences."""

    async def run(self) -> None:
        await self.answer()
        await self.play_tts("Guess who this is.").wait()
        await self.play_silence(1).wait()
        await self.play_tts("It is the Harbour Hotel.").wait()


@app.calls("play_ringtone")
class Ringing(CallActor):
    """Lets callers hear it ring, although the call is answered."""

    async def run(self) -> None:
        await self.answer()
        await self.play_ringtone("us", duration=4).wait()
        await self.play_tts("Nobody is at the desk.").wait()


@app.calls("prompt_tts")
class Menu(CallActor):
    """Asks a question, and takes one key."""

    async def run(self) -> None:
        await self.answer()
        pressed = await self.prompt_tts("For breakfast press 1, for the desk press 2.", digits(max=1)).wait()
        match pressed.digits:
            case "1":
                await self.play_tts("Breakfast is from 7 to 10.").wait()
            case "2":
                await self.transfer("context:desk")


@app.calls("prompt_audio")
class RoomNumber(CallActor):
    """Plays a recorded question, and takes a number that ends with pound."""

    async def run(self) -> None:
        await self.answer()
        question = "https://example.com/room-number.mp3"
        entered = await self.prompt_audio(question, digits(max=4, terminators="#")).wait()
        await self.play_tts(f"You are in room {entered.digits}.").wait()


@app.calls("play_and_collect")
class Departments(CallActor):
    """Takes the answer as a key or as a word, whichever comes first."""

    async def run(self) -> None:
        await self.answer()
        question = [audio("https://example.com/jingle.mp3"), tts("Press 1 or say sales.")]
        wanted = digits(max=1) | speech(hints=["sales"]) | {"initial_timeout": 8.0}
        answer = await self.play_and_collect(question, wanted).wait()
        if answer.digits == "1" or answer.speech == "sales":
            await self.play_tts("This is sales.").wait()


@app.calls("collect")
class Code(CallActor):
    """Takes four keys without a question of its own: somebody else has asked."""

    async def run(self) -> None:
        await self.answer()
        entered = await self.collect(digits={"max": 4}, initial_timeout=10).wait()
        is_right = entered.digits == "4711"
        await self.play_tts("Come in." if is_right else "That is not the code.").wait()


@app.calls("record")
class Voicemail(CallActor):
    """Records until pound, two seconds of silence, or the end of the call."""

    async def run(self) -> None:
        await self.answer()
        message = await self.record({"beep": True, "terminators": "#", "end_silence_timeout": 2.0}).wait()
        self.data["url"] = message.url
        await self.play_tts(f"You have spoken for {message.duration:.0f} seconds.").wait()


@app.calls("detect")
class NoRobots(CallActor):
    """Hangs up on callers that are no people."""

    async def run(self) -> None:
        await self.answer()
        found = await self.detect({"type": "machine", "params": {"initial_timeout": 2.0}}, timeout=10).wait()
        if found.verdict == "HUMAN":
            await self.play_tts("Nice to hear a human voice.").wait()


def detect_answering_machine(number: str) -> str:
    """Call a number, and return who has answered there: ``HUMAN``, ``MACHINE`` or ``UNKNOWN``."""
    call = app.dial(CallActor, phone(to=number, from_=HOTEL))
    call.wait_for_answered(timeout=30).get()
    found: DetectEvent = call.detect_answering_machine(timeout=10).wait().get()
    call.hangup()
    return found.verdict


@app.calls("detect_digit")
class LongStory(CallActor):
    """Tells a story that can be skipped by star; all other keys are ignored."""

    async def run(self) -> None:
        await self.answer()
        story = self.play_tts("Press star to skip the history of our house. It was built in 1723.")
        await self.detect_digit(digits="*", timeout=30).wait()
        await story.stop()
        await self.play_tts("Let us come to the point.").wait()


def detect_fax(number: str) -> bool:
    """Call a number, and return whether a fax machine whistles there."""
    call = app.dial(CallActor, phone(to=number, from_=HOTEL))
    call.wait_for_answered(timeout=30).get()
    found: DetectEvent = call.detect_fax(tone="CED", timeout=10).wait().get()
    call.hangup()
    return found.verdict == "CED"
