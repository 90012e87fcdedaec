"""What people press and say is read off the application."""

from __future__ import annotations

import pytest

from relay_actors import CallActor, RelayApp
from relay_actors.errors import ConfigError
from relay_actors.testing.chaos.cast import cast_of
from tests.testing.chaos.application import app


def test_contexts_keys_and_words_are_those_of_the_application():
    """Also the words of the texts that it understands."""
    cast = cast_of(app, words=["please"])
    assert set(cast.call_contexts) == {"menu", "echo"}
    assert cast.text_contexts == ("echo",)
    assert {"2", "2#"} <= set(cast.keys)
    assert {"call me", "please"} <= set(cast.words)
    assert not cast.can_die
    assert cast_of(app, can_die=True).can_die


def test_keys_that_stand_in_a_set_are_found_in_one_order():
    """That of a set is another one in each process, and every seed would give another run there."""
    other = RelayApp()

    @other.calls("menu")
    class Menu(CallActor):
        def on_receive(self, message: object) -> None:
            if message in {"77", "5", "66", "8"}:
                self.hangup()

    assert [key for key in cast_of(other).keys if key in {"5", "66", "77", "8"}] == ["5", "66", "77", "8"]


def test_one_to_which_nothing_can_happen_is_refused():
    """A run of it would prove nothing."""
    with pytest.raises(ConfigError, match="nothing can happen to it"):
        cast_of(RelayApp())
