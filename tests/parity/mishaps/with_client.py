"""The very same application as `with_sdk`, with the one line changed by which it imports the client."""

from __future__ import annotations

from pathlib import Path
from types import CodeType

__all__ = ["application", "with_our_import"]

THEIRS, OURS = "from signalwire.relay import ", "from relay_actors.client import "


def with_our_import(source: str) -> str:
    """Return the source of an application with our client in the place of the official one; all else is as it was.

    Raises:
        ValueError: it does not import the official client in exactly one line, or names it elsewhere, too.
    """
    lines = [line for line in source.splitlines() if "signalwire.relay" in line]
    if len(lines) != 1 or not lines[0].startswith(THEIRS):
        raise ValueError(f"one line has to name the official client, and to begin with {THEIRS!r}; there is {lines}")
    return source.replace(THEIRS, OURS)


def application() -> CodeType:
    """Return the code of the application."""
    path = Path(__file__).with_name("with_sdk.py")
    return compile(with_our_import(path.read_text("utf-8")), path, "exec")


if __name__ == "__main__":
    exec(application(), {"__name__": "__main__"})
