"""Random programs of actors, each from one seed, with invariants that are checked after every step and at the end.

To add something that actors or the outside do: one function in `actions` or `moves`. To add something that must be
true: one function in `invariants`. The rest is the machinery.
"""

from tests.runtime.programs.program import Program, Violation

__all__ = ["Program", "Violation"]
