"""``relay-actors top socket``: the actors of a running application, as they are now. Layer: door."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import threading
from collections.abc import Iterator
from typing import Any, Final

from relay_actors.cli.inspecting import ask
from relay_actors.cli.screen import Screen, Styled
from relay_actors.config import INSPECT_VARIABLE
from relay_actors.errors import ConfigError
from relay_actors.runtime.clock import SystemClock

__all__ = ["add_command", "rows_of", "show", "summary_of"]

HEADS: Final = ("actor", "waiting", "restarts", "state", "oldest", "in", "last failure")
_SLOW_S: Final = 0.1
"""From when on a turn, or a message that waits, is trouble: this long a caller notices."""
_LONGEST_REASON: Final = 60
_LINES_AROUND: Final = 6


def add_command(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "top",
        help="look into a running application",
        description="Shows the actors of an application that was started with `relay-actors run … --inspect SOCKET`: "
        "what waits for each and for how long, what it is doing, how often it was restarted and why. Who is in trouble "
        "comes first among its siblings. Ends by Ctrl-C, or when the application or its reader ends. The exit status "
        "is 0 then, and 2 when nobody listens.",
    )
    parser.add_argument(
        "socket",
        nargs="?",
        default=os.environ.get(INSPECT_VARIABLE),
        help=f"what was given as --inspect (default: {INSPECT_VARIABLE})",
    )
    parser.add_argument("--once", action="store_true", help="show it once, and end")
    parser.add_argument("--json", action="store_true", help="show it once, as JSON")
    parser.add_argument("--every", type=float, default=1.0, metavar="SECONDS", help="how often (default: 1)")
    parser.add_argument("--trace", metavar="ACTOR", help="follow one actor: a name such as Support#12, or a call id")
    parser.set_defaults(command=_run_command)


def rows_of(tree: dict[str, Any], now: float) -> list[list[Styled]]:
    """Return one row for each actor, parents first; among siblings, who is in trouble first.

    Args:
        tree: as `ActorNode.as_dict` gives it.
        now: seconds since the epoch.
    """
    return list(_rows(tree, "", "", now))


def summary_of(name: str, metrics: dict[str, Any]) -> str:
    """Return the line above the table."""
    told = ("calls.up", "calls.received", "actors.living", "actors.restarted", "messages.waiting", "zombie_threads")
    numbers = [f"{key.replace('.', ' ').replace('_', ' ')} {metrics.get(key, 0)}" for key in told]
    is_up = "connected" if metrics.get("connection.up") else "NOT CONNECTED"
    return "  ".join([name, is_up, *numbers])


def _run_command(options: argparse.Namespace) -> int:
    if not options.socket:
        raise ConfigError(f"name the socket: relay-actors top SOCKET, or set {INSPECT_VARIABLE}")
    if not 0 < options.every < float("inf"):
        raise ConfigError(f"--every {options.every:g}: must be a number of seconds, above 0")
    screen = Screen()
    if options.trace:
        return _follow(screen, options)
    if options.json:
        screen.say(json.dumps(ask(options.socket, {"ask": "top"}), indent=2))
        return 0
    show(screen, ask(options.socket, {"ask": "top"}), is_page=not options.once)
    if options.once:
        return 0
    return _again_and_again(screen, options, lambda: show(screen, ask(options.socket, {"ask": "top"}), is_page=True))


def _again_and_again(screen: Screen, options: argparse.Namespace, show: Any) -> int:
    pause = threading.Event()
    try:
        while not screen.is_gone and not pause.wait(options.every):
            show()
    except ConfigError as error:
        screen.say(str(error))  # it was there a moment ago: it has ended
    except KeyboardInterrupt:
        screen.say("")
    return 0


def _follow(screen: Screen, options: argparse.Namespace) -> int:
    question = {"ask": "trace", "who": options.trace, "every": options.every}
    seen = -1.0

    def show() -> None:
        nonlocal seen
        told = ask(options.socket, question)
        for at, text in told["records"]:
            if at > seen:
                seen = at
                screen.say(text)
        if told["is_over"]:
            raise ConfigError(f"{options.trace} has ended")

    ask(options.socket, question)
    screen.say((f"following {options.trace}; Ctrl-C ends it", "dim"))
    status = _again_and_again(screen, options, show)
    with contextlib.suppress(ConfigError):  # the application has ended, and the trace with it
        ask(options.socket, {**question, "on": False})
    return status


def show(screen: Screen, seen: dict[str, Any], *, is_page: bool) -> None:
    """Write one picture: a line, and a table; a page as long as the terminal, or everything."""
    rows = rows_of(seen["tree"], SystemClock().wall())
    room = screen.height - _LINES_AROUND if is_page else 0
    left = len(rows) - room if room > 0 else 0
    if is_page:
        screen.clear()
    screen.say((summary_of(seen["name"], seen["metrics"]), "bold"))
    screen.table(HEADS, rows[:room] if left > 0 else rows, is_cut=is_page)
    if left > 0:
        screen.say((f"and {left} more: relay-actors top --once shows all", "dim"))


def _rows(node: dict[str, Any], first: str, rest: str, now: float) -> Iterator[list[Styled]]:
    yield _row(node, first, now)
    children = node["children"]
    if first:  # the parts of the application stay where they are; who is beneath them comes by trouble
        children = sorted(children, key=_trouble, reverse=True)
    for place, child in enumerate(children):
        is_last = place == len(children) - 1
        beneath = rest + ("   " if is_last else "│  ")
        yield from _rows(child, rest + ("└─ " if is_last else "├─ "), beneath, now)


def _row(node: dict[str, Any], indent: str, now: float) -> list[Styled]:
    waiting, restarts = sum(node["mailbox"].values()), node["incarnation"]
    is_slow = (node["turn_s"] or 0.0) >= _SLOW_S
    is_late = (node["oldest_s"] or 0.0) >= _SLOW_S
    is_well = node["state"] == "running"
    doing = f"{node['message']}, awaiting" if node["message"] else ""
    if node["turn_s"] is not None:
        doing = f"{node['message'] or 'a turn'} for {_seconds(node['turn_s'])}"
    last = node["restarts"][-1] if node["restarts"] else None
    failure = "" if last is None else f"{_seconds(max(0.0, now - last['at']))} ago: {_first_line(last['reason'])}"
    return [
        f"{indent}{node['name']} {node['label']}".rstrip(),
        (str(waiting) if waiting else "", "yellow" if is_late else ""),
        (str(restarts) if restarts else "", "yellow"),
        (node["state"], "" if is_well else "bold red"),
        ("" if node["oldest_s"] is None else _seconds(node["oldest_s"]), "yellow" if is_late else ""),
        (doing, "yellow" if is_slow else ""),
        (failure, "dim"),
    ]


def _trouble(node: dict[str, Any]) -> tuple[bool, float, float, int, int]:
    """How badly somebody is off: not running, then a turn or a message that takes long, then restarts and a queue."""
    turn_s, oldest_s = node["turn_s"] or 0.0, node["oldest_s"] or 0.0
    return (
        node["state"] not in ("running", "starting"),
        turn_s if turn_s >= _SLOW_S else 0.0,
        oldest_s if oldest_s >= _SLOW_S else 0.0,
        node["incarnation"],
        sum(node["mailbox"].values()),
    )


def _first_line(reason: str) -> str:
    line = reason.partition("\n")[0]
    return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 1]}…"


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
