"""Documents that went over a line. Layer: simulator, pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Fax"]


@dataclass(frozen=True, slots=True)
class Fax:
    """What a fax machine has received from an application.

    Attributes:
        document: the URL that the application named.
        pages: how many came through.
        is_complete: whether these are all.
        identity: the number or name that the sender gave.
        header_info: what stands at the top of each page.
    """

    document: str
    pages: int
    is_complete: bool
    identity: str
    header_info: str

    def __str__(self) -> str:
        pages = f"{self.pages} page{'s' * (self.pages != 1)}"
        return f"fax {self.document} ({pages}{'' if self.is_complete else ', not complete'})"
