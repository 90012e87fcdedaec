"""What can be looked at while the simulator runs: calls, meetings, talk of agents, reports, files. Layer: door.

Each gives lines for people. Numbers are masked where they are written, by whoever writes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from relay_actors.protocol import json_codec
from relay_actors.simulator.lines import StoryError
from relay_actors.simulator.simulator import Simulator

__all__ = ["calls", "conversations", "files", "meetings", "save", "webhooks"]


def calls(simulator: Simulator) -> Iterator[str]:
    """Tell who is on the phone, and how many have been."""
    up = simulator.calls_up()
    for leg in up:
        yield f"{leg.direction:8} {leg.state:9} {leg.from_number} → {leg.to_number}  {leg.context}"
    yield f"{len(up)} up, {len(simulator.calls) - len(up)} ended"


def meetings(simulator: Simulator) -> Iterator[str]:
    """Tell who is in a conference or a room, and who waits in a queue."""
    told = [
        f"conference {conference.name}: {', '.join(member.number for member in conference.members)}"
        f"{'' if conference.is_started else ' (not started)'}"
        for conference in simulator.conferences
    ]
    told += [f"room {room.name}: {', '.join(room.members)}" for room in simulator.rooms]
    told += [f"queue {queue.name}: {', '.join(queue.waiting) or 'nobody waits'}" for queue in simulator.queues]
    yield from told or ["nobody meets anybody, and nobody waits"]


def conversations(simulator: Simulator) -> Iterator[str]:
    """Tell what agents and callers have said to each other."""
    told = [line for conversation in simulator.conversations for line in str(conversation).splitlines()]
    yield from told or ["no agent has spoken with anybody"]


def webhooks(simulator: Simulator) -> Iterator[str]:
    """Tell what would have been sent by HTTP."""
    told = [f"{hook.method} {hook.url} {json_codec.dumps(hook.body).decode()}" for hook in simulator.webhooks]
    yield from told or ["nothing would have been sent by HTTP"]


def files(simulator: Simulator) -> Iterator[str]:
    """Tell where recordings, transcripts and received faxes lie; a browser opens them while the simulator runs."""
    yield from simulator.files or ["there is no recording, no transcript and no fax yet"]


def save(simulator: Simulator, url: str, folder: Path) -> Path:
    """Write what lies at ``url``, or the latest file if that is empty, into ``folder``, under the name it has there.

    Raises:
        StoryError: there is nothing, or it cannot be written; a file that is there already is left as it is.
    """
    url = url or next(reversed(simulator.files), "")
    if not url:
        raise StoryError("there is no recording, no transcript and no fax yet")
    data = simulator.fetch(url)
    path = folder / Path(urlsplit(url).path).name
    try:
        with path.open("xb") as file:
            file.write(data)
    except OSError as error:
        raise StoryError(f"{path} cannot be written: {error.strerror}") from error
    return path
