"""What cannot be changed: how frozen dataclasses are made quickly, and a table that is empty. Layer: protocol, pure.

A frozen class refuses every assignment, so its own ``__init__`` has to go round that once per field, which takes three
times as long as plain assignments do. Here a value is filled while it is still of a class that allows it, and becomes
frozen in one step, before anybody else has seen it.
"""

from __future__ import annotations

from typing import Any, Final, Never

__all__ = ["NOTHING", "unfrozen"]


def unfrozen(cls: type) -> type[Any]:
    """Return the class of instances of ``cls`` that are still to be filled.

    It is called without arguments. Assign every field, as nothing has a default here and nothing is checked, and then
    assign ``cls`` to the instance's ``__class__``: from then on it is like any other.

    Args:
        cls: a frozen dataclass; one with slots gains the most.
    """
    open_to_all = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__, "__init__": object.__init__}
    # No slots of its own, so both have the same layout, and Python lets one become the other.
    return type(cls)(f"Unfrozen{cls.__name__}", (cls,), {"__slots__": (), "__module__": __name__, **open_to_all})


class _Nothing(dict[Any, Any]):
    """A dictionary that stays empty."""

    __slots__ = ()

    def _refuse(self, *_args: object, **_kwargs: object) -> Never:
        raise TypeError("nothing can be added to a table that others have, too: replace it by one of your own")

    __setitem__ = __ior__ = setdefault = update = _refuse


NOTHING: Final[dict[Any, Any]] = _Nothing()
"""An empty table that all have who have none of their own yet. It is replaced, and never added to."""
