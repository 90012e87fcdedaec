"""How many connections a process may have."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from relay_actors import RelayApp
from relay_actors.connection_slots import check_may_start, none_may_start, take_slot
from relay_actors.errors import ConfigError, ConnectionLimitError


def test_one_more_than_allowed_is_refused_with_what_to_do() -> None:
    """PROTOCOL 6.8: a RuntimeError, before any network activity."""
    give_back = take_slot(1)
    try:
        with pytest.raises(ConnectionLimitError, match=r"has 1 .* may have 1.*RELAY_MAX_CONNECTIONS") as caught:
            take_slot(1)
        assert isinstance(caught.value, RuntimeError)
        take_slot(2)()
    finally:
        give_back()


def test_a_slot_that_was_given_back_twice_is_free_once() -> None:
    """A stop after a stop must not make room for two."""
    give_back, other = take_slot(2), take_slot(2)
    give_back()
    give_back()
    third = take_slot(2)
    with pytest.raises(ConnectionLimitError):
        take_slot(2)
    other()
    third()


def test_of_many_at_once_no_more_than_allowed_get_one() -> None:
    """Applications may be started on several threads."""
    start = threading.Barrier(8)

    def take(_number: int) -> object:
        start.wait(5.0)
        try:
            return take_slot(3)
        except ConnectionLimitError:
            return None

    with ThreadPoolExecutor(8) as pool:
        taken = [give_back for give_back in pool.map(take, range(8)) if give_back is not None]
    assert len(taken) == 3
    for give_back in taken:
        assert callable(give_back)
        give_back()


def test_who_imports_an_application_can_have_it_not_start_by_itself() -> None:
    """Before anything else is looked at: of such an application nobody has said yet with which account."""
    with none_may_start("outer"):
        with none_may_start("inner"), pytest.raises(ConfigError, match=r"^inner$"):
            RelayApp().start()
        with pytest.raises(ConfigError, match=r"^outer$"):
            check_may_start()
    check_may_start()
