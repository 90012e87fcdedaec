"""What can be measured within one process: each measurement in a process of its own, so that none disturbs another.

``python -m tests.benchmarks.micro MEASUREMENT [number …]`` prints a number.
"""
