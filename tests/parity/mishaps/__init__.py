"""The same mishaps for an application of the official SDK, for it on our client, and for one of ours; a table.

Run it by ``make parity``, or alone: ``.venv-parity/bin/python -m tests.parity.mishaps``.
"""
