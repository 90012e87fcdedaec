"""What the people of the cast do on the phone. They are patient: whatever comes late, they wait for it."""

from __future__ import annotations

from random import Random

from relay_actors.simulator.phones import Phone
from relay_actors.simulator.simulator import Simulator
from tests.kill9.cast import Person

__all__ = ["SENTENCES", "has_habits"]

SENTENCES = 3
"""What is said for a recording."""


def has_habits(person: Person, simulator: Simulator, seed: int) -> Phone:
    """Have somebody do by themselves what they are to do, in simulated seconds drawn from the seed."""
    random = Random(f"{seed} {person.label}")
    phone = simulator.phone(person.number).answers_after(random.uniform(1.0, 4.0))
    for step, words in person.words.items():
        phone.reacts(f"{step} {person.label}:", says=words, after=random.uniform(1.0, 3.0))
    for step, keys in person.keys.items():
        if person.kind != "agent":
            _presses(phone, f"{step} {person.label}:", keys, random)
    hello = f"hello from {person.label}"
    match person.kind:
        case "voicemail":
            _leaves_message(phone, person.label, random)
        case "desk" | "waiting":
            phone.reacts_when("connected to", says=hello, after=random.uniform(1.0, 2.0))
        case "at the desk":
            phone.reacts_when("connected to", says=hello, after=random.uniform(1.0, 2.0))
            phone.reacts_when("connected to", hangs_up=True, after=random.uniform(5.0, 15.0))
        case "agent":
            phone.reacts_when("connected to", says=hello, after=random.uniform(1.0, 2.0))
            phone.reacts_when("connected to", presses=person.keys["ready"], after=random.uniform(5.0, 15.0))
    return phone


def _presses(phone: Phone, hears: str, keys: str, random: Random) -> None:
    after = random.uniform(1.0, 4.0)
    for key in keys:
        phone.reacts(hears, presses=key, after=after)
        after += random.uniform(0.4, 1.2)


def _leaves_message(phone: Phone, label: str, random: Random) -> None:
    after = random.uniform(0.5, 1.5)
    for number in range(1, SENTENCES + 1):
        phone.reacts("beep", says=f"this is sentence {number} of {label}", after=after)
        after += random.uniform(3.0, 5.0)
    phone.reacts("beep", presses="#", after=after)
