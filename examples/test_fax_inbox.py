"""Tests of `fax_inbox`, by fax machines, and a person who meant to call somebody else."""

import re

from fax_inbox import CLERK, OFFICE, app, send

from relay_actors.testing import AppRunner, PhoneMaker, Simulator

MACHINE = "+15550001111"


def test_a_fax_arrives_as_a_document(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """The clerk gets a link to it."""
    relay_app(app)
    phone(MACHINE).is_fax_machine(tone="CNG", sends=2).dials(context="fax")
    told = phone(CLERK).receives_text("a fax of 2 pages").body
    [url] = re.findall(r"http\S+", told)
    assert relay_sim.fetch(url).startswith(b"%PDF")


def test_a_fax_goes_out(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """Page by page."""
    relay_app(app)
    phone(MACHINE).is_fax_machine()
    relay_sim.has_document("https://example.com/offer.pdf", pages=2)
    call = send(MACHINE, "https://example.com/offer.pdf")
    call.wait_for_ended().get(timeout=5)
    assert call.data["pages"] == 2
    [fax] = phone(MACHINE).line.received_faxes
    assert (fax.document, fax.pages, fax.identity) == ("https://example.com/offer.pdf", 2, OFFICE)


def test_a_person_is_not_whistled_at(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """They are asked for their number."""
    relay_app(app)
    phone("+15550002222").dials(context="fax").hears("your number").presses("5551234#").is_hung_up()
    assert phone(CLERK).receives_text().body == "Call 5551234 back."
