"""The official SDK's source distribution, and how a program that is written for it becomes one for our client."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["DOCUMENTS", "EXAMPLES", "OFFICIAL", "OURS", "SIDES", "for_side", "unpacked"]

OFFICIAL, OURS = "signalwire.relay", "relay_actors.client"
SIDES = (OFFICIAL, OURS)
"""From where a program imports its client: what is compared."""

EXAMPLES = (
    "relay/examples/relay_answer_and_welcome.py",
    "relay/examples/relay_dial_and_play.py",
    "relay/examples/relay_ivr_connect.py",
    "examples/quickstart_relay.py",
    "examples/relay_answer_and_welcome.py",
)
DOCUMENTS = (
    "relay/README.md",
    "relay/docs/getting-started.md",
    "relay/docs/client-reference.md",
    "relay/docs/call-methods.md",
    "relay/docs/events.md",
    "relay/docs/messaging.md",
)

_IMPORT = re.compile(rf"^(\s*from ){re.escape(OFFICIAL)}( import )", re.MULTILINE)


def for_side(source: str, side: str) -> str:
    """Return a program as it runs on one side: as it is, or with its import lines, and nothing else, changed."""
    return source if side == OFFICIAL else _IMPORT.sub(rf"\g<1>{side}\g<2>", source)


@contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """Unpack the source distribution into a folder that is removed afterwards; give the one that has all of it."""
    with TemporaryDirectory(prefix="parity-") as folder:
        with tarfile.open(archive) as sources:
            if hasattr(tarfile, "data_filter"):  # later than our oldest Python
                sources.extraction_filter = tarfile.data_filter
            sources.extractall(folder)
        yield Path(folder) / archive.name.removesuffix(".tar.gz")
