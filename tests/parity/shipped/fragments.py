"""Runs fragments of the documents in this process, under one client: ``… shipped.fragments SIDE FOLDER 1/2 NAME``.

Each has a server, a client, a call and people of its own (`staging`), all in this process. It is run as it stands in
the document, with ``await`` outside of any function. For each a line of JSON is printed: its name and its `Run`.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import dataclasses
import importlib
import inspect
import io
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator import Simulator
from relay_actors.simulator.lines import StoryError
from relay_actors.simulator.tls import TlsFiles, make_tls_files
from relay_actors.simulator.websockets_server import SimulatorServer
from tests.parity.shipped.comparing import Run
from tests.parity.shipped.documents import Snippet, is_program, snippets, why_not
from tests.parity.shipped.frames import Frame, commands, names_in
from tests.parity.shipped.program import BY_ITSELF, NOT_AT_ALL, names_of
from tests.parity.shipped.scenarios import CALLER, CONTEXT, OFFICE
from tests.parity.shipped.sources import DOCUMENTS, for_side
from tests.parity.shipped.staging import DESK, STAGINGS, People, Staging

__all__ = ["body", "fragments", "run_from"]

WITHIN_S = 5.0
LOOK_EVERY_S = 0.02
SETTLED_S = 0.2
RAW_PAYLOAD = {
    "event_type": "calling.call.state",
    "params": {"call_id": "call-1", "node_id": "node-1", "call_state": "ended", "end_reason": "hangup"},
}


def fragments(folder: Path) -> Iterator[Snippet]:
    """Give every piece of the documents that can be run, and needs no process of its own."""
    for document in DOCUMENTS:
        for snippet in snippets(document, (folder / document).read_text("utf-8")):
            if not why_not(snippet.code) and not is_program(snippet.code):
                yield snippet


def run_from(line: str) -> tuple[str, Run]:
    """Read a line that this process has printed."""
    name, run = json.loads(line)
    run["frames"] = {call: [Frame(**frame) for frame in sent] for call, sent in run["frames"].items()}
    return name, Run(**run)


def body(source: str, *, connects: bool = False) -> Any:
    """Compile a fragment; what it awaits makes a coroutine of it. With ``connects``, its client connects on line 2."""
    tree = ast.parse(source)
    if connects:
        tree.body[1:1] = ast.parse("await client.connect()").body
    return compile(tree, "<fragment>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


class Stage:
    """A server with people, for one fragment under one client.

    Args:
        sim: the server.
        side: from where the client is imported.
    """

    def __init__(self, sim: Simulator, side: str) -> None:
        self._sim = sim
        self._side = side
        self._module = importlib.import_module(side)

    async def run(self, snippet: Snippet, staging: Staging) -> Run:
        """Run the fragment with what belongs around it."""
        how, printed = BY_ITSELF, io.StringIO()
        async with self._around(staging) as names:
            code = body(for_side(snippet.code, self._side), connects=staging.connects)
            people = asyncio.create_task(_person(staging.people, self._sim))
            with contextlib.redirect_stdout(printed):
                try:
                    async with asyncio.timeout(WITHIN_S) as patience:
                        await _awaited(eval(code, names))
                        await _awaited(eval(body(staging.last), names))
                except Exception as error:  # noqa: BLE001  # whatever it is, it is what is compared
                    how = NOT_AT_ALL if patience.expired() else names_of(error)
                otherwise = await people or await _person(staging.then, self._sim)
                await self._settle()
            if "client" in names:
                await names["client"].disconnect()
        return self._account(how, printed.getvalue(), otherwise)

    @asynccontextmanager
    async def _around(self, staging: Staging) -> AsyncIterator[dict[str, Any]]:
        """Give what a fragment finds: its client, its call, and the names that the documents use."""
        names: dict[str, Any] = {
            "asyncio": asyncio,
            "RelayClient": self._module.RelayClient,
            "callback_fn": lambda event: print(f"callback_fn: {event.params.get('message_state')}"),  # noqa: T201
            "raw_payload": RAW_PAYLOAD,
        }
        if staging.client:
            names["client"] = self._module.RelayClient(contexts=[CONTEXT])
        if staging.client == "connected":
            await names["client"].connect()
        if staging.call:
            names["call"] = await self._call(names["client"], staging.call)
        await _awaited(eval(body(staging.first), names))
        await asyncio.to_thread(staging.ready, self._sim)
        yield names

    async def _call(self, client: Any, what: str) -> Any:
        if what == "fax":
            self._sim.phone(DESK).is_fax_machine()
            return await client.dial([[{"type": "phone", "params": {"to_number": DESK, "from_number": OFFICE}}]])
        calls: asyncio.Queue[Any] = asyncio.Queue()
        client.on_call(calls.put)
        self._sim.phone(CALLER).dials(context=CONTEXT, to=OFFICE)
        call = await asyncio.wait_for(calls.get(), WITHIN_S)
        if what == "answered":
            await call.answer()
        return call

    async def _settle(self) -> None:
        """Wait until nothing is under way any more, then let who is still on the phone hang up, and wait again."""
        await self._is_quiet()
        for phone in self._sim.phones:
            for line in phone.lines:
                if not line.is_over:
                    line.hangs_up()
        await self._is_quiet()

    async def _is_quiet(self) -> None:
        count, since = -1, time.monotonic()
        async with asyncio.timeout(WITHIN_S):
            while time.monotonic() < since + SETTLED_S:
                if count != len(self._sim.frames):
                    count, since = len(self._sim.frames), time.monotonic()
                await asyncio.sleep(LOOK_EVERY_S)

    def _account(self, how: str, printed: str, otherwise: str) -> Run:
        frames = [{"direction": one.direction, "session": one.session, "frame": one.frame} for one in self._sim.frames]
        names = names_in(frames)
        heard = {
            phone.number: [[str(sound) for sound in line.heard] for line in phone.lines] for phone in self._sim.phones
        }
        return Run(
            ended=how,
            printed=names.anonymous(printed.replace(os.environ["SIGNALWIRE_SPACE"], "server").splitlines()),
            heard=names.anonymous(heard),
            frames=commands(frames, names),
            otherwise=otherwise,
        )


async def _awaited(given: Any) -> None:
    if inspect.isawaitable(given):
        await given


async def _person(story: People, sim: Simulator) -> str:
    """Let people do something; they wait by blocking. Return in a line what they have waited for in vain."""
    try:
        await asyncio.to_thread(story, sim)
    except StoryError as error:
        return str(error).partition("\n")[0]
    return ""


def play(snippet: Snippet, side: str, tls: TlsFiles) -> Run:
    """Run one fragment on a server of its own."""
    staging = STAGINGS.get(snippet.name, Staging())
    sim = Simulator(clock=SystemClock(), random=random.Random(7), pace=staging.pace)
    with SimulatorServer(sim, tls=tls) as server:
        os.environ |= {
            "SIGNALWIRE_SPACE": f"{server.host}:{server.port}",
            "SIGNALWIRE_PROJECT_ID": "parity",
            "SIGNALWIRE_API_TOKEN": "parity",
            "SIGNALWIRE_RELAY_CA_FILE": str(tls.ca_file),
        }
        return asyncio.run(Stage(sim, side).run(snippet, staging))


def main(arguments: Sequence[str]) -> None:
    """Run one part of those in whose name the last argument is found."""
    side, folder, part, only = arguments
    number, of = map(int, part.split("/"))
    chosen = [one for one in fragments(Path(folder)) if only in one.name][number - 1 :: of]
    with tempfile.TemporaryDirectory() as directory:
        tls = make_tls_files(Path(directory), clock=SystemClock())
        for snippet in chosen:
            sys.stdout.write(json.dumps([snippet.name, dataclasses.asdict(play(snippet, side, tls))]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
