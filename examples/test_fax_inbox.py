"""Tests of `fax_inbox`, by fax machines, and a person who meant to call somebody else."""

import re

from fax_inbox import AGAIN_S, CLERK, OFFICE, app, send

from relay_actors.testing import AppRunner, PhoneMaker, Simulator

MACHINE = "+15550001111"
OFFER = "https://example.com/offer.pdf"


def test_a_fax_arrives_as_a_document(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """The clerk gets a link to it."""
    relay_app(app)
    phone(MACHINE).is_fax_machine(sends=2).dials(context="fax")
    told = phone(CLERK).receives_text("a fax of 2 pages").body
    [url] = re.findall(r"http\S+", told)
    assert relay_sim.fetch(url).startswith(b"%PDF")


def test_a_fax_goes_out(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """Page by page."""
    relay_app(app)
    phone(MACHINE).is_fax_machine()
    relay_sim.has_document(OFFER, pages=2)
    send(MACHINE, OFFER)
    phone(CLERK).receives_text(f"2 pages have gone to {MACHINE}")
    fax = phone(MACHINE).receives_fax(OFFER)
    assert (fax.document, fax.pages, fax.identity) == (OFFER, 2, OFFICE)


def test_a_machine_that_is_busy_is_called_again(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """By an actor that is still there then."""
    relay_app(app)
    phone(MACHINE).is_busy().is_fax_machine()
    send(MACHINE, OFFER)
    phone(CLERK).receives_text(f"1 pages have gone to {MACHINE}", within=2 * AGAIN_S)
    assert [line.end_reason for line in phone(MACHINE).lines] == ["busy", "hangup"]


def test_a_fax_that_nobody_takes_is_told_to_the_clerk(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Twice it is busy, and then a person answers, who whistles at nobody."""
    relay_app(app)
    phone(MACHINE).is_busy().is_busy().answers()
    send(MACHINE, OFFER)
    assert phone(CLERK).receives_text(within=3 * AGAIN_S).body == f"The fax to {MACHINE} did not get through."
    assert [line.end_reason for line in phone(MACHINE).lines] == ["busy", "busy", "hangup"]


def test_a_person_is_not_whistled_at(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """They are asked for their number."""
    relay_app(app)
    phone("+15550002222").dials(context="fax").hears("your number").presses("5551234#").is_hung_up()
    assert phone(CLERK).receives_text().body == "Call 5551234 back."
