"""``relay-actors sim``: the simulator by itself, with whoever types as the caller. Layer: door."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from relay_actors.cli.keyboard import Keyboard
from relay_actors.cli.metrics_server import parse_address
from relay_actors.cli.screen import Screen
from relay_actors.cli.sim_control import SimulatorControl
from relay_actors.cli.story import Teller
from relay_actors.cli.typed_lines import TypedLines
from relay_actors.config import is_loopback
from relay_actors.errors import ConfigError
from relay_actors.runtime.clock import Random, SystemClock, fresh_random
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.tls import TlsFiles, make_tls_files
from relay_actors.simulator.websockets_server import SimulatorServer

__all__ = ["add_command", "introduction"]

PORT: Final = 8443
EVERYWHERE: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
"""What listens on all addresses, and by which of them an application on this machine comes."""
CONTROL: Final = "127.0.0.1:8444"
"""The example of where to listen for tests."""
SERVER_PING_S: Final = 5.0
"""How often a RELAY server pings its clients."""


def add_command(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "sim",
        help="run the simulator, and be the caller",
        description="Runs a RELAY server with people on the phone, and prints the variables by which an application "
        "in another terminal finds it. What is typed here is what the caller does: type help. The same commands can "
        "come from a file or a pipe; then the exit status is 1 if one of them failed. Ends by quit, Ctrl-C or SIGTERM; "
        "while a typed command waits, a first Ctrl-C only ends the wait. With --control, tests in any language say "
        "over HTTP what the callers do.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=PORT, help=f"0 picks a free one (default: {PORT})")
    parser.add_argument("--tls", action="store_true", help="speak TLS, with a throw-away certificate authority")
    parser.add_argument("--project", default="", help="the only project that may log in (default: any)")
    parser.add_argument("--token", default="", help="its token (default: any)")
    parser.add_argument("--pace", type=float, default=1.0, help="how long a simulated second is (default: 1.0)")
    parser.add_argument("--seed", type=int, help="of the ids that the simulator makes")
    parser.add_argument(
        "--control",
        metavar="HOST:PORT",
        help="let tests say over HTTP there what people do and what goes wrong; a port alone is on loopback, 0 picks a "
        f"free one (for example: {CONTROL}; default: off)",
    )
    parser.add_argument(
        "--control-token", default="", help="what such a test has to send as bearer token (default: none)"
    )
    parser.set_defaults(command=_run_command)


def _run_command(options: argparse.Namespace) -> int:
    if not 0 <= options.port <= 65535:
        raise ConfigError(f"--port {options.port}: must be a number from 0 to 65535")
    address = None if options.control is None else parse_address(options.control, option="--control", example=CONTROL)
    if options.control_token and address is None:
        raise ConfigError(f"--control-token is of no use without --control, for example --control {CONTROL}")
    clock = SystemClock()
    simulator = Simulator(
        clock=clock,
        random=fresh_random() if options.seed is None else Random(options.seed),
        pace=options.pace,
        project=options.project,
        token=options.token,
        server_ping_s=SERVER_PING_S,
    )
    stopping, interrupted = threading.Event(), threading.Event()
    teller = Teller(simulator, Screen(), clock=clock, logger=logging.getLogger("relay_actors"))
    keyboard = Keyboard(simulator, teller.say, stopping, interrupted, pace=options.pace)
    with contextlib.ExitStack() as stack:
        tls = stack.enter_context(_certificates(clock)) if options.tls else None
        typed = stack.enter_context(TypedLines(stopping, sys.stdin, interrupted))
        stack.enter_context(teller)
        server = stack.enter_context(SimulatorServer(simulator, options.host, options.port, tls=tls))
        control = None
        if address is not None:
            control = stack.enter_context(SimulatorControl(simulator, *address, token=options.control_token))
        for line in introduction(server, options, tls, control):
            teller.say(line)
        for text in typed:
            keyboard.type(text)
    return 1 if keyboard.failures and not typed.is_terminal else 0


def introduction(
    server: SimulatorServer, options: argparse.Namespace, tls: TlsFiles | None, control: SimulatorControl | None
) -> Iterator[str]:
    """Give the lines that say how an application finds it, which work on this machine as they are."""
    near = EVERYWHERE.get(server.host, server.host)
    host = f"[{near}]" if ":" in near else near
    yield f"listening on {server.url}; in the terminal of the application:"
    yield f"export SIGNALWIRE_SPACE={host}:{server.port}"
    yield f"export SIGNALWIRE_PROJECT_ID={options.project or 'any'}"
    yield f"export SIGNALWIRE_API_TOKEN={options.token or 'any'}"
    yield f"export SIGNALWIRE_RELAY_SCHEME={'wss' if tls else 'ws'}"
    if tls is not None:
        yield f"export SIGNALWIRE_RELAY_CA_FILE={tls.ca_file}"
    yield "and then: relay-actors run your_module:app"
    if server.host != near or not is_loopback(near):
        only = "the certificate is" if tls else "plain ws:// is"
        tunnel = f"ssh -L {server.port}:{host}:{server.port} THIS_MACHINE"
        if server.host != near:
            file = ", with a copy of the CA file" * (tls is not None)
            yield f"from another machine: {tunnel}, and there the same lines{file} ({only} for loopback only)"
        else:
            yield f"warning: applications refuse this host, for {only} for loopback only: leave --host out"
    if control is not None:
        yield f"control API at {control.url}; what there is: curl {control.url}/"
        if control.is_open_to_others:
            yield "warning: whoever reaches this machine can use it; keep it to loopback, or give --control-token"
    yield "Here you are the caller: dial, press 1, say hello, hangup, text hello, guests, help"


@contextlib.contextmanager
def _certificates(clock: SystemClock) -> Iterator[TlsFiles]:
    with tempfile.TemporaryDirectory(prefix="relay-actors-") as directory:
        yield make_tls_files(Path(directory), clock=clock)
