"""Tests of `worker_pool`, by callers who ask for different things."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import worker_pool
from worker_pool import HowMany, app

from relay_actors.testing import AppRunner, PhoneMaker

ADA, BEN = "+15550001111", "+15550002222"


@pytest.fixture(autouse=True)
def _stock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "DATABASE", str(tmp_path / "stock.db"))
    with closing(sqlite3.connect(worker_pool.DATABASE)) as connection, connection:
        connection.execute("CREATE TABLE stock (article TEXT, number INTEGER)")
        connection.executemany("INSERT INTO stock VALUES (?, ?)", [("111", 5), ("222", 12)])


def test_callers_hear_what_is_in_stock_and_how_often_they_called(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Whoever of the clerks and tellers answers them."""
    relay_app(app)
    for visit in (1, 2):
        ada = phone(ADA).dials(context="stock").hears(f"call number {visit}").presses("111")
        ada.hears("we have 5 of article 111").is_hung_up()
    ben = phone(BEN).dials(context="stock").hears("call number 1").presses("999")
    ben.hears("we have 0").is_hung_up()


def test_what_a_clerk_raises_goes_to_who_asked(
    relay_app: AppRunner, phone: PhoneMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And to nobody else: the clerks go on."""
    relay_app(app)
    ada = phone(ADA).dials(context="stock").hears("call number")
    clerks = app.lookup("clerks")
    assert clerks
    with monkeypatch.context() as patch:
        patch.setattr(worker_pool, "DATABASE", "/nowhere/at/all.db")
        with pytest.raises(sqlite3.OperationalError):
            clerks.ask(HowMany("111"), timeout=5)
    ada.presses("222").hears("we have 12 of article 222").is_hung_up()
