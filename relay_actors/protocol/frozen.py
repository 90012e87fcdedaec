"""A table that is empty, and stays so. Layer: protocol, pure."""

from __future__ import annotations

from typing import Any, Final, Never

__all__ = ["NOTHING"]


class _Nothing(dict[Any, Any]):
    """A dictionary that stays empty."""

    __slots__ = ()

    def _refuse(self, *_args: object, **_kwargs: object) -> Never:
        raise TypeError("nothing can be added to a table that others have, too: replace it by one of your own")

    __setitem__ = __ior__ = setdefault = update = _refuse


NOTHING: Final[dict[Any, Any]] = _Nothing()
"""An empty table that all have who have none of their own yet. It is replaced, and never added to."""
