"""The random programs of actors on real threads, which take turns as often as Python can make them (SEMANTICS V5)."""

import sys

from tests.runtime.programs.on_threads import ThreadedProgram

__all__ = ["main"]


def main(programs: int = 150, steps: int = 600) -> None:
    """Run many, each longer than in the suite, with few and with many threads outside."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for seed in range(programs):
            program = ThreadedProgram(seed, players=(1, 3, 8)[seed % 3], patience_s=60.0)
            program.run(steps)
            messages = next(program.numbers)
            print(f"\r{seed + 1} of {programs} programs, the last with {messages} messages", end="", flush=True)
    finally:
        sys.setswitchinterval(before)
        print()
