"""How a program for the official SDK becomes one for our client, and how the distribution is unpacked."""

from __future__ import annotations

import io
import tarfile

from tests.parity.shipped.sources import OFFICIAL, OURS, for_side, unpacked

PROGRAM = '''"""It says: from signalwire.relay import nothing."""
from signalwire.relay import RelayClient, CALL_STATE_ANSWERED
    from signalwire.relay import RelayError
from signalwire.relays import other
'''


def test_under_the_official_client_a_program_stays_as_it_is():
    assert for_side(PROGRAM, OFFICIAL) == PROGRAM


def test_under_ours_only_its_import_lines_are_changed():
    assert for_side(PROGRAM, OURS).splitlines() == [
        '"""It says: from signalwire.relay import nothing."""',
        "from relay_actors.client import RelayClient, CALL_STATE_ANSWERED",
        "    from relay_actors.client import RelayError",
        "from signalwire.relays import other",
    ]


def test_a_distribution_is_unpacked_and_gone_afterwards(tmp_path):
    archive = tmp_path / "sdk-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as sources:
        member = tarfile.TarInfo("sdk-1.0/relay/README.md")
        member.size = 2
        sources.addfile(member, io.BytesIO(b"# "))

    with unpacked(archive) as folder:
        assert (folder / "relay" / "README.md").read_text() == "# "
    assert not folder.exists()
