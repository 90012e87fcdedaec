"""Faxes, page by page. Layer: simulator. Source: PROTOCOL 11.6.

They succeed only with a fax machine at the other end (`Phone.is_fax_machine`). Result codes and texts are those of the
T.30 engine that telephone switches use.
"""

from __future__ import annotations

from typing import Final

from relay_actors.protocol.readers import read_text
from relay_actors.simulator.faxes import Fax
from relay_actors.simulator.files import pdf
from relay_actors.simulator.operations.base import Operation

__all__ = ["ReceiveFax", "SendFax"]

PAGE_S: Final = 2.0
"""How long a page takes, and the farewell after the last one."""

PATIENCE_S: Final = 35.0
"""How long one waits for a machine at the other end. Source: ITU-T T.30 (timer T1)."""

DONE: Final = ("0", "")
NO_ANSWER: Final = ("2", "Timed out waiting for initial communication")
NO_MESSAGE: Final = ("3", "Timed out waiting for the first message")
BROKEN_OFF: Final = ("49", "The call dropped prematurely")


class SendFax(Operation):
    """``calling.send_fax``: an event for each page, then finished.

    A document has one page unless `Simulator.has_document` says otherwise; nothing is fetched.
    """

    event_type = "calling.call.fax"
    started_message = "Sending fax"
    direction = "send"
    no_machine = NO_ANSWER

    def start(self) -> dict[str, object]:
        """Send the first page, or wait in vain for a machine."""
        self._done = 0
        if self.call.persona.kind == "fax" and (pages := self.page_count()):
            self.after(PAGE_S, lambda: self._page_is_done(pages))
        else:
            self.after(PATIENCE_S, lambda: self._end(self.no_machine))
        return {}

    def stop(self) -> None:
        """End before the last page was through: finished, without success."""
        self._end(BROKEN_OFF)

    def page_count(self) -> int:
        """Return how many pages there are to send."""
        return self.call.world.files.pages.get(self._document_to_send(), 1)

    def document(self, done: int, *, is_complete: bool) -> str:
        """Hand over so many pages and return where the document lies."""
        document, ear = self._document_to_send(), self.call.ear
        if ear is not None and done:
            header_info = read_text(self.params.get("header_info")) or ""
            ear.on_fax(Fax(document, done, is_complete, self._identity(), header_info))
        return document

    def _document_to_send(self) -> str:
        return read_text(self.params.get("document")) or ""

    def _identity(self) -> str:
        ours, _theirs = self._numbers()
        return read_text(self.params.get("identity")) or ours

    def _numbers(self) -> tuple[str, str]:
        keys = ("to_number", "from_number") if self.call.direction == "inbound" else ("from_number", "to_number")
        return self.call.number(keys[0]), self.call.number(keys[1])

    def _page_is_done(self, pages: int) -> None:
        self._done += 1
        self.report(fax={"type": "page", "params": {"direction": self.direction, "number": str(self._done)}})
        if self._done < pages:
            self.after(PAGE_S, lambda: self._page_is_done(pages))
        else:
            self.after(PAGE_S, lambda: self._end(DONE))

    def _end(self, how: tuple[str, str]) -> None:
        if self.is_done:
            return
        result, text = how
        params: dict[str, object] = {
            "direction": self.direction,
            "identity": self._identity(),
            "remote_identity": self._numbers()[1],
            "document": self.document(self._done, is_complete=how is DONE),
            "success": how is DONE,
            "result": result,
            "result_text": text,
            "pages": str(self._done),
            "format": "pdf",
        }
        self.finish(fax={"type": "finished", "params": params})


class ReceiveFax(SendFax):
    """``calling.receive_fax``: an event for each page that the machine sends, then finished.

    The document is a PDF with as many pages as came through; if none did, it has no URL.
    """

    started_message = "Receiving fax"
    direction = "receive"
    no_machine = NO_MESSAGE

    def page_count(self) -> int:
        """Return how many pages the machine has to send."""
        return self.call.persona.fax_pages

    def document(self, done: int, *, is_complete: bool) -> str:
        """Keep the pages that came and return where."""
        if not done:
            return ""
        files = self.call.world.files
        url = files.url(f"/fax/{self.call.world.new_id()}.pdf")
        sender = self._numbers()[1]
        files.keep(
            url, "application/pdf", lambda: pdf([f"Fax from {sender}, page {page}" for page in range(1, done + 1)])
        )
        return url
