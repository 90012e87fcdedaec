"""`relay-actors journal`: what is in it, one call, check and compact; and its exit statuses."""

import contextlib
import json
import os
import re
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from relay_actors.cli.main import main
from relay_actors.journal.entries import CallStarted, CommandIntended, EventReceived, Session, SubjectEnded
from relay_actors.journal.sqlite import SqliteStore
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from tests.cli.processes import Command
from tests.cli.test_top import variables

APPLICATION = """
from relay_actors import CallActor, RelayApp, Timing

app = RelayApp(timing=Timing(linger_s=0.05), journal="calls.db")


@app.calls("shop")
class Clerk(CallActor):
    async def run(self):
        await self.answer()
        menu = await self.prompt_tts("Press 7.", {"digits": {"max": 1}, "initial_timeout": 30000})
        await menu.wait()
"""

CALL_ID = "b1f2a0d4-1111-4222-8333-944444444444"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal with two calls, one of which has ended, and a dial."""
    path = tmp_path / "calls.db"

    def event(subject: str, at: float, **params: Any) -> EventReceived:
        return EventReceived(subject=subject, at=at, payload={"event_type": "calling.call.state", "params": params})

    with contextlib.closing(SqliteStore(path)) as store:
        store.append(
            [
                event(CALL_ID, 1.0, call_state="created", device={"params": {"from_number": "+15550100123"}}),
                CallStarted(subject=CALL_ID, at=1.1, actor="shop:Clerk", direction="inbound"),
                event(CALL_ID, 1.2, call_state="answered", tag="t-77"),
                CommandIntended(subject=CALL_ID, at=1.5, request_id="r", method="calling.play", params={}, number=1),
                event("b1ff", 2.0, call_state="ended"),
                SubjectEnded(subject="b1ff", at=2.0, reason="hangup"),
                CommandIntended(subject="dial-9", at=3.0, request_id="d", method="calling.dial", params={}),
            ]
        )
        store.put_session(Session(protocol="p", authorization_state="the newest state"))
        store.commit()
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> str:
    """Run the command; return what it has written, and check its exit status."""
    assert main(["journal", *map(str, arguments)]) == status
    written = capsys.readouterr()
    return written.err if status == 2 else written.out + written.err


def change(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(statement)


def test_a_running_application_is_looked_into_and_not_disturbed(
    tmp_path: Path, server: SimulatorServer, simulator: Simulator
):
    """O6, J10: its call with its timeline, from another process, while it goes on; but it is not compacted then."""
    (tmp_path / "shop_application.py").write_text(APPLICATION)
    path = str(tmp_path / "calls.db")
    with Command("run", "shop_application", cwd=tmp_path, **variables(server)) as run:
        run.says("logged in")
        ada = simulator.phone("+15550001111").dials(context="shop")
        ada.hears("press 7")

        def ends(*arguments: str, status: int = 0) -> str:
            with Command("journal", path, *arguments) as journal:
                assert journal.ends() == status
                return journal.output

        listed = ends()
        told = ends("--call", ada.call_id[:10])
        sound = ends("--check")
        refused = ends("--compact", status=2)
        ada.presses("7")
        ada.is_hung_up()
        run.signal(signal.SIGTERM)
        assert run.ends() == 0
        assert "Traceback" not in run.output
        assert "1 writer so far" in sound
        ends("--compact")

    assert "a session to resume" in listed
    assert re.search(rf"{re.escape(ada.call_id)} +\d+ .*call +inbound +answered ", listed)
    assert "calling.call.receive created" in told
    assert "calling.answer ok after" in told
    assert "sent" in told
    assert "5550001111" not in told
    assert "sound: " in sound
    assert "in use by another writer" in refused


def test_the_list_tells_what_is_there(path: Path, capsys: pytest.CaptureFixture[str]):
    """One line for each, how many writers there were, the size; and never the session's secret."""
    shown = said(capsys, path)

    assert re.search(r"calls.db: [\d,]+ bytes, 1 writer so far, a session to resume", shown)
    assert re.search(
        rf"{CALL_ID} +4 +1: calling.play +call +inbound +answered +1970-01-01 00:00:01.000 +shop:Clerk", shown
    )
    assert re.search(r"b1ff +2 +call +ended ", shown)
    assert re.search(r"dial-9 +1 +1: calling.dial +dial +outbound ", shown)
    assert "newest state" not in shown


def test_what_was_moved_aside_is_told(path: Path, capsys: pytest.CaptureFixture[str]):
    """A person should hear of it who looks, and did not read the log."""
    Path(f"{path}.damaged-1").touch()
    Path(f"{path}.damaged-1-wal").touch()

    assert said(capsys, path).splitlines()[-1] == f"{path}.damaged-1 was damaged, and moved aside"


def test_an_empty_journal_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with contextlib.closing(SqliteStore(tmp_path / "new.db")):
        pass

    shown = said(capsys, tmp_path / "new.db")

    assert "no session to resume" in shown
    assert "no calls, no texts, no dials" in shown


def test_it_is_given_to_machines_as_json(path: Path, capsys: pytest.CaptureFixture[str]):
    """Each of the four, for monitoring and for scripts."""
    listed = json.loads(said(capsys, path, "--json"))
    told = json.loads(said(capsys, path, "--json", "--call", CALL_ID))
    checked = json.loads(said(capsys, path, "--json", "--check"))
    compacted = json.loads(said(capsys, path, "--json", "--compact"))

    assert (listed["writers"], listed["session"]) == (1, True)
    assert [one["id"] for one in listed["subjects"]] == [CALL_ID, "b1ff", "dial-9"]
    assert listed["subjects"][0]["class"] == "shop:Clerk"
    assert told["state"] == "answered"
    assert [line["what"] for line in told["timeline"]] == ["came", "began", "came", "sent"]
    assert "0100123" not in json.dumps(told)
    assert checked == {"sound": True, "faults": []}
    assert compacted["forgotten"] == ["b1ff"]
    assert compacted["after"] <= compacted["before"]


@pytest.mark.parametrize("wanted", [CALL_ID, "b1f2", "t-77"])
def test_a_call_is_found_by_its_id_its_beginning_and_its_tag(
    path: Path, wanted: str, capsys: pytest.CaptureFixture[str]
):
    lines = said(capsys, path, "--call", wanted).splitlines()

    assert lines[0] == f"{CALL_ID}: call inbound shop:Clerk answered, since 1970-01-01 00:00:01.000 UTC"
    assert re.fullmatch(r"00:00:01.000 +\+0.000 s came +calling.call.state created from \+\*\*\*23", lines[1])
    assert re.fullmatch(r"00:00:01.200 +\+0.200 s came +calling.call.state answered tag=t-77", lines[3])
    assert lines[-1] == "pending: calling.play, since 00:00:01.500"


def test_numbers_are_shown_when_they_are_asked_for(path: Path, capsys: pytest.CaptureFixture[str]):
    assert "+15550100123" in said(capsys, path, "--call", CALL_ID, "--unmasked")


def test_a_call_that_is_not_there_is_an_error_that_helps(path: Path, capsys: pytest.CaptureFixture[str]):
    """A misspelt id, the beginning of two, and one of another file."""
    assert "did you mean dial-9?" in said(capsys, path, "--call", "dail-9", status=2)
    assert f"fits 2: {CALL_ID}, b1ff. Give more of the id" in said(capsys, path, "--call", "b1f", status=2)
    assert f"`relay-actors journal {path}` says which there are" in said(capsys, path, "--call", "xyz", status=2)
    assert "has nothing of that id" in said(capsys, path, "--call", "", status=2)


def test_a_check_says_whether_it_is_sound(path: Path, capsys: pytest.CaptureFixture[str]):
    """By its exit status, too (SEMANTICS J7)."""
    assert "sound: 7 entries of 3, 1 writer so far" in said(capsys, path, "--check")

    change(path, f"DELETE FROM entries WHERE subject = '{CALL_ID}' AND sequence = 2")
    shown = said(capsys, path, "--check", status=1)
    assert f"the journal of {CALL_ID} has a gap: entry 1 is followed by 3" in shown
    assert "An application that is started with it moves it aside" in shown
    assert "damaged: the journal of" in said(capsys, path, status=1)
    assert "has a gap" in said(capsys, path, "--call", CALL_ID, status=1)
    assert "dial outbound" in said(capsys, path, "--call", "dial-9")
    assert json.loads(said(capsys, path, "--check", "--json", status=1))["sound"] is False


def test_a_damaged_record_is_told_and_other_calls_are_still_to_be_seen(path: Path, capsys: pytest.CaptureFixture[str]):
    change(path, "UPDATE entries SET body = x'00' WHERE subject = 'b1ff' AND sequence = 1")

    assert f"the journal {path} is damaged (entry 1 of b1ff" in said(capsys, path, status=1)
    assert "calling.play" in said(capsys, path, "--call", CALL_ID)


def test_compacting_forgets_what_has_ended_and_gives_space_back(path: Path, capsys: pytest.CaptureFixture[str]):
    """And keeps all else; it is a writer, so its number is counted (SEMANTICS J7)."""
    with contextlib.closing(SqliteStore(path)) as store:
        store.append(EventReceived(subject=f"c-{n}", at=1.0, payload={"pad": "." * 1000}) for n in range(200))
        store.append(SubjectEnded(subject=f"c-{n}", at=2.0) for n in range(200))
        store.commit()
    size = path.stat().st_size

    shown = said(capsys, path, "--compact")

    assert shown == f"{size:,} bytes before, {path.stat().st_size:,} bytes after; 201 that had ended forgotten\n"
    assert path.stat().st_size < size / 4
    assert "sound: 5 entries of 2, 3 writers so far" in said(capsys, path, "--check")


def test_compacting_a_journal_in_use_says_who_uses_it(path: Path, capsys: pytest.CaptureFixture[str]):
    with contextlib.closing(SqliteStore(path)):
        told = said(capsys, path, "--compact", status=2)

    assert f"in use by another writer (process {os.getpid()}). Stop that one first" in told


@pytest.mark.parametrize("options", [(), ("--call", "c-1"), ("--check",), ("--compact",)])
def test_a_file_that_is_no_journal_is_an_error_of_the_user(
    tmp_path: Path, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
):
    """And one that is not there is not made."""
    change(tmp_path / "other.db", "CREATE TABLE customers (name TEXT)")

    assert "database of another application" in said(capsys, tmp_path / "other.db", *options, status=2)
    for text in ("bread\n", "once upon a time\n" * 1000):
        (tmp_path / "notes.txt").write_text(text)
        told = said(capsys, tmp_path / "notes.txt", *options, status=2)
        assert "notes.txt is no journal (" in told
        assert "damaged" not in told
        assert (tmp_path / "notes.txt").read_text() == text
    assert "No such file" in said(capsys, tmp_path / "none.db", *options, status=2)
    assert not (tmp_path / "none.db").exists()


def test_a_file_of_which_nothing_can_be_read_is_damaged(path: Path, capsys: pytest.CaptureFixture[str]):
    path.write_bytes(path.read_bytes()[:50])

    for options in ((), ("--call", "c-1"), ("--compact",)):
        assert f"the journal {path} is damaged (database disk image is malformed)" in said(
            capsys, path, *options, status=1
        )
    assert "database disk image is malformed" in said(capsys, path, "--check", status=1)
    assert json.loads(said(capsys, path, "--check", "--json", status=1))["sound"] is False
