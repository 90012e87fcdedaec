"""``relay-actors run module[:app]``: runs an application until it is told to stop. Layer: door."""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import operator
import os
import sys
import traceback
from typing import Any

from relay_actors.app import RelayApp
from relay_actors.cli.handover import Settling, take_over
from relay_actors.cli.inspecting import Inspecting
from relay_actors.cli.logs import add_log_level, complain, configure_logging
from relay_actors.cli.metrics_server import MetricsServer, parse_address
from relay_actors.config import INSPECT_VARIABLE, METRICS_VARIABLE
from relay_actors.connection_slots import none_may_start
from relay_actors.errors import CommandRejectedError, ConfigError, JournalError, RelayActorsError
from relay_actors.protocol.frames import CONNECT
from relay_actors.runtime.clock import SystemClock
from relay_actors.testing.recorder import Recorder

__all__ = ["add_command", "load_app", "where"]


def add_command(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "run",
        help="run an application",
        description="Imports an application and runs it. The first SIGTERM or Ctrl-C drains: no new calls, and those "
        "that are up may go on; the second declines who is not answered yet, the third hangs up all, the fourth ends "
        "the process at once. The exit status is 0 after a shutdown, 1 when the application has failed for good or was "
        "ended at once, and 2 when something has to be mended first. With --handover it takes over the calls of the "
        "process that runs with the same journal, by SIGUSR1; that one ends with 0, and nobody is hung up.",
    )
    parser.add_argument(
        "app",
        metavar="module[:app]",
        help="where the RelayApp is; the current directory is searched, and :app may be left out",
    )
    parser.add_argument(
        "--drain", type=float, default=600.0, metavar="SECONDS", help="how long calls may go on (default: 600)"
    )
    parser.add_argument(
        "--handover",
        action="store_true",
        help="take the calls over from the process that runs with the same journal, if there is one",
    )
    parser.add_argument(
        "--handover-timeout",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="how long that one may take to let go of the journal (default: 30)",
    )
    parser.add_argument(
        "--inspect",
        metavar="SOCKET",
        default=os.environ.get(INSPECT_VARIABLE),
        help=f"let `relay-actors top SOCKET` look in; measures turns, too (default: {INSPECT_VARIABLE}, else nobody)",
    )
    parser.add_argument(
        "--metrics",
        metavar="HOST:PORT",
        default=os.environ.get(METRICS_VARIABLE),
        help=f"serve /metrics to Prometheus; measures turns, too (default: {METRICS_VARIABLE}, else not)",
    )
    parser.add_argument(
        "--record",
        metavar="FILE",
        help="write all that is said with RELAY into a new file, redacted; `relay-actors record` takes calls out of it",
    )
    parser.add_argument("--keep-words", action="store_true", help="with --record: also what is said and texted")
    add_log_level(parser)
    parser.set_defaults(command=_run_command)


def load_app(target: str) -> RelayApp:
    """Import what ``module:attribute`` names; the attribute is ``app`` when it is not given.

    Raises:
        ConfigError: there is no such module or attribute, or it is no `RelayApp`, or it is started by the import, or
            the import fails; the text says what to mend.
    """
    module_name, _colon, attribute = target.partition(":")
    attribute = attribute or "app"
    if not module_name.strip("."):
        raise ConfigError(f"{target!r} names no module: write module:app, for example examples.front_desk:app")
    if module_name.endswith(".py") or "/" in module_name:
        dotted = module_name.removesuffix(".py").strip("./").replace("/", ".")
        raise ConfigError(f"{module_name!r} is a path: write the module's name, {dotted}:{attribute}")
    if module_name.startswith("."):
        raise ConfigError(
            f"{module_name!r} begins with a dot, which means something only inside a package: write "
            f"{module_name.lstrip('.')}:{attribute}, from the directory where it is"
        )
    # It would run in there until the first signal, and then once more.
    started = (
        f"{module_name} starts an application while it is imported, and whoever imports it, as this command does, "
        'could not go on: put app.run(), or what else starts it, under `if __name__ == "__main__":`'
    )
    try:
        with none_may_start(started):
            module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if module_name != missing and not module_name.startswith(f"{missing}."):
            raise ConfigError(
                f"{module_name} cannot be imported: it needs {missing!r}, which is not installed"
            ) from error
        raise ConfigError(
            f"there is no module {missing!r}, neither in {os.getcwd()} nor installed: "
            "check its name, or change to the directory where it is"
        ) from error
    except ConfigError:
        raise
    except Exception as error:  # whatever the module does while it is imported
        raise ConfigError(
            f"{module_name} cannot be imported; the mistake is in it, or in what it imports:\n{where(error)}"
        ) from error
    try:
        app = operator.attrgetter(attribute)(module)
    except AttributeError as error:
        known = ", ".join(name for name, value in vars(module).items() if isinstance(value, RelayApp))
        hint = f"it has {known}" if known else "it has no RelayApp at all"
        raise ConfigError(f"{module_name} has no {attribute!r}; {hint}") from error
    if not isinstance(app, RelayApp):
        raise ConfigError(f"{module_name}:{attribute} is a {type(app).__name__}, not a RelayApp")
    return app


def where(error: Exception) -> str:
    """Return the traceback of what has failed in the user's own code, from where it comes to that."""
    place = error.__traceback__
    not_theirs = (os.path.dirname(__file__), str(importlib.__file__), "<frozen importlib.")
    while place is not None and place.tb_frame.f_code.co_filename.startswith(not_theirs):
        place = place.tb_next
    return "".join(traceback.format_exception(type(error), error, place)).rstrip()


def _run_command(options: argparse.Namespace) -> int:
    if not 0 <= options.drain < float("inf"):
        raise ConfigError(f"--drain {options.drain:g}: must be a number of seconds, 0 or more")
    if not 0 < options.handover_timeout < float("inf"):
        raise ConfigError(f"--handover-timeout {options.handover_timeout:g}: must be a number of seconds above 0")
    configure_logging(options.log_level)
    sys.path.insert(0, os.getcwd())
    app = load_app(options.app)
    if not app.has_something_to_do:
        raise ConfigError(
            f"{app!r} has nothing to do: no class is decorated by @app.calls() or @app.messages(), and there is no "
            "app.service(…). Is it another one than that of the classes, or is their module not imported?"
        )
    if options.inspect or options.metrics:
        app.measures_turns = True
    if options.metrics:
        parse_address(options.metrics)
    if options.keep_words and not options.record:
        raise ConfigError("--keep-words says how to record: give --record FILE, too")
    try:
        with contextlib.ExitStack() as stack:
            taken = None
            if options.handover:
                app.check_settings()  # what is wrong with this process must not end the other one
            if options.record:
                stack.enter_context(Recorder(app, options.record, SystemClock(), keeps_words=options.keep_words))
            if options.handover:
                taken = take_over(app, options.handover_timeout)
            if taken is None:
                _let_look_in(app, options, stack)
            else:
                stack.enter_context(Settling(app, taken, functools.partial(_let_look_in, app, options)))
            app.run(drain_s=options.drain)
    except ConfigError:
        raise
    except RelayActorsError as error:
        if isinstance(error, JournalError) and error.at_start:
            raise ConfigError(str(error)) from error
        complain(f"{error}{_hint(error, app)}")
        return 1
    return 0


def _hint(error: RelayActorsError, app: RelayApp) -> str:
    """Return what else to say of an error that has ended the application: of a refused log-in, what to look at."""
    if not (isinstance(error, CommandRejectedError) and error.method == CONNECT):
        return ""
    from relay_actors.cli.diagnosis import what_to_check  # here, because it brings much that no run needs

    return f"; {what_to_check(app.check_settings())}. `relay-actors doctor` tries it step by step"


def _let_look_in(app: RelayApp, options: argparse.Namespace, stack: contextlib.ExitStack) -> None:
    """Open what was asked for, until ``stack`` closes it."""
    if options.inspect:
        stack.enter_context(Inspecting(app, options.inspect))
    if options.metrics:
        stack.enter_context(MetricsServer(app, *parse_address(options.metrics)))
