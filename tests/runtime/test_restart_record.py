"""What is written down about a restart, and who is told."""

import logging

import pytest

from relay_actors.runtime.restart_record import RestartLog, RestartRecord
from relay_actors.runtime.strategies import Strategy

RECORD = RestartRecord(
    at=1.0,
    supervisor="Root#1/Shop#2",
    child="Worker#5",
    child_id="worker",
    kind="error",
    reason="error OSError: no",
    attempt=2,
    max_restarts=3,
    within_s=5.0,
    delay_s=0.0,
    kept=4,
    incarnation=2,
    strategy=Strategy.ONE_FOR_ALL,
    others=3,
)


def test_a_record_is_one_line_for_people():
    """S18: who, where, why, which attempt of how many, how long it waits, what waits for it, and who goes along."""
    assert str(RECORD) == (
        "restarting child=Worker#5 id=worker parent=Root#1/Shop#2 reason=error OSError: no attempt=2 of=3 within_s=5 "
        "delay_s=0 kept=4 incarnation=2 one_for_all_with=3"
    )


def test_every_subscriber_is_told_until_it_leaves():
    """S18: each record once."""
    log, one, two = RestartLog(), list[RestartRecord](), list[RestartRecord]()
    leave = log.subscribe(one.append)
    log.subscribe(two.append)
    log.publish(RECORD)
    leave()
    leave()
    log.publish(RECORD)

    assert (one, two) == ([RECORD], [RECORD, RECORD])


def test_a_subscriber_that_raises_is_detached(caplog: pytest.LogCaptureFixture):
    """O1, S18: it can never fail a supervisor, and is told once that it did wrong."""
    log, seen, calls = RestartLog(), list[RestartRecord](), list[int]()

    def broken(_record: RestartRecord) -> None:
        calls.append(1)
        raise OSError("no")

    log.subscribe(broken)
    log.subscribe(seen.append)
    log.publish(RECORD)
    log.publish(RECORD)

    assert (calls, seen) == ([1], [RECORD, RECORD])
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
