"""What people do while a program runs: the same under both clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.parity.mishaps.bench import Control

__all__ = ["AGENT", "CALLER", "DIALLED", "OFFICE", "OF_EXAMPLES", "OF_SNIPPETS", "STATE_FIRST", "Scenario"]

OFFICE, CALLER = "+15559990001", "+15550001111"
AGENT = "+19184238080"
"""Whom the example of a menu connects callers to."""
DIALLED = "+15550000002"
"""Whom the example of a dialled call calls."""
CONTEXT = "default"
STATE_FIRST = "answers, told by the state of the call, then by the dial"
DIAL_FIRST = "answers, told by the dial, then by the state of the call"

WITHIN_S = 10.0
"""How long anybody waits for anything."""

Story = Callable[[Control], None]


def nothing(_control: Control) -> None:
    """Nobody does anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One run of a program.

    Attributes:
        name: what people do.
        before: what is said of them before the program starts.
        tell: what they do while it runs.
        is_interrupted: it runs until it is interrupted, as by Ctrl-C; otherwise it ends by itself.
        manners: how the server behaves where RELAY leaves it open.
    """

    name: str
    before: Story = nothing
    tell: Story = nothing
    is_interrupted: bool = True
    manners: Mapping[str, object] | None = None


def _dials(control: Control) -> None:
    control.dials(CALLER, OFFICE, CONTEXT)


def _is_hung_up(control: Control) -> None:
    _dials(control)
    control.person(CALLER, "is_hung_up", within=WITHIN_S)


def _hears(what: str) -> Story:
    def tell(control: Control) -> None:
        _dials(control)
        control.person(CALLER, "hears", what=what, within=WITHIN_S)
        control.person(CALLER, "is_hung_up", within=WITHIN_S)

    return tell


def _reacts(number: str, to: str, **does: object) -> Story:
    """Say what somebody does as soon as they hear something: done by hand, it might come too late on a busy machine."""
    return lambda control: control.person(number, "reacts", to=to, **does)


def _wants_an_agent(control: Control) -> None:
    _dials(control)
    control.person(AGENT, "rings", within=WITHIN_S)


def _talks_and_hangs_up(control: Control) -> None:
    _is_answered(control)
    control.person(CALLER, "hangs_up")
    control.person(AGENT, "is_hung_up", within=WITHIN_S)


def _is_answered(control: Control) -> None:
    _wants_an_agent(control)
    control.person(AGENT, "answers")
    control.person(CALLER, "talks_to", other=AGENT, within=WITHIN_S)


def _agent_hangs_up(control: Control) -> None:
    _is_answered(control)
    control.person(AGENT, "hangs_up")
    control.pauses(0.5)
    control.person(CALLER, "hangs_up")


def _agent_rejects(control: Control) -> None:
    _wants_an_agent(control)
    control.person(AGENT, "rejects")
    control.pauses(0.5)
    control.person(CALLER, "hangs_up")


def _hangs_up_while_it_rings(control: Control) -> None:
    _wants_an_agent(control)
    control.person(CALLER, "hangs_up")
    control.person(AGENT, "is_hung_up", within=WITHIN_S)


def _dialled(verb: str) -> Story:
    return lambda control: control.person(DIALLED, verb)


def _answers(control: Control) -> None:
    control.person(DIALLED, "rings", within=WITHIN_S)
    control.person(DIALLED, "answers")


def _answers_and_is_reported_later(control: Control) -> None:
    """Let the state of the call be told a moment after the dial: at once, it would be luck who waits for it already."""
    control.person(DIALLED, "rings", within=WITHIN_S)
    control.fault("delay", event_type="calling.call.state", seconds=0.3)
    control.person(DIALLED, "answers")


def _hears_the_greeting(answers: Story) -> Story:
    def tell(control: Control) -> None:
        answers(control)
        control.person(DIALLED, "hears", what="welcome", within=WITHIN_S)
        control.person(DIALLED, "is_hung_up", within=WITHIN_S)

    return tell


def _texts(control: Control) -> None:
    control.person(CALLER, "texts", body="Are you open?", context=CONTEXT, to=OFFICE)


def _texts_and_gets_one(control: Control) -> None:
    _texts(control)
    control.person(CALLER, "receives_text", what="you said", within=WITHIN_S)


def _calls_and_texts(control: Control) -> None:
    _is_hung_up(control)
    _texts(control)


_DIAL_FIRST: Mapping[str, object] = {"dial_event_first": True}
_WELCOME = (
    Scenario(name="hears the welcome", tell=_hears("welcome")),
    Scenario(
        name="hangs up during the welcome",
        before=_reacts(CALLER, "welcome", hangs_up=True),
        tell=_is_hung_up,
    ),
)
_DIAL_AND_PLAY = (
    Scenario(name=STATE_FIRST, tell=_hears_the_greeting(_answers), is_interrupted=False),
    Scenario(
        name=DIAL_FIRST,
        tell=_hears_the_greeting(_answers_and_is_reported_later),
        is_interrupted=False,
        manners=_DIAL_FIRST,
    ),
    Scenario(
        name="answers, and hangs up during the greeting",
        before=_reacts(DIALLED, "welcome", hangs_up=True),
        tell=_hears_the_greeting(_answers_and_is_reported_later),
        is_interrupted=False,
        manners=_DIAL_FIRST,
    ),
    Scenario(
        name="does not answer",
        before=_dialled("never_answers"),
        is_interrupted=False,
        manners=_DIAL_FIRST | {"ring_s": 5.0},
    ),
    Scenario(name="is busy", before=_dialled("is_busy"), is_interrupted=False, manners=_DIAL_FIRST),
    Scenario(name="declines", before=_dialled("rejects"), is_interrupted=False, manners=_DIAL_FIRST),
)
_MENU, _FOR_AN_AGENT = "press 1", _reacts(CALLER, "press 1", presses="0")
_IVR_CONNECT = (
    Scenario(name="presses 1", before=_reacts(CALLER, _MENU, presses="1"), tell=_hears("sales representative")),
    Scenario(name="presses 2", before=_reacts(CALLER, _MENU, presses="2"), tell=_hears("support team")),
    Scenario(name="presses 0, and hangs up on the agent", before=_FOR_AN_AGENT, tell=_talks_and_hangs_up),
    Scenario(name="presses 0, and the agent hangs up", before=_FOR_AN_AGENT, tell=_agent_hangs_up),
    Scenario(name="presses 0, and the agent declines", before=_FOR_AN_AGENT, tell=_agent_rejects),
    Scenario(name="presses 0, and hangs up while it rings", before=_FOR_AN_AGENT, tell=_hangs_up_while_it_rings),
    Scenario(
        name="presses 9, which is no choice",
        before=_reacts(CALLER, _MENU, presses="9"),
        tell=_hears("valid selection"),
    ),
    Scenario(name="presses nothing", tell=_hears("valid selection")),
    Scenario(name="hangs up during the menu", before=_reacts(CALLER, _MENU, hangs_up=True), tell=_is_hung_up),
    Scenario(
        name="hangs up during the first words", before=_reacts(CALLER, "welcome", hangs_up=True), tell=_is_hung_up
    ),
)

OF_EXAMPLES: Mapping[str, tuple[Scenario, ...]] = {
    "relay/examples/relay_answer_and_welcome.py": _WELCOME,
    "relay/examples/relay_dial_and_play.py": _DIAL_AND_PLAY,
    "relay/examples/relay_ivr_connect.py": _IVR_CONNECT,
    "examples/quickstart_relay.py": _WELCOME,
    "examples/relay_answer_and_welcome.py": _WELCOME,
}
OF_SNIPPETS: Mapping[str, Scenario] = {
    "README.md, Quick Start": Scenario(name="a caller", tell=_hears("welcome")),
    "getting-started.md, Minimal Example": Scenario(name="a caller", tell=_hears("hello")),
    "getting-started.md, Minimal Example, 2": Scenario(name="a caller", tell=_is_hung_up),
    "client-reference.md, run": Scenario(name="nobody"),
    "messaging.md, Receiving Messages": Scenario(name="a text", tell=_texts_and_gets_one),
    "messaging.md, Combining Calls and Messages": Scenario(name="a caller and a text", tell=_calls_and_texts),
}
