"""Writes the generated pages of the reference into docs/reference/; with ``--check`` it only says which are stale."""

from __future__ import annotations

import sys

from tests.reference.pages import REFERENCE, pages, stale

if "--check" in sys.argv[1:]:
    sys.exit("\n".join(stale()) or 0)
for name, text in pages().items():
    (REFERENCE / name).write_text(text, encoding="utf-8")
    print(f"docs/reference/{name}")
