"""The same mishaps for an application of the official SDK and for one of ours; a table says what each survives.

Run it by ``make parity``, or alone: ``.venv-parity/bin/python -m tests.parity.mishaps``.
"""
