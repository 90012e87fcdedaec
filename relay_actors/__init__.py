"""Every phone call is its own supervised actor: a framework for SignalWire RELAY."""

from relay_actors._version import __version__

__all__ = ["__version__"]
