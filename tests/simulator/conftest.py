"""A fresh stage for every test of the simulator."""

from __future__ import annotations

import pytest

from tests.simulator.stage import Peer, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def peer(stage: Stage) -> Peer:
    return stage.client("support")
