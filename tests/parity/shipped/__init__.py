"""What was written for the official SDK, unchanged but for the import line, under both clients; a table compares them.

Its examples and the snippets of its documents come from its source distribution, which ``make parity`` fetches. Run it
by ``make parity``, or alone: ``.venv-parity/bin/python -m tests.parity.shipped --only ivr``.
"""
