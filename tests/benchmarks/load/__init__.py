"""The load server: a RELAY server that is never the slower side, in a process of its own.

``python -m tests.benchmarks.load SCENARIO CERT KEY [--spin] [name=number …]``. It talks to the harness by one JSON
object a line on stdout, and by one line on stdin for each mark that waits.
"""
