"""What can be fetched: recordings, transcripts, received faxes. Layer: simulator, no I/O.

`Simulator.fetch` reads a file, and so does plain HTTP where a `SimulatorServer` runs. A file's bytes are made anew each
time somebody asks for them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

__all__ = ["File", "Files", "pdf"]

BOUND: Final = 1000
"""How many files are kept."""

NOWHERE: Final = "https://files.example.com"
"""Where files lie that no server serves. Source: RFC 2606 (the name belongs to nobody)."""


@dataclass(frozen=True, slots=True)
class File:
    """One file.

    Attributes:
        content_type: as HTTP tells it.
        make: makes its bytes; it needs no lock.
    """

    content_type: str
    make: Callable[[], bytes]


class Files:
    """The last 1000 files of one simulator, whose lock guards them, and the pages of documents elsewhere.

    Args:
        base_url: returns where a running server serves them, or an empty text.
    """

    def __init__(self, base_url: Callable[[], str]) -> None:
        self._base_url = base_url
        self._by_path: OrderedDict[str, File] = OrderedDict()
        self.pages: dict[str, int] = {}
        """How many pages the documents of other servers have, by URL."""

    def url(self, path: str) -> str:
        """Return where the file of this path lies, or will lie."""
        return f"{self._base_url() or NOWHERE}{path}"

    def keep(self, url: str, content_type: str, make: Callable[[], bytes]) -> None:
        """Keep a file under a URL that `url` has made; the oldest file goes when there are too many."""
        self._by_path[urlsplit(url).path] = File(content_type, make)
        if len(self._by_path) > BOUND:
            self._by_path.popitem(last=False)

    def find(self, url: str) -> File | None:
        """Return the file of a URL, or of its path alone. The server's name does not matter: it may have changed."""
        try:
            return self._by_path.get(urlsplit(url).path)
        except ValueError:  # what is no URL at all names no file
            return None

    def paths(self) -> list[str]:
        """Return the paths of all files, the oldest first."""
        return list(self._by_path)

    def clear(self) -> None:
        """Forget all files and documents."""
        self._by_path.clear()
        self.pages.clear()


def pdf(pages: list[str]) -> bytes:
    """Return a PDF with one A4 page for each line of text. Source: ISO 32000-1, sections 7.3 to 7.7."""
    font = 3 + 2 * len(pages)
    kids = " ".join(f"{3 + 2 * place} 0 R" for place in range(len(pages)))
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>"]
    for place, text in enumerate(pages):
        escaped = "".join(f"\\{letter}" if letter in "\\()" else letter for letter in text)
        drawing = f"BT /F1 14 Tf 56 780 Td ({escaped}) Tj ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {4 + 2 * place} 0 R "
            f"/Resources << /Font << /F1 {font} 0 R >> >> >>"
        )
        length = len(drawing.encode("latin-1", "replace"))
        objects.append(f"<< /Length {length} >>\nstream\n{drawing}\nendstream")
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    made = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(made))
        made += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1", "replace")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size, start = len(objects) + 1, len(made)
    made += f"xref\n0 {size}\n0000000000 65535 f \n{table}".encode()
    made += f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(made)
