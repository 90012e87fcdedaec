"""Verbs on what is handed over on the phone."""

from __future__ import annotations

import pytest

from relay_actors.actors.actions import FaxAction, PayAction
from relay_actors.actors.verbs.documents import DocumentVerbs
from tests.actors.verbs.on_the_wire import Case, case, defined_in, is_refused, sent_by, without_ids
from tests.actors.world import Witness, World

PDF = "https://example.com/invoice.pdf"
CONNECTOR = "https://example.com/pay"

CASES = [
    case("send_fax", "calling.send_fax", {"document": PDF}, PDF),
    case(
        "send_fax",
        "calling.send_fax",
        {"document": PDF, "identity": "+15550100", "header_info": "Invoice", "x": 1},
        PDF,
        identity="+15550100",
        header_info="Invoice",
        x=1,
    ),
    case("receive_fax", "calling.receive_fax", {}),
    case("receive_fax", "calling.receive_fax", {"x": 1}, x=1),
    case("pay", "calling.pay", {"payment_connector_url": CONNECTOR}, CONNECTOR),
    case(
        "pay",
        "calling.pay",
        {
            "payment_connector_url": CONNECTOR,
            "input": "dtmf",
            "timeout": "5",
            "max_attempts": "3",
            "security_code": "true",
            "postal_code": "false",
            "charge_amount": "25.99",
            "parameters": [{"name": "order", "value": "12345"}],
            "prompts": [{"for": "payment-card-number", "actions": [{"type": "Say", "phrase": "Your card?"}]}],
            "bank_account_type": "consumer-checking",
        },
        CONNECTOR,
        input_method="dtmf",
        timeout=5,
        max_attempts="3",
        security_code=True,
        postal_code=False,
        charge_amount=25.99,
        parameters=[{"name": "order", "value": "12345"}],
        prompts=[{"for": "payment-card-number", "actions": [{"type": "Say", "phrase": "Your card?"}]}],
        bank_account_type="consumer-checking",
    ),
]


def test_these_are_all_of_them():
    """A verb that nobody calls below would not be proved."""
    assert {one.values[0].verb for one in CASES} == set(defined_in(DocumentVerbs))


@pytest.mark.parametrize("one", CASES)
def test_a_verb_sends_what_was_given_and_nothing_else(world: World, one: Case):
    """The values of a payment go out as text, whatever they are (PROTOCOL 11.10)."""
    handle, params = sent_by(world, one)
    assert without_ids(handle, params, control_id=True) == one.params
    assert world.sim.violations == ()


@pytest.mark.parametrize(
    ("verb", "args", "kwargs", "names"),
    [
        ("send_fax", ("",), {}, "document"),
        ("send_fax", (PDF,), {"identity": 5}, "identity"),
        ("receive_fax", (), {"control_id": ""}, "control_id"),
        ("pay", ("",), {}, "payment_connector_url"),
        ("pay", (CONNECTOR,), {"timeout": [5]}, "timeout"),
        ("pay", (CONNECTOR,), {"prompts": "Your card?"}, "prompts"),
        ("pay", (CONNECTOR,), {"parameters": {"order": 5}}, "parameters"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_sent(
    world: World, verb: str, args: tuple[object, ...], kwargs: dict[str, object], names: str
):
    """What a script gets wrong must be said at its line, and not by the server seconds later."""
    is_refused(world, names, verb, args, kwargs)


@pytest.mark.parametrize(
    ("verb", "args", "kind"),
    [("send_fax", (PDF,), FaxAction), ("receive_fax", (), FaxAction), ("pay", (CONNECTOR,), PayAction)],
)
def test_a_verb_gives_the_handle_of_its_operation(world: World, verb: str, args: tuple[object, ...], kind: type):
    """Source: methods.json, ``returns``."""
    _line, handle = world.answered(Witness)
    action = getattr(handle, verb)(*args)
    assert type(action) is kind
    assert action.get(timeout=5) is action


@pytest.mark.parametrize(("verb", "args"), [("send_fax", (PDF,)), ("receive_fax", ())])
def test_a_fax_is_stopped_by_the_command_of_its_own_direction(world: World, verb: str, args: tuple[object, ...]):
    """The two have different ones (PROTOCOL 11.6)."""
    _line, handle = world.answered(Witness)
    action = getattr(handle, verb)(*args).get(timeout=5)
    action.stop().get(timeout=5)
    assert world.methods()[-1] == f"calling.{verb}.stop"
    assert action.wait(timeout=5).get().success is False


def test_a_payment_that_is_stopped_says_so(world: World):
    """Source: PROTOCOL 11.10."""
    _line, handle = world.answered(Witness)
    payment = handle.pay(CONNECTOR).get(timeout=5)
    payment.stop()
    assert payment.wait(timeout=5).get().result == "relay-pay-stop"
