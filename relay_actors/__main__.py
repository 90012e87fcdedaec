"""``python -m relay_actors``: the same as ``relay-actors``, by an interpreter that is named. Layer: door."""

import sys

from relay_actors.cli.main import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
