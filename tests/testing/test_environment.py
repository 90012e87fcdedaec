"""An application under test is not what a developer's shell makes of it."""

import os

import pytest

from relay_actors.config import Settings
from relay_actors.testing.environment import bare_environment


def test_nothing_of_a_developers_shell_counts_in_the_block_and_all_of_it_afterwards(monkeypatch: pytest.MonkeyPatch):
    """A token in the environment must not win over the one of the test."""
    monkeypatch.setenv("SIGNALWIRE_JWT_TOKEN", "secret")
    monkeypatch.setenv("RELAY_MAX_CONNECTIONS", "1")

    with bare_environment():
        settings = Settings.from_env(project="p", token="t")
        assert settings.credentials.jwt_token == ""
        assert settings.max_connections > 1000

    assert os.environ["SIGNALWIRE_JWT_TOKEN"] == "secret"
    assert os.environ["RELAY_MAX_CONNECTIONS"] == "1"
