"""An application in whose calls nothing is left to chance: `tests.mutants.models` says what each caller is to hear.

What it notes outside of its calls, as a database would, is in `NOTES`, which outlives the death of the process.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from relay_actors import (
    ActionCompleted,
    Actor,
    Apologise,
    CallActor,
    DialFailed,
    Limits,
    MessageActor,
    PlayAction,
    RelayApp,
)
from relay_actors.errors import CallEnded, RelayActorsError
from relay_actors.events import (
    CallReceiveEvent,
    CallStateEvent,
    CollectEvent,
    ConnectEvent,
    MessageReceiveEvent,
    PlayEvent,
    RecordEvent,
)
from relay_actors.params import digits, phone

__all__ = ["CENTRE", "NOTES", "Told", "app"]

CENTRE = "+15550100001"
"""Who sends the application's texts."""

ONE_KEY = digits(max=1) | {"initial_timeout": 5.0}

NOTES: dict[str, list[Any]] = defaultdict(list)
"""By what it is about: what the application has done outside of its calls, in order."""

app = RelayApp(journal="mutants.db", limits=Limits(journal_entries_per_call=12))  # so that pasts are summed up


@dataclass(frozen=True)
class Told:
    """What the actor of a dialled call tells the one of the caller."""

    words: str


class Scene(CallActor):
    """One call; notes in which states its actor has seen it."""

    def on_receive(self, message: object) -> Any:
        match message:
            case CallStateEvent(call_state=state):
                NOTES[f"states {self.call_id}"].append(state)
        return super().on_receive(message)

    async def run(self) -> None:
        with contextlib.suppress(CallEnded):
            await self.story()
        NOTES[f"left {self.call_id}"].append(self.system.clock.now())

    async def story(self) -> None:
        """Be what the scene is about."""

    async def ask(self, words: str) -> str:
        """Return the key that is pressed, or ``nothing``."""
        return (await self.prompt_tts(words, ONE_KEY).wait()).digits or "nothing"

    async def say(self, words: str) -> None:
        """Return when it has been heard."""
        await self.play_tts(words).wait()


@app.calls("menu")
class Menu(Scene):
    """Three questions."""

    async def story(self) -> None:
        await self.answer()
        await self.wait_for_answered(timeout=5.0)  # it is so already, or will be: a state is a level
        for number in (1, 2, 3):
            key = await self.ask(f"Question {number}?")
            await self.say(f"You pressed {key}.")
        await self.wait_for_answered(timeout=5.0)
        await self.say("Goodbye.")


@app.calls("handler")
class Handler(CallActor):
    """The same, message by message. Where it is stands in its data."""

    def on_receive(self, message: object) -> Any:
        match message:
            case CallReceiveEvent():
                self.data["number"] = 0
                self.answer()
            case CallStateEvent(call_state=state):
                NOTES[f"states {self.call_id}"].append(state)
                if state == "answered":
                    self.ask()
                elif state == "ended":
                    self.start_timer("late", "too late", 0.5)
            case PlayEvent(control_id=control_id, state=state):
                NOTES[f"played {control_id} {state}"].append(self.call_id)
            case "too late":
                self.play_tts("Too late.")  # nobody is there, and nobody is asked to play it
            case ActionCompleted(action=action) if self.is_ended:
                NOTES[f"completed {action.control_id}"].append("at the end")
            case ActionCompleted(action=action, event=event):
                NOTES[f"completed {action.control_id}"].append(action.state)
                self.go_on(getattr(event, "digits", "") or "nothing")
            case _:
                return super().on_receive(message)
        return None

    @property
    def is_ended(self) -> bool:
        return self.state in ("ending", "ended")

    def ask(self) -> None:
        self.data["number"] += 1
        self.data["asks"] = True
        self.prompt_tts(f"Question {self.data['number']}?", ONE_KEY)

    def go_on(self, key: str) -> None:
        if self.data["asks"]:
            self.data["asks"] = False
            self.play_tts(f"You pressed {key}.")
        elif self.data["number"] < 3:
            self.ask()
        elif self.data["number"] == 3:
            self.data["number"] = 4
            self.play_tts("Goodbye.")
        else:
            self.hangup()


@app.calls("levels")
class Levels(Scene):
    """A helper follows the call, and a state that is reached already is no wait."""

    async def story(self) -> None:
        self.helper = self.spawn(Helper, self.call_id)
        await self.answer()
        await self.say("One moment.")
        await self.sleep(1.0)
        for word in ("one", "two", "three"):
            self.helper.tell(word)
        words = await self.helper.ask("what?", block=False)
        await self.say(f"The helper has {words}.")
        with contextlib.suppress(RelayActorsError):  # after a loss nobody knows whether they were pressed
            await self.send_digits("12")
        self.helper.stop(block=False)
        self.helper.tell_if_alive("too late")
        await self.say("Goodbye.")


@app.calls("counting")
class Counting(Scene):
    """Says one thing after the other, and waits for none of them: what is lost on its way is not overtaken."""

    async def story(self) -> None:
        await self.answer()
        said = []
        for number in (1, 2, 3, 4, 5):
            said.append(self.play_tts(f"Number {number}."))
            await self.sleep(0.5)
        for one in said:
            await one.wait()
        await self.say("Goodbye.")


@app.calls("holding")
class Holding(Scene):
    """Waits for what never comes, until the caller has had enough of it."""

    async def story(self) -> None:
        await self.answer()
        await self.say("Hold on.")
        await self.wait_for("calling.call.fax")


class Helper(Actor):
    """A child of a call."""

    def __init__(self, call_id: str) -> None:
        super().__init__()
        self.call_id = call_id
        self.words: list[str] = []

    def on_receive(self, message: object) -> Any:
        if message == "what?":
            return " ".join(self.words)
        self.words.append(str(message))
        return None


class AskedForError(RuntimeError):
    """A crash that somebody has asked for."""


@app.calls("crashing")
class Crashing(CallActor):
    """Crashes whenever 1 is pressed; twice is allowed."""

    max_restarts = 2
    within_s = 600.0
    on_give_up = Apologise("Out of order.")

    def on_receive(self, message: object) -> Any:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.prompt_tts("Crash 1?", ONE_KEY)
            case "old tick":
                NOTES["wrong"].append(f"call {self.call_id} was told a tick of its former incarnation")
            case "go on":
                self.prompt_tts(f"Crash {self.data['crashes'] + 1}?", ONE_KEY)
            case ActionCompleted() if self.state != "answered":
                pass
            case ActionCompleted(event=event) if getattr(event, "digits", "") == "1":
                self.data["crashes"] = self.data.get("crashes", 0) + 1
                self.start_timer("old", "old tick", 0.4)
                self.actor_ref.tell("go on")
                raise AskedForError
            case ActionCompleted() if not self.data.get("says_goodbye"):
                self.data["says_goodbye"] = True
                self.play_tts("Goodbye.")
            case ActionCompleted():
                self.hangup()
            case _:
                return super().on_receive(message)
        return None


@app.calls("begins-anew")
class BeginsAnew(Scene):
    """A flow that crashes whenever 1 is pressed: it begins anew, and knows from its data that it has."""

    max_restarts = 1
    within_s = 600.0

    async def story(self) -> None:
        await self.answer()
        if self.data.get("crashed"):
            await self.say("Once more.")
        key = await self.ask("Crash?")
        if key == "1":
            self.data["crashed"] = True
            raise AskedForError
        await self.say("Goodbye.")


@app.calls("loop")
class Loop(CallActor):
    """Crashes whatever it is told: nobody is left in silence."""

    max_restarts = 2

    def on_receive(self, message: object) -> Any:
        self.actor_ref.tell("again")
        raise AskedForError


def draw_ticket(call_id: str, ticket: int) -> int:
    """Note that a ticket was drawn, and when."""
    NOTES[f"effect {call_id}"].append((ticket, app.system.clock.now()))
    return ticket


@app.calls("durable")
class Durable(Scene):
    """Time, chance and effects are the same however often the flow is run again."""

    async def story(self) -> None:
        await self.answer()
        began, ticket = self.now(), self.random.randrange(1_000_000)
        await self.side_effect(draw_ticket, self.call_id, ticket)
        await self.say(f"Ticket {ticket} of {began:.3f}.")
        key = await self.ask("Keep it?")
        await self.sleep(1.0)
        await self.say(f"Pressed {key}, ticket {ticket} of {began:.3f}.")
        await self.side_effect(draw_ticket, self.call_id, ticket + 1)
        await self.sleep(0.5)
        await self.say("Goodbye.")


@app.calls("timer")
class Timer(CallActor):
    """Durable timers, one of which is replaced and one is cancelled."""

    def on_receive(self, message: object) -> Any:
        match message:
            case CallReceiveEvent():
                self.data["at"] = "begin"
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.play_tts("Please wait.")
            case ActionCompleted() if self.state != "answered":
                pass
            case ActionCompleted() if self.data["at"] == "begin":
                self.data["at"] = "wait"
                self.start_timer("wake", "too early", 0.5, durable=True)
                self.start_timer("wake", "wake up", 3.0, durable=True)
                self.start_timer("never", "too early", 0.5, durable=True)
                self.cancel_timer("never")
            case "too early":
                NOTES["wrong"].append(f"call {self.call_id} was told what it had cancelled")
            case "wake up":
                NOTES[f"woken {self.call_id}"].append(self.data["at"])
                self.data["at"] = "end"
                self.play_tts("Goodbye.")
            case ActionCompleted() if self.data["at"] == "end":
                self.hangup()
                self.hangup()  # it is one hang-up all the same
            case _:
                return super().on_receive(message)
        return None


@app.calls("typing")
class Typing(CallActor):
    """Listens to one key after the other, and tells each of them."""

    def on_receive(self, message: object) -> Any:
        match message:
            case CallReceiveEvent():
                self.data["typed"] = ""
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.collect(digits=digits(max=1), continuous=True, initial_timeout=0.0)
                self.say("Type.")
            case _ if self.state != "answered":
                return super().on_receive(message)
            case CollectEvent(digits=key) if key and len(self.data["typed"]) < 4:
                self.data["typed"] += key
                self.say(f"Key {key}.")
            case "idle":
                self.data["typed"] = "nothing"
                self.say("Goodbye.")
            case ActionCompleted(action=PlayAction()) if len(self.data["typed"]) == 4:
                self.data["typed"] += "."
                self.say("Goodbye.")
            case ActionCompleted(action=PlayAction()) if len(self.data["typed"]) > 4:
                self.hangup()
            case _:
                return super().on_receive(message)
        return None

    def say(self, words: str) -> None:
        self.play_tts(words)
        if words == "Goodbye.":
            self.cancel_timer("idle")
        else:
            self.start_timer("idle", "idle", 30.0, durable=True)


@app.calls("bridge")
class Bridge(Scene):
    """Connects the caller to a desk."""

    async def story(self) -> None:
        await self.answer()
        await self.say("I connect you.")
        await self.connect(phone(to="+15550100800", from_=self.from_number, timeout=5))
        bridge = await self.next(
            ConnectEvent,
            where=lambda event: event.connect_state in ("connected", "failed"),
        )
        if bridge.connect_state == "failed":
            await self.say("Nobody is there.")
        else:
            await self.wait_for("calling.call.connect", lambda event: event.connect_state == "disconnected")
            await self.say("They have gone.")
        await self.say("Goodbye.")


@app.calls("dial")
class Dialling(Scene):
    """Has three people rung: two at once, then the third."""

    async def story(self) -> None:
        await self.answer()
        await self.say("I ask around.")
        team = [phone(to=f"+155501009{number:02}", from_=self.from_number, timeout=3) for number in (1, 2, 3)]
        self.app.dial(Alarm, [team[:2], team[2:]], dial_timeout=4.1234, caller=self.call_id)
        told = await self.next(Told)
        await self.say(told.words)
        await self.say("Goodbye.")


class Alarm(Scene):
    """Whoever is rung first and picks up."""

    async def story(self) -> None:
        await self.say("Alarm.")
        self.tell(f"{self.to_number} has heard.")

    def on_receive(self, message: object) -> Any:
        match message:
            case DialFailed():
                self.tell("Nobody has heard.")
            case CallStateEvent(call_state="ended"):
                NOTES[f"states {self.call_id}"].append("ended")
                self.tell(f"{self.to_number} has gone.")
            case _:
                return super().on_receive(message)
        return None

    def tell(self, words: str) -> None:
        """Only the first one counts: the caller's actor waits for no more."""
        caller = self.app.call(self.data["caller"])
        if caller is not None:
            caller.ref.tell_if_alive(Told(words))


@app.calls("recording")
class Recording(Scene):
    """Records with a pause in between."""

    async def story(self) -> None:
        await self.answer()
        await self.say("Speak.")
        states = ["recording", "paused"]
        sound = self.record({"initial_timeout": 0.0, "end_silence_timeout": 0.0, "terminators": ""})
        await self.sleep(1.0)
        for state, control in zip(states[::-1], (sound.pause, sound.resume), strict=True):
            changed = self.next(RecordEvent, where=lambda event, state=state: event.state == state)
            await control()
            await changed
            await self.sleep(1.0)
        await sound.stop()
        recorded = await sound.wait()
        await sound.stop()  # it is over: nothing is sent
        await self.say(f"Recorded, {recorded.state}, {sound.state}.")
        await self.say("Goodbye.")


class Clerk(Actor):
    """Opens a moment after it has begun; what comes before is put aside. Crashes when it is told to."""

    stash_capacity = 1000

    def on_start(self) -> None:
        self.is_open = False
        self.start_timer("open", ("open", self.actor_ref.incarnation), 0.7)

    def on_receive(self, message: object) -> Any:
        match message:
            case ("open", incarnation):
                if incarnation != self.actor_ref.incarnation:
                    NOTES["wrong"].append("the clerk was told a tick of a former incarnation")
                self.is_open = True
                self.unstash_all()
            case "crash":
                raise AskedForError
            case _ if not self.is_open:
                self.stash()
            case ("write", caller, word):
                NOTES[f"written {caller}"].append(word)
            case ("read", caller):
                return "".join(NOTES[f"written {caller}"])
        return None


app.service(Clerk, name="clerk")


@app.calls("clerk")
class Visitor(Scene):
    """Has a clerk write something down, who may crash before."""

    async def story(self) -> None:
        await self.answer()
        key = await self.ask("Does the clerk crash?")
        clerk = self.app.lookup("clerk")
        for part in ("ab", "cd"):
            for word in part:
                clerk.tell(("write", self.call_id, word))
            if key == "1":
                clerk.tell("crash")
        written = await clerk.ask(("read", self.call_id), block=False, timeout=60.0)
        await self.say(f"The clerk has {written}.")
        await self.say("Goodbye.")


@app.calls("texting")
class Texting(Scene):
    """Sends a text, and waits until it has arrived."""

    async def story(self) -> None:
        await self.answer()
        await self.say("You get a text.")
        sent = self.app.send_message(
            to_number=self.from_number,
            from_number=CENTRE,
            body=f"For {self.call_id}",
            on_completed=lambda event, call_id=self.call_id: NOTES[f"receipt {call_id}"].append(event.message_state),
        )
        sent.on(lambda event, call_id=self.call_id: NOTES[f"text {call_id}"].append(event.message_state))
        try:
            state = (await sent.wait(timeout=60.0)).message_state
        except RelayActorsError:  # its answer was lost, or it was sent by another process
            state = "lost from sight"
        await self.say(f"It was {state}.")
        await self.say("Goodbye.")


@app.calls("transfer")
class Transferring(Scene):
    """Hands the caller on to the menu when 1 is pressed."""

    async def story(self) -> None:
        await self.answer()
        if await self.ask("The menu?") == "1":
            try:
                await self.transfer("context:menu")
            except CallEnded:
                raise
            except RelayActorsError:  # after a loss nobody knows whether it was done, and it is not done again
                await self.say("That was not possible.")
            else:
                return
        await self.say("Goodbye.")


@app.messages("echo")
class Echo(MessageActor):
    """Answers a text."""

    def on_receive(self, message: object) -> Any:
        match message:
            case MessageReceiveEvent(body=body, from_number=number):
                NOTES[f"came {number}"].append(body)
                self.reply(f"You wrote {body}.")
            case _:
                return super().on_receive(message)
        return None
