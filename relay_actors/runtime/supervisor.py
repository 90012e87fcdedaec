"""Actors that only supervise. Layer: pillar. Source: OTP ``supervisor`` and ``DynamicSupervisor``."""

from __future__ import annotations

from relay_actors.runtime.actor import Actor

__all__ = ["DynamicSupervisor"]


class DynamicSupervisor(Actor):
    """Has children that come and go: `System.start_child` gives it one, from any thread. They stop all at once (H2)."""
