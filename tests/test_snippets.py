"""The snippets of the reference: each is run on one simulator, with a person on the phone who does what it needs.

A person is a function of the verb's name; what it expects is what somebody on the phone notices, what the server was
told, or what came back to the application. All of them act in one lab, one after the other, in virtual time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from examples.verbs import agents, calling, documents, keys, media, rooms, sound, waiting
from relay_actors.cli.run import load_app
from relay_actors.simulator.conversations import ConversationSnapshot
from relay_actors.testing import AppRunner, Lab, Line, Phone, Simulator
from tests.actors.verbs.uses import CALL_METHODS

APPLICATIONS = (agents.app, calling.app, documents.app, keys.app, media.app, rooms.app, sound.app, waiting.app)
PEOPLE: dict[str, Callable[[Stage], None]] = {}


class Stage:
    """Where one person acts: the simulator that all share, and the lines of this person."""

    def __init__(self, sim: Simulator, verb: str, number: str) -> None:
        self.sim = sim
        self.verb = verb
        self.number = number
        self._lines: list[Line] = []

    def phone(self, number: str = "") -> Phone:
        return self.sim.phone(number or self.number)

    def calls(self, number: str = "") -> Line:
        """Call the application of the snippet."""
        line = self.phone(number).dials(context=self.verb)
        self._lines.append(line)
        return line

    def rings(self) -> Line:
        line = self.phone().rings()
        self._lines.append(line)
        return line

    def sent(self, method: str) -> list[dict[str, Any]]:
        """The params of all requests of a method that named one of the person's calls."""
        ids = {call_id for line in [*self._lines, *self.phone().lines] for call_id in line.call_ids}
        return [entry.params for entry in self.sim.frames.received(method) if entry.params.get("call_id") in ids]

    def events(self, event_type: str, **fields: object) -> list[dict[str, Any]]:
        """The params of all events with these fields that told the application of the person's calls."""
        ids = {call_id for line in [*self._lines, *self.phone().lines] for call_id in line.call_ids}
        events = [entry.params["params"] for entry in self.sim.frames.sent(event_type)]
        return [event for event in events if event.get("call_id") in ids and fields.items() <= event.items()]

    def heard(self, event_type: str, **fields: object) -> bool:
        """Whether there was such an event."""
        return bool(self.events(event_type, **fields))

    def reports(self, event_type: str, **fields: object) -> None:
        """Have the server report something about the person's latest call that it does not report by itself."""
        [call] = [call for call in self.sim.calls if call.call_id == self._lines[-1].call_id]
        params = {"call_id": call.call_id, "node_id": call.node_id, **fields}
        event = {"event_type": event_type, "params": params}
        self.sim.push({"jsonrpc": "2.0", "id": f"of {call.call_id}", "method": "signalwire.event", "params": event})

    def written(self, url: str) -> str:
        """Everything that was told to a webhook."""
        return "\n".join(str(hook.body) for hook in self.sim.webhooks if hook.url == url)

    def conversations(self) -> list[ConversationSnapshot]:
        """What the person has talked with agents."""
        ids = [line.call_id for line in self._lines]
        return [talk for talk in self.sim.conversations if talk.call_id in ids]

    def hangs_up(self) -> None:
        for line in self._lines:
            line.hangs_up()


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    """One server for all applications: it is the people who differ."""
    with Lab() as lab:
        run = AppRunner(lab)
        for app in APPLICATIONS:
            run(app)
        yield lab.sim
        left = run.stop()
    assert left == []
    assert lab.sim.violations == ()


def person(act: Callable[[Stage], None]) -> Callable[[Stage], None]:
    """Make a function the person for the snippet of its name."""
    PEOPLE[act.__name__] = act
    return act


def test_each_verb_has_its_person():
    """A snippet that nobody tries is not known to work."""
    assert CALL_METHODS.keys() - PEOPLE.keys() == set(), "write a function of that name in this file"
    assert PEOPLE.keys() - CALL_METHODS.keys() == set()


def test_the_snippets_can_be_run_as_the_reference_says():
    """As any other application is."""
    assert load_app("examples.verbs.media:app") is media.app


@pytest.mark.parametrize("verb", CALL_METHODS)
def test_a_snippet_does_what_it_says(sim: Simulator, verb: str):
    """For the person on the phone, and on the wire: its method reached the server about this person's call."""
    stage = Stage(sim, verb, f"+1555100{list(CALL_METHODS).index(verb):04}")
    PEOPLE[verb](stage)
    method = CALL_METHODS[verb]["wire_method"]
    assert method is None or stage.sent(method)
    stage.hangs_up()


# The call itself.


@person
def answer(stage: Stage) -> None:
    stage.calls().hears("harbour hotel").is_hung_up()
    assert stage.sent("calling.answer")[0]["max_duration"] == 10


@person
def hangup(stage: Stage) -> None:
    caller = stage.calls().is_hung_up()
    assert caller.end_reason == "busy"
    assert not stage.sent("calling.answer")


@person
def pass_(stage: Stage) -> None:
    stage.calls("+15550001111").hears("harbour hotel").is_hung_up()
    abroad = stage.calls("+4930123456")
    stage.sim.expect(abroad, "calling.pass")
    assert stage.sim.wait_until(lambda: any("nobody there" in moment.what for moment in abroad.timeline))


@person
def connect(stage: Stage) -> None:
    desk = stage.phone(calling.DESK)
    caller = stage.calls().hears("ringtone us")
    desk.rings().answers()
    caller.talks_to(desk).says("Good morning.")
    desk.hears("good morning").hangs_up()
    caller.is_hung_up()
    desk.is_busy()
    stage.calls().hears("nobody is at the desk").is_hung_up()


@person
def disconnect(stage: Stage) -> None:
    desk = stage.phone(calling.DESK)
    caller = stage.calls()
    desk.rings().answers()
    caller.talks_to(desk).is_asked().presses("*").hears("back at the hotel").is_hung_up()
    desk.hangs_up()


@person
def transfer(stage: Stage) -> None:
    stage.calls().hears("one moment").is_transferred(to="sales")


@person
def refer(stage: Stage) -> None:
    stage.calls().hears("cannot be referred").is_hung_up()
    desk = stage.phone("sip:desk@example.com").answers()
    guest = stage.calls("sip:guest@example.com")
    guest.is_transferred(to="sip:desk@example.com").talks_to(desk)


@person
def hold(stage: Stage) -> None:
    stage.calls().hears("music").hears("room 101").is_hung_up()
    assert stage.heard("calling.call.hold", state="hold")


@person
def unhold(stage: Stage) -> None:
    caller = stage.calls().hears("music").is_asked()
    assert caller.is_on_hold
    caller.presses("*").hears("here we are again").is_hung_up()
    assert stage.heard("calling.call.hold", state="unhold")


@person
def user_event(stage: Stage) -> None:
    caller = stage.calls().hears("your order is placed").is_hung_up()
    [told] = [event for event in stage.sim.user_events if event.call_id == caller.call_id]
    assert (told.event, told.params) == ("order_placed", {"order_id": "12345"})


# Keys.


@person
def send_digits(stage: Stage) -> None:
    stage.calls().hears("digits 99").hears("the door is open").is_hung_up()


@person
def bind_digit(stage: Stage) -> None:
    caller = stage.calls().hears("press star")
    caller.presses("*").hears("hang up when you are done")
    assert stage.heard("calling.call.play", control_id="rules")


@person
def clear_digit_bindings(stage: Stage) -> None:
    caller = stage.calls().hears("press star").presses("*").hears("hang up when you are done")
    caller.hears("that was all").presses("*").is_hung_up()
    assert [str(sound) for sound in caller.heard].count("Hang up when you are done.") == 1
    assert stage.sent("calling.clear_digit_bindings")[0]["realm"] == "help"


# What is heard and understood.


@person
def play(stage: Stage) -> None:
    caller = stage.calls()
    caller.hears("welcome").hears("silence").hears("jingle.mp3").hears("good to hear you").is_hung_up()
    assert stage.sent("calling.play")[0]["volume"] == -3


@person
def play_tts(stage: Stage) -> None:
    stage.calls().hears("please call tomorrow").is_hung_up()
    assert stage.heard("calling.call.play", state="finished")


@person
def play_audio(stage: Stage) -> None:
    caller = stage.calls().hears("music.mp3").is_asked().presses("5")
    stage.sim.expect(caller, "calling.play.pause")
    stage.sim.expect(caller, "calling.detect", times=2)
    caller.presses("5").is_hung_up()
    assert stage.heard("calling.call.play", state="paused")
    assert stage.heard("calling.call.play", state="finished")


@person
def play_silence(stage: Stage) -> None:
    stage.calls().hears("guess").hears("silence").hears("it is the harbour hotel").is_hung_up()


@person
def play_ringtone(stage: Stage) -> None:
    stage.calls().hears("ringtone us").hears("nobody is at the desk").is_hung_up()


@person
def prompt_tts(stage: Stage) -> None:
    stage.calls().hears("press 1").presses("1").hears("from 7 to 10").is_hung_up()
    stage.calls().hears("press 1").presses("2").is_transferred(to="desk")


@person
def prompt_audio(stage: Stage) -> None:
    stage.calls().hears("room-number.mp3").presses("101#").hears("room 101").is_hung_up()


@person
def play_and_collect(stage: Stage) -> None:
    stage.calls().hears("press 1").presses("1").hears("this is sales").is_hung_up()
    stage.calls().hears("press 1").says("sales").hears("this is sales").is_hung_up()


@person
def collect(stage: Stage) -> None:
    stage.calls().is_asked().presses("4711").hears("come in").is_hung_up()
    stage.calls().is_asked().presses("0815").hears("not the code").is_hung_up()


@person
def record(stage: Stage) -> None:
    caller = stage.calls().hears("beep").says("My key card does not work.").presses("#")
    caller.hears("seconds").is_hung_up()
    [ended] = stage.events("calling.call.record", state="finished")
    assert stage.sim.fetch(ended["url"]).startswith(b"RIFF")


@person
def detect(stage: Stage) -> None:
    stage.calls().hears("human voice").is_hung_up()
    assert stage.sent("calling.detect")[0]["detect"]["params"] == {"initial_timeout": 2.0}


@person
def detect_answering_machine(stage: Stage) -> None:
    stage.phone().is_answering_machine()
    assert media.detect_answering_machine(stage.number) == "MACHINE"
    stage.phone().is_hung_up()


@person
def detect_digit(stage: Stage) -> None:
    stage.calls().hears("history").is_asked().presses("7*").hears("to the point").is_hung_up()
    assert stage.sent("calling.play.stop")


@person
def detect_fax(stage: Stage) -> None:
    stage.phone().is_fax_machine()
    assert media.detect_fax(stage.number)
    stage.phone().is_hung_up()


# The sound of the call.


@person
def tap(stage: Stage) -> None:
    stage.calls().hears("may be listening").hears("now nobody is").is_hung_up()
    assert stage.sent("calling.tap")[0]["tap"]["params"] == {"direction": "both"}
    assert stage.heard("calling.call.tap", state="finished")
    assert "rtp://203.0.113.7:4000" in [feed.url for feed in stage.sim.streams]


@person
def stream(stage: Stage) -> None:
    stage.calls().hears("describe your problem").hears("all we need").is_hung_up()
    assert "wss://media.example.com/calls" in [feed.url for feed in stage.sim.streams]
    assert stage.heard("calling.call.stream", state="finished")


@person
def transcribe(stage: Stage) -> None:
    speaker = stage.calls().hears("say what you like").says("I like the view.")
    stage.sim.wait_until(lambda: False, within=1.0)  # nobody speaks in no time
    speaker.presses("#").is_hung_up()
    text = stage.phone().receives_text("you said").body.removeprefix("You said: ")
    assert b"I like the view." in stage.sim.fetch(text)


@person
def live_transcribe(stage: Stage) -> None:
    stage.calls().hears("say what you like").says("Is this written down?").presses("#").hears("thank you").is_hung_up()
    assert "Is this written down?" in stage.written("https://example.com/captions")
    assert [list(sent["action"]) for sent in stage.sent("calling.live_transcribe")] == [["start"], ["stop"]]


@person
def live_translate(stage: Stage) -> None:
    stage.sim.teach_translation("Good morning", "Guten Morgen", to="de-DE")
    stage.calls().hears("say what you like").says("Good morning").presses("#").hears("thank you").is_hung_up()
    assert "Guten Morgen" in stage.written("https://example.com/words")
    assert [list(sent["action"]) for sent in stage.sent("calling.live_translate")] == [["start"], ["stop"]]


@person
def denoise(stage: Stage) -> None:
    stage.calls().hears("hear you well").is_hung_up()
    assert stage.heard("calling.call.denoise", denoised=True)


@person
def denoise_stop(stage: Stage) -> None:
    stage.calls().hears("play your song").is_hung_up()
    assert stage.heard("calling.call.denoise", denoised=False)


@person
def echo(stage: Stage) -> None:
    caller = stage.calls().hears("say something")
    stage.sim.expect(caller, "calling.echo")
    caller.says("Hello myself").hears("voice hello myself").hears("the test is over").is_hung_up()


# Faxes and payments.


@person
def send_fax(stage: Stage) -> None:
    stage.phone().is_fax_machine()
    assert documents.send_fax(stage.number)
    [fax] = stage.phone().is_hung_up().received_faxes
    assert fax.document == "https://example.com/menu.pdf"


@person
def receive_fax(stage: Stage) -> None:
    stage.phone().is_fax_machine(sends=2)
    stage.calls().is_hung_up()
    text = stage.phone(documents.DESK).receives_text("a fax of 2 pages").body
    assert stage.sim.fetch(text.removeprefix("A fax of 2 pages: ")).startswith(b"%PDF")


@person
def pay(stage: Stage) -> None:
    caller = stage.calls().hears("card number").presses("4111111111111111").hears("expires").presses("1230")
    caller.hears("security code").presses("123").hears("postal code").presses("90210#")
    caller.hears("it is paid").is_hung_up()
    assert stage.sent("calling.pay")[0]["charge_amount"] == "25.99"
    stage.calls().hears("did not work").is_hung_up()


# Where calls meet.


@person
def join_conference(stage: Stage) -> None:
    first, second = stage.calls(), stage.calls("+15551119999")
    first.is_in_conference("staff").talks_to(second.is_in_conference("staff"))
    first.says("Good morning.")
    second.hears("good morning")
    stage.phone(rooms.DESK).receives_text(f"{first.number} is in the meeting")


@person
def leave_conference(stage: Stage) -> None:
    caller = stage.calls().is_in_conference("guests").is_asked().presses("*").hears("you have left").is_hung_up()
    assert stage.heard("calling.conference", status="participant-leave", call_id=caller.call_id)


@person
def join_room(stage: Stage) -> None:
    first, second = stage.calls().hears("now in the lobby"), stage.calls("+15551119999")
    first.is_in_room("lobby").talks_to(second)
    assert stage.sent("calling.join_room")[0]["status_url"] == "https://example.com/rooms"


@person
def leave_room(stage: Stage) -> None:
    stage.calls().is_in_room("garden").is_asked().presses("*").hears("you have left the garden").is_hung_up()
    assert "garden" not in [room.name for room in stage.sim.rooms]


@person
def queue_enter(stage: Stage) -> None:
    first = stage.calls().hears("number 1 in the queue")
    second = stage.calls("+15551119999").hears("number 2 in the queue")
    first.hangs_up()
    second.is_in_queue("support", 1)


@person
def queue_leave(stage: Stage) -> None:
    stage.calls().is_in_queue("billing", 1).is_asked().presses("*").hears("call you back").is_hung_up()
    assert stage.heard("calling.call.queue", status="leave", name="billing")


# Agents.


@person
def ai(stage: Stage) -> None:
    stage.calls().hears("the concierge of the harbour hotel").says("When is breakfast?").hears("breakfast")
    assert stage.sent("calling.ai")[0]["hints"] == ["breakfast", "late check-out"]


@person
def amazon_bedrock(stage: Stage) -> None:
    caller = stage.calls().hears("the concierge of the harbour hotel")
    [talk] = stage.conversations()
    assert (talk.engine, talk.global_data) == ("amazon_bedrock", {"room": "101"})
    caller.says("When is breakfast?").hears("breakfast")


@person
def ai_message(stage: Stage) -> None:
    caller = stage.calls().hears("the concierge of the harbour hotel")
    stage.sim.expect(caller, "calling.ai_message")
    [talk] = stage.conversations()
    assert "system: The guest is in room 101." in [str(said) for said in talk.utterances]


@person
def ai_hold(stage: Stage) -> None:
    stage.calls().hears("the concierge").is_asked().presses("*").hears("one moment, please")
    [talk] = stage.conversations()
    assert talk.state == "on hold"
    assert stage.sent("calling.ai_hold")[0]["timeout"] == "60"


@person
def ai_unhold(stage: Stage) -> None:
    stage.calls().hears("the kitchen closes").hears("where were we").says("At the dinner.").hears("at the dinner")


# Waiting.


@person
def on(stage: Stage) -> None:
    stage.calls().hears("beep").says("It was lovely.").hangs_up()
    assert "hangup" in stage.phone(waiting.DESK).receives_text(f"{stage.number} has hung up").body


@person
def wait_for(stage: Stage) -> None:
    stage.calls().hears("hear you well").is_hung_up()
    assert stage.heard("calling.call.denoise", denoised=True)


@person
def wait_for_ringing(stage: Stage) -> None:
    """Servers differ: some offer a call that rings, this one a call that is going to (PROTOCOL D4)."""
    caller = stage.calls()
    stage.reports("calling.call.state", call_state="ringing", direction="inbound")
    stage.phone(waiting.DESK).receives_text(f"{stage.number} is calling")
    caller.hears("harbour hotel").is_hung_up()


@person
def wait_for_answered(stage: Stage) -> None:
    stage.phone().answers_after(5.0)
    began = stage.sim.clock.now()
    assert waiting.wait_for_answered(stage.number).state == "answered"
    assert stage.sim.clock.now() == began + 5.0


@person
def wait_for_ending(stage: Stage) -> None:
    stage.calls().hears("thank you for calling").hangs_up()
    stage.phone().receives_text("thank you for calling")


@person
def wait_for_ended(stage: Stage) -> None:
    stage.phone().answers().reacts("to be left alone", hangs_up=True, after=5.0)
    began = stage.sim.clock.now()
    assert waiting.wait_for_ended(stage.number) == "hangup"
    assert stage.sim.clock.now() > began + 5.0
