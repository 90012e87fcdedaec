"""What is typed is what the caller does; what cannot be done is said, and nothing else happens."""

import io
import threading
from collections.abc import Callable

import pytest

from relay_actors import CallActor, MessageActor, RelayApp
from relay_actors.cli import keyboard as keyboard_module
from relay_actors.cli.keyboard import NUMBER, Keyboard
from relay_actors.cli.screen import Screen
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


class Inbox(MessageActor):
    def on_receive(self, message: object) -> None:
        self.reply("Thank you.")


class Typist:
    """A keyboard whose answers can be read."""

    def __init__(self, simulator: Simulator) -> None:
        self._stream = io.StringIO()
        self.stopping = threading.Event()
        self.keyboard = Keyboard(simulator, Screen(self._stream, {}).say, self.stopping)

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
    """A running application with one context."""
    app.calls("shop")(Shop)
    app.messages("shop")(Inbox)
    app.start()
    return app


def test_a_whole_call_can_be_typed(typist: Typist, simulator: Simulator, shop: RelayApp):
    """A context is not needed: the application has only one."""
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

    assert "did not hear 'good morning' within" in typist.types("dial", "hear press 7", "hear good morning")
    assert "was not hung up within" in typist.types("ended")
    typist.types("hangup")


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


def test_quit_ends_it(typist: Typist):
    typist.types("QUIT")

    assert typist.stopping.is_set()


def test_a_wait_is_over_at_once_when_what_it_waits_for_is_so(typist: Typist):
    once: Callable[[], bool] = lambda: True  # noqa: E731

    assert typist.keyboard.waits_until(once, 0.0)
    assert not typist.keyboard.waits_until(lambda: False, 0.0)
