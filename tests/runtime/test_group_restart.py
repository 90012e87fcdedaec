"""The restart of a group, step by step, without any actor; with actors it is in test_restarting."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from relay_actors.runtime.child_record import ChildRecord
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.group_restart import GroupRestart
from relay_actors.runtime.strategies import Phase


class Script:
    """Members with numbers, of whom those in ``gone`` have ended already; it writes down what is asked of them."""

    def __init__(self, members: int, failed: int, gone: frozenset[int] = frozenset()) -> None:
        cell: Any = None
        self.records = [ChildRecord(cell, ChildSpec(), Phase.RUNNING, None, None) for _ in range(members)]
        self.gone = gone
        self.log: list[Any] = []
        self.paused: list[Callable[[], None]] = []
        self.group = GroupRestart(
            self.records, self.records[failed], leave=self.leave, bring_back=self.bring_back, pause=self.pause
        )

    def number(self, record: ChildRecord) -> int:
        return next(number for number, one in enumerate(self.records) if one is record)

    def leave(self, record: ChildRecord) -> bool:
        self.log.append(("leave", self.number(record)))
        return self.number(record) not in self.gone

    def bring_back(self, record: ChildRecord) -> None:
        self.log.append(("start", self.number(record)))

    def pause(self, go_on: Callable[[], None]) -> None:
        self.log.append("pause")
        self.paused.append(go_on)


@given(st.integers(1, 6), st.data())
def test_all_leave_backwards_and_then_start_forwards(members: int, data: st.DataObject):
    """S4: one at a time, whoever has failed and whoever is gone already."""
    failed = data.draw(st.integers(0, members - 1))
    gone = data.draw(st.frozensets(st.integers(0, members - 1)))
    script = Script(members, failed, gone)
    group = script.group
    group.go_on()
    while not script.paused:
        before = len(script.log)
        _, number = script.log[-1]
        for record in script.records:  # whoever else reports something is not waited for
            group.on_started(record)
            if record is not script.records[number]:
                group.on_left(record)
        assert len(script.log) == before
        group.on_left(script.records[number])
    script.paused.pop()()
    for number in range(members):
        assert script.log[-1] == ("start", number)
        assert not group.is_over
        group.on_left(script.records[number])
        group.on_started(script.records[number])

    assert group.is_over
    others = [number for number in range(members) if number != failed]
    assert script.log == [
        *(("leave", number) for number in reversed(others)),
        "pause",
        *(("start", number) for number in range(members)),
    ]


def test_who_is_removed_is_not_waited_for():
    """S4: in either half, before its turn and in it."""
    script = Script(5, failed=0)
    group, records = script.group, script.records
    group.go_on()
    group.on_removed(records[4])  # in its turn
    group.on_removed(records[2])  # before it
    group.on_left(records[3])
    group.on_left(records[1])
    script.paused.pop()()
    group.on_removed(records[0])
    group.on_started(records[1])
    group.on_removed(records[3])

    assert group.is_over
    assert script.log == [
        *(("leave", 4), ("leave", 3), ("leave", 1)),
        "pause",
        *(("start", 0), ("start", 1), ("start", 3)),
    ]
