"""The list of scenarios, and the application of ours to which they happen; here in virtual time and undisturbed."""

from __future__ import annotations

from relay_actors.testing.lab import Lab
from tests.parity.mishaps.call_stories import CARD
from tests.parity.mishaps.numbers import (
    ACCOUNT,
    AGENT,
    ANNOUNCED,
    BRIDGE,
    CALLER,
    CLOCK,
    CRASHING,
    DESK,
    FAX_MACHINE,
    LOOK_UP,
    OFFICE,
    PATIENT,
    RINGING,
    TILL,
    WISH,
    name_of,
)
from tests.parity.mishaps.scenarios import SCENARIOS
from tests.parity.mishaps.with_ours import app


def test_each_scenario_has_a_name_of_its_own():
    names = [scenario.name for scenario in SCENARIOS]

    assert len(set(names)) == len(names) >= 16
    assert {number: name_of(number) for number in (CALLER, OFFICE)} == {CALLER: "the caller", OFFICE: OFFICE}


def test_our_application_does_what_the_scenarios_are_about():
    with Lab(seed=7) as lab:
        lab.start(app)
        caller, desk = lab.phone(CALLER), lab.phone(DESK)
        caller.dials(context="office", to=OFFICE).hears("press 1").presses("1").hears("nine to five").is_hung_up()
        caller.dials(context="look-up", to=LOOK_UP).hears("one moment").hears("on its way").is_hung_up()
        caller.dials(context="crashing", to=CRASHING).hears("welcome").is_hung_up()
        caller.dials(context="bridge", to=BRIDGE)
        desk.rings().answers().talks_to(caller)
        caller.hangs_up()
        desk.is_hung_up()


def test_our_application_asks_and_repeats_what_it_was_told():
    with Lab(seed=7) as lab:
        lab.start(app)
        caller = lab.phone(CALLER)
        caller.dials(context="account", to=ACCOUNT).hears("three digits").presses("123").hears(
            "pressed 123"
        ).is_hung_up()
        wish = caller.dials(context="wish", to=WISH).hears("do for you").is_asked()
        wish.says("a pizza").hears("said: a pizza").is_hung_up()
        caller.dials(context="clock", to=CLOCK).hears("the year").is_hung_up()
        caller.dials(context="agent", to=AGENT).hears("hello").says("goodbye").is_hung_up()
        for what, keys in CARD.items():
            caller.reacts(what, presses=keys)
        caller.dials(context="till", to=TILL).hears("receipt").is_hung_up()


def test_our_application_waits_for_states_and_events():
    with Lab(seed=7) as lab:
        lab.start(app)
        caller, desk = lab.phone(CALLER), lab.phone(DESK)
        caller.dials(context="ringing", to=RINGING).hears("welcome").is_hung_up()
        caller.dials(context="patient", to=PATIENT).hears("still there").hangs_up()
        caller.receives_text("hangup")
        caller.dials(context="announced", to=ANNOUNCED)
        desk.rings().answers().talks_to(caller)
        caller.hangs_up()
        desk.is_hung_up()


def test_our_application_does_what_texts_ask_for():
    with Lab(seed=7) as lab:
        lab.start(app)
        desk = lab.phone(DESK)
        desk.texts("call me", context="texts", to=OFFICE).rings().answers().hears("appointment").is_hung_up()
        desk.texts("call me at once", context="texts", to=OFFICE).rings().is_hung_up()
        desk.texts("hello", context="texts", to=OFFICE).receives_text("your text")
        machine = lab.phone(FAX_MACHINE).is_fax_machine()
        desk.texts("fax it", context="texts", to=OFFICE)
        machine.receives_fax("invoice")
        machine.is_hung_up()
        desk.texts("open the shop", context="texts", to=OFFICE)
        lab.settle()
        desk.dials(context="shop", to=OFFICE).hears("press 1").presses("1").hears("nine to five").is_hung_up()
