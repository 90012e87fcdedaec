"""Which name of ours takes the place of which one of theirs."""

import importlib
import re

import pytest

import relay_actors.client
from relay_actors.cli.migrate_names import CLIENT, OURS, PRIVATE, class_kind, is_official, names_in, place_of

EXPORTED = """
RelayClient RelayError Call Message parse_event
Action PlayAction RecordAction DetectAction CollectAction StandaloneCollectAction FaxAction TapAction StreamAction
PayAction TranscribeAction AIAction
RelayEvent CallStateEvent CallReceiveEvent PlayEvent RecordEvent CollectEvent ConnectEvent DetectEvent FaxEvent TapEvent
StreamEvent SendDigitsEvent DialEvent ReferEvent DenoiseEvent PayEvent QueueEvent EchoEvent TranscribeEvent HoldEvent
ConferenceEvent CallingErrorEvent MessageReceiveEvent MessageStateEvent
CALL_STATE_CREATED CALL_STATE_RINGING CALL_STATE_ANSWERED CALL_STATE_ENDING CALL_STATE_ENDED
CONNECT_STATE_CONNECTING CONNECT_STATE_CONNECTED CONNECT_STATE_DISCONNECTED CONNECT_STATE_FAILED
EVENT_CALL_STATE EVENT_CALL_RECEIVE EVENT_CALL_PLAY EVENT_CALL_RECORD EVENT_CALL_COLLECT EVENT_CALL_CONNECT
EVENT_CALL_DETECT EVENT_CALL_FAX EVENT_CALL_TAP EVENT_CALL_STREAM EVENT_CALL_SEND_DIGITS EVENT_CALL_DIAL
EVENT_CALL_REFER EVENT_CALL_DENOISE EVENT_CALL_PAY EVENT_CALL_QUEUE EVENT_CALL_ECHO EVENT_CALL_TRANSCRIBE
EVENT_CONFERENCE EVENT_CALLING_ERROR EVENT_MESSAGING_RECEIVE EVENT_MESSAGING_STATE
MESSAGE_STATE_QUEUED MESSAGE_STATE_INITIATED MESSAGE_STATE_SENT MESSAGE_STATE_DELIVERED MESSAGE_STATE_UNDELIVERED
MESSAGE_STATE_FAILED MESSAGE_STATE_RECEIVED
"""
"""What signalwire.relay 3.7.5 exports. Source: PROTOCOL 20."""


def test_all_that_the_official_package_exports_is_in_our_client():
    exported = set(re.findall(r"\w+", EXPORTED))

    assert len(exported) == 79
    assert names_in(CLIENT) == exported


def test_our_client_has_what_is_imported_from_it():
    assert names_in(CLIENT) <= set(relay_actors.client.__all__)


@pytest.mark.parametrize("module", ["relay_actors.constants", "relay_actors.events"])
def test_the_windows_have_what_is_imported_from_them(module: str):
    assert all(hasattr(importlib.import_module(module), name) for name in names_in(module))


@pytest.mark.parametrize(
    ("module", "name", "place"),
    [
        ("signalwire.relay", "Call", CLIENT),
        ("signalwire.relay", "CALL_STATE_ENDED", CLIENT),
        ("signalwire.relay.call", "PlayAction", CLIENT),
        ("signalwire.relay.client", "RelayError", CLIENT),
        ("signalwire.relay.client", "RECONNECT_MAX_DELAY", "relay_actors.constants"),
        ("signalwire.relay.constants", "CALL_STATE_ENDED", "relay_actors.constants"),
        ("signalwire.relay.constants", "END_REASON_BUSY", "relay_actors.constants"),
        ("signalwire.relay.event", "PlayEvent", "relay_actors.events"),
        ("signalwire.relay.message", "Message", CLIENT),
        ("signalwire.relay.message", "*", CLIENT),
        ("signalwire.relay", "_active_clients", ""),
        ("signalwire.relay.call", "EventHandler", ""),
        ("signalwire.relay.consumer", "Consumer", ""),
        ("signalwire", "AgentBase", ""),
    ],
)
def test_a_name_has_its_place_near_to_where_it_was(module: str, name: str, place: str):
    assert place_of(module, name) == place


def test_the_official_client_is_its_package_and_what_is_in_it():
    """And no other of that vendor's, nor one of another vendor with such a name."""
    assert all(map(is_official, OURS))
    assert not any(map(is_official, ["signalwire", "signalwire.rest", "signalwire.relays", "relay", ""]))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("RelayClient", "client"),
        ("Call", "call"),
        ("Message", "message"),
        ("CollectAction", "action"),
        ("CollectEvent", "event"),
        ("RelayError", ""),
        ("threading.Event", ""),
        ("EVENT_CALL_PLAY", ""),
    ],
)
def test_a_class_says_what_its_instances_are(name: str, kind: str):
    assert class_kind(name) == kind


def test_for_each_private_attribute_it_is_said_what_to_write():
    assert all(name.startswith("_") and instead for (_kind, name), instead in PRIVATE.items())
    assert {kind for kind, _name in PRIVATE} == {"client", "call", "message", "action"}
