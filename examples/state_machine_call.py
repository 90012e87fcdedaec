"""A call that is written as states: a PIN with three tries, a menu, and an operator for whoever says nothing."""

from enum import Enum
from typing import ClassVar

from relay_actors import CallActor, RelayApp, StateMachine, StateTimeout, in_any_state, in_state, on_enter
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, ConnectEvent

app = RelayApp()

DESK = "+15550100199"
PINS = {"+15550001111": "4711"}
BALANCE = "twelve euros and fifty cents"
TRIES = 3


class Step(Enum):
    """Where a caller is."""

    OFFERED = "offered"
    PIN = "PIN"
    MENU = "menu"
    OPERATOR = "operator"
    GOODBYE = "goodbye"


def has_keys(event: CollectEvent) -> bool:
    """Whether the caller has pressed something: silence is for the time-out, and a hang-up for nobody."""
    return event.digits != ""


def is_answered(event: CallStateEvent) -> bool:
    """Whether there is somebody to talk to."""
    return event.call_state == "answered"


def is_over(event: ConnectEvent) -> bool:
    """Whether the operator has gone, or was never there."""
    return event.connect_state in ("disconnected", "failed")


class Ask:
    """Another actor asks how much is on the account; it waits until the caller has shown who they are."""


@app.calls("bank")
class Bank(StateMachine, CallActor):
    """What each step does when it is entered, and what it makes of what happens then."""

    initial_state = Step.OFFERED
    keeps_state = True  # after a crash, the caller is asked again what they were being asked
    moves: ClassVar = {
        Step.OFFERED: [Step.PIN],
        Step.PIN: [Step.MENU, Step.OPERATOR, Step.GOODBYE],
        Step.MENU: [Step.OPERATOR, Step.GOODBYE],
        Step.OPERATOR: [Step.GOODBYE],
    }
    patience_s = 20.0

    @in_state(Step.OFFERED, CallReceiveEvent)
    def pick_up(self, event: CallReceiveEvent) -> None:
        """Answer."""
        self.answer()

    @in_state(Step.OFFERED, CallStateEvent, where=is_answered)
    def begin_to_talk(self, event: CallStateEvent) -> None:
        """The caller can hear us."""
        self.go(Step.PIN)

    @on_enter(Step.PIN)
    def ask_for_pin(self) -> None:
        """At first, and after each wrong one."""
        text = "That is wrong. Your PIN, please." if self.data.get("wrong") else "Please enter your PIN."
        self.prompt_tts(text, {"digits": {"max": 4}, "initial_timeout": 60.0})
        self.set_state_timeout(self.patience_s)

    @in_state(Step.PIN, CollectEvent, where=has_keys)
    def check_pin(self, event: CollectEvent) -> None:
        """Three tries, over crashes too: `data` is kept."""
        if event.digits == PINS.get(self.from_number):
            self.go(Step.MENU)
            return
        self.data["wrong"] = self.data.get("wrong", 0) + 1
        if self.data["wrong"] < TRIES:
            self.repeat_state()
        else:
            self.go(Step.GOODBYE)

    @on_enter(Step.MENU)
    def ask_what_for(self) -> None:
        """One key."""
        self.prompt_tts("Press 1 for your balance.", {"digits": {"max": 1}, "initial_timeout": 60.0})
        self.set_state_timeout(self.patience_s)

    @in_state(Step.MENU, CollectEvent, where=has_keys)
    def choose(self, event: CollectEvent) -> None:
        """There is not much to choose."""
        self.go(Step.GOODBYE if event.digits == "1" else Step.OPERATOR)

    @in_state(Step.PIN, StateTimeout)
    @in_state(Step.MENU, StateTimeout)
    def give_up_waiting(self, event: StateTimeout) -> None:
        """Who says nothing may need a person."""
        self.go(Step.OPERATOR)

    @on_enter(Step.OPERATOR)
    def call_the_desk(self) -> None:
        """A crash while they talk leaves them talking, and calls nobody a second time."""
        if not self.data.get("desk_called"):
            self.data["desk_called"] = True
            self.connect([[{"type": "phone", "params": {"from_number": self.to_number, "to_number": DESK}}]])

    @in_state(Step.OPERATOR, ConnectEvent, where=is_over)
    def end_of_talk(self, event: ConnectEvent) -> None:
        """Nobody is there, or not any more."""
        self.go(Step.GOODBYE)

    @on_enter(Step.GOODBYE)
    def say_goodbye(self) -> None:
        """The last words depend on where the caller comes from."""
        words = f"You have {BALANCE}. " if self.previous_state is Step.MENU else ""
        self.hangup(after=self.play_tts(f"{words}Goodbye."))

    @in_state(Step.OFFERED, Ask)
    @in_state(Step.PIN, Ask)
    def not_yet(self, event: Ask) -> None:
        """It comes again when the state has changed; who has asked waits meanwhile."""
        self.postpone()

    @in_any_state(Ask)
    def tell(self, event: Ask) -> str:
        """What a handler returns is the answer."""
        return BALANCE if self.current_state is Step.MENU else ""
