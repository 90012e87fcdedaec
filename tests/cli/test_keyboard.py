"""What is typed is what the caller does; what cannot be done is said, and nothing else happens."""

import io
import os
import pty
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from relay_actors import CallActor, MessageActor, RelayApp
from relay_actors.cli import keyboard as keyboard_module
from relay_actors.cli.keyboard import NUMBER, Keyboard
from relay_actors.cli.screen import Screen
from relay_actors.cli.typed_lines import TypedLines
from relay_actors.simulator.simulator import Simulator

DESK = "+15550002222"


class Shop(CallActor):
    async def run(self) -> None:
        await self.answer()
        asked = await self.prompt_tts(
            "Press 7, or say yes.", {"digits": {"max": 1}, "speech": {}, "initial_timeout": 1000}
        ).wait()
        if asked.digits == "7":
            await self.connect([[{"type": "phone", "params": {"from_number": NUMBER, "to_number": DESK}}]])
            await self.sleep(60.0)
        await self.play_tts("Goodbye.").wait()


class Elsewhere(CallActor):
    async def run(self) -> None:
        await self.answer()
        await self.transfer("nobody")


class Machine(CallActor):
    async def run(self) -> None:
        await self.answer()
        self.data["tone"] = (await self.detect_fax(tone="CNG").wait()).verdict
        await self.receive_fax().wait()


class Booth(CallActor):
    async def run(self) -> None:
        await self.answer()
        await self.pay("https://pay.example.com/", charge_amount="1.00", postal_code=False).wait()
        await self.ai(prompt={"text": "You are the booth."}).wait()
        await self.play_tts("Goodbye.").wait()


class Inbox(MessageActor):
    def on_receive(self, message: object) -> None:
        self.reply("Thank you.")


class Typist:
    """A keyboard whose answers can be read."""

    def __init__(self, simulator: Simulator) -> None:
        self._stream = io.StringIO()
        self.stopping, self.interrupted = threading.Event(), threading.Event()
        self.keyboard = Keyboard(simulator, Screen(self._stream, {}).say, self.stopping, self.interrupted)

    def types(self, *lines: str) -> str:
        """Type, and return what is answered."""
        before = len(self._stream.getvalue())
        for line in lines:
            self.keyboard.type(line)
        return self._stream.getvalue()[before:]


@pytest.fixture
def typist(simulator: Simulator) -> Typist:
    return Typist(simulator)


@pytest.fixture
def shop(app: RelayApp) -> RelayApp:
    """A running application; its first context is the shop."""
    app.calls("shop")(Shop)
    app.calls("elsewhere")(Elsewhere)
    app.calls("fax")(Machine)
    app.calls("booth")(Booth)
    app.messages("shop")(Inbox)
    app.start()
    return app


def test_a_whole_call_can_be_typed(typist: Typist, simulator: Simulator, shop: RelayApp):
    """Without a context it is the application's first one."""
    said = typist.types("app", "dial", "hear press 7", "say yes", "hear goodbye", "ended")

    assert said == ""
    assert typist.keyboard.failures == 0
    line = simulator.phone(NUMBER).line
    assert line.end_reason == "hangup"
    assert any("said 'yes'" in moment.what for moment in line.timeline)


def test_whoever_types_can_be_the_other_side_too(typist: Typist, simulator: Simulator, shop: RelayApp):
    """By answering the phone that rings, and going back to the first one."""
    typist.types("dial shop", "hear press 7", "press 7", "hear ringtone")
    simulator.phone(DESK).rings()
    said = typist.types("answer", "say good day", f"phone {NUMBER}", "hear good day", "hangup", "ended")

    assert said == ""
    assert simulator.phone(DESK).line.is_over


def test_a_call_can_be_declined(typist: Typist, simulator: Simulator, shop: RelayApp):
    typist.types("dial", "hear press 7", "press 7")
    simulator.phone(DESK).rings()

    assert typist.types("reject") == ""
    assert simulator.phone(DESK).line.end_reason == "decline"


def test_a_text_is_sent_and_answered(typist: Typist, simulator: Simulator, shop: RelayApp):
    assert typist.types("text hello there") == ""

    assert simulator.phone(NUMBER).receives_text("thank you")


def test_calls_are_listed_with_their_numbers_masked(typist: Typist, shop: RelayApp):
    said = typist.types("dial", "hear press 7", "calls", "hangup")

    assert "inbound  answered  +15550***111 → +15550***000  shop" in said
    assert "1 up, 0 ended" in said


def test_the_socket_can_be_cut_and_the_application_comes_back(typist: Typist, simulator: Simulator, shop: RelayApp):
    """The call goes on, also for a caller who speaks while nothing gets through."""
    said = typist.types("dial", "hear press 7", "cut 0.1", "say yes", "app", "hear goodbye", "ended")

    assert said == ""
    assert simulator.phone(NUMBER).line.end_reason == "hangup"
    assert len(simulator.sessions) == 1


def test_words_may_be_those_of_tests(typist: Typist, simulator: Simulator, shop: RelayApp):
    """Whoever writes tests has them in their fingers."""
    assert typist.types("dials", "hears press 7", "says yes", "hears goodbye", "ended") == ""


def test_a_fax_machine_sends_its_pages(typist: Typist, simulator: Simulator, shop: RelayApp):
    """It whistles as one that calls; and whoever looks finds what it has sent."""
    said = typist.types("fax 2", "dial fax", "ended", "files")

    url = said.strip()
    assert simulator.fetch(url).startswith(b"%PDF")
    assert url.endswith(".pdf")
    assert b"CNG" in simulator.frames.sent("calling.call.detect")[0].text
    assert b'"pages":"2"' in simulator.frames.sent("calling.call.fax")[-1].text


def test_what_lies_there_can_be_saved(
    typist: Typist, simulator: Simulator, shop: RelayApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    said = typist.types("fax", "fax 1", "dial fax", "ended", "fetch")

    [path] = tmp_path.iterdir()
    assert said == f"  saved {path.name}, {path.stat().st_size} bytes\n"
    assert path.read_bytes() == simulator.fetch(simulator.files[-1])


def test_a_payment_and_an_agent_do_what_was_typed(typist: Typist, simulator: Simulator, shop: RelayApp):
    said = typist.types(
        "payment declines", "agent How can I help? | Done. | error", "dial booth", "hear card number",
        "press 4111111111111111#", "hear expires", "press 1230", "hear security code", "press 123",
        "hear how can i help", "say hello", "hear done", "hear goodbye", "ended",
    )  # fmt: skip

    assert said == ""
    assert [conversation.state for conversation in simulator.conversations] == ["error"]
    results = [frame.params["params"] for frame in simulator.frames.sent("calling.call.pay")]
    assert results[-1]["result"] == "payment-connector-error"
    assert "assistant: Done." in typist.types("talk")


def test_what_there_is_to_see_is_listed_with_its_numbers_masked(typist: Typist, shop: RelayApp):
    said = typist.types("meetings", "talk", "webhooks", "files")

    assert said.splitlines() == [
        "  nobody meets anybody, and nobody waits",
        "  no agent has spoken with anybody",
        "  nothing would have been sent by HTTP",
        "  there is no recording, no transcript and no fax yet",
    ]


@pytest.mark.parametrize("typed", ["ended", "hear good morning"])
def test_nothing_is_waited_for_where_a_call_went_to_nobody(typist: Typist, shop: RelayApp, typed: str):
    """Half a minute of silence would look like a prompt that hangs."""
    typist.types("dial elsewhere")
    said = typist.types(typed)

    assert said == "? +15550***111 was transferred to nobody, and nobody is there: type hangup\n"
    assert typist.types("hangup", "ended") == ""


@pytest.mark.parametrize("typed", ["wait 3600", "app", "hear good morning", "ended"])
def test_a_wait_can_be_interrupted_without_ending_everything(
    typist: Typist, simulator: Simulator, app: RelayApp, typed: str
):
    app.calls("shop")(Shop)
    if typed != "app":
        app.start()
        typist.types("dial", "hear press 7", "press 7")
    typist.interrupted.set()

    assert typist.types(typed) == "? stopped waiting\n"
    assert not typist.stopping.is_set()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("dance", "there is no command 'dance': type help"),
        ("dial", "no application is logged in that takes calls"),
        ("text hello", "no application is logged in that takes calls"),
        ("press 1", "+15550***111 has had no call yet"),
        ("hangup", "+15550***111 has had no call yet"),
        ("hear hello", "+15550***111 has had no call yet"),
        ("answer", "no phone rings"),
        ("reject", "no phone rings"),
        ("press", "something is missing: for example 'press 1'"),
        ("say", "something is missing"),
        ("text", "something is missing"),
        ("hear", "something is missing"),
        ("phone", "something is missing"),
        ("guests", "guests call the context hotel, and no application takes its calls"),
        ("wait long", "'long' is no number of seconds: for example 'wait 2'"),
        ("wait -1", "'-1' is no number of seconds"),
        ("cut nan", "'nan' is no number of seconds"),
        ("fax many", "'many' is no whole number: for example 'fax 2'"),
        ("fax -1", "a fax has no -1 pages"),
        ("agent", "something is missing: for example 'agent Hello! | Goodbye. | hangs up'"),
        ("payment maybe", "a payment cannot be made to end as 'maybe': only as success, "),
        ("fetch", "there is no recording, no transcript and no fax yet"),
        ("fetch https://a/b.wav", "there is no file at https://a/b.wav"),
    ],
)
def test_what_cannot_be_done_is_said_and_counted(typist: Typist, typed: str, said: str):
    """In one line, with no timeline behind it."""
    answer = typist.types(typed)

    assert answer.startswith(f"? {said}")
    assert answer.count("\n") == 1
    assert typist.keyboard.failures == 1


def test_keys_on_a_call_that_has_ended_are_refused(typist: Typist, shop: RelayApp):
    said = typist.types("dial", "hear press 7", "hangup", "press 1")

    assert said == "? +15550***111 cannot press keys: the call has ended\n"


def test_hearing_what_never_comes_fails_when_the_call_has_ended(typist: Typist, shop: RelayApp):
    said = typist.types("dial", "hear press 7", "say yes", "hear good morning")

    assert said.startswith("? +15550***111 did not hear 'good morning' before the call ended")


def test_waiting_is_not_for_ever(typist: Typist, shop: RelayApp, monkeypatch: pytest.MonkeyPatch):
    """A script that waits for what never comes fails; it does not hang."""
    monkeypatch.setattr(keyboard_module, "PATIENCE_S", 0.05)

    said = typist.types("dial", "hear press 7", "hear good morning")
    assert said.endswith("did not hear 'good morning' within 0.05 s; the last was 'Press 7, or say yes.'\n")
    assert typist.types("ended") == "? +15550***111 was not hung up within 0.05 s\n"
    typist.types("hangup")


def test_at_a_terminal_ctrl_c_stops_a_wait_and_the_next_line_is_done(typist: Typist):
    """Whoever waits for what does not come wants to type something else, not to begin anew."""
    ours, theirs = pty.openpty()
    done = {}
    ctrl_c = threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGINT])
    with os.fdopen(ours, "wb", buffering=0) as terminal, os.fdopen(theirs) as stream:
        terminal.write(b"wait 3600\nwait 0\ncalls\nquit\n")
        with TypedLines(typist.stopping, stream, typist.interrupted) as typed:
            for line in typed:
                if line == "wait 3600":
                    ctrl_c.start()
                done[line] = typist.types(line)
    ctrl_c.join()

    assert done == {"wait 3600": "? stopped waiting\n", "wait 0": "", "calls": "  0 up, 0 ended\n", "quit": ""}


def test_an_application_that_does_not_come_is_not_waited_for_for_ever(typist: Typist, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keyboard_module, "PATIENCE_S", 0.05)

    assert typist.types("app") == "? no application has logged in within 0.05 s\n"


@pytest.mark.parametrize("typed", ["wait 3600", "app"])
def test_a_wait_ends_when_everything_is_to_end(typist: Typist, typed: str):
    """Ctrl-C does not wait for it."""
    typist.stopping.set()

    typist.types(typed)


@pytest.mark.parametrize("typed", ["", "   ", "# a comment"])
def test_an_empty_line_and_a_comment_do_nothing(typist: Typist, typed: str):
    assert typist.types(typed) == ""
    assert typist.keyboard.failures == 0


def test_a_seed_of_guests_is_a_number(typist: Typist, app: RelayApp):
    app.calls("hotel")(Shop)
    app.start()

    assert typist.types("guests many") == "? 'many' is no whole number: for example 'guests 7'\n"


def test_help_lists_every_command(typist: Typist):
    said = typist.types("help")

    for command in ("dial [CONTEXT]", "press KEYS", "say WORDS", "hangup", "text WORDS", "cut [SECONDS]", "quit"):
        assert command in said
    for command in ("fax [PAGES]", "agent WORDS", "payment [RESULT]", "meetings", "talk", "webhooks", "files", "fetch"):
        assert f"  {command}" in said


def test_quit_ends_it(typist: Typist):
    typist.types("QUIT")

    assert typist.stopping.is_set()


def test_a_wait_is_over_at_once_when_what_it_waits_for_is_so(typist: Typist):
    once: Callable[[], bool] = lambda: True  # noqa: E731

    assert typist.keyboard.waits_until(once, 0.0)
    assert not typist.keyboard.waits_until(lambda: False, 0.0)
