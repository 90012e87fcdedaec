"""What one run of an application is made of."""

from __future__ import annotations

from relay_actors.actors.building import new_connector, prepared
from relay_actors.config import Limits, Settings, Timing
from relay_actors.runtime.metrics import TurnMeter
from relay_actors.runtime.system import System
from relay_actors.transport.memory import MemoryConnector
from relay_actors.transport.tapped import TappedConnector
from relay_actors.transport.websocket_client import WebsocketConnector

SETTINGS = Settings.from_env({}, project="p", token="t", host="example.signalwire.com")


def test_a_connector_is_a_real_socket_unless_another_is_given() -> None:
    """Tests and the lab give one; whoever wants to be told the frames has either tapped."""
    given = MemoryConnector(lambda _transport: None)

    assert isinstance(new_connector(None, SETTINGS, Timing(), Limits(), None), WebsocketConnector)
    assert new_connector(given, SETTINGS, Timing(), Limits(), None) is given
    assert isinstance(new_connector(given, SETTINGS, Timing(), Limits(), lambda *_frame: None), TappedConnector)


def test_a_system_is_a_new_one_on_threads_unless_another_is_given() -> None:
    """Its threads bear the application's name; and either measures turns if that was asked for."""
    made = prepared(None, "shop", Timing(), measures=True, spans=False)
    given = System(name="tests")
    try:
        assert made.name == "shop"
        assert made.observation.of_kind(TurnMeter)
        assert prepared(given, "shop", Timing(), measures=False, spans=False) is given
        assert given.name == "tests"
        assert not given.observation.of_kind(TurnMeter)
    finally:
        made.stop()
        given.stop()
