"""TLS without a socket: records that have come go in, and what they say comes out; and the other way round.

OpenSSL can read the socket itself, but asks it for the head of each record, for its body, and once more to be told that
there is nothing. In memory, one read of the socket does for all the records in it. Layer: pillar; no socket, no clock.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from typing import Final

__all__ = ["TlsRecords"]

_LONGEST_SAID: Final = 16 * 1024
"""How much one record can say (RFC 8446 5.1): a read of so much leaves nothing of it behind."""


class TlsRecords:
    """The client's side of one TLS connection.

    Whatever was done, `to_send` may have something afterwards: not only what was to be said needs records.

    Args:
        context: what is demanded of the server.
        server_name: the name or address that its certificate must bear.

    Attributes:
        is_over: whether the server has said that nothing more will come.

    Raises:
        ValueError: no certificate can bear that name.
    """

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self._came, self._to_go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._came, self._to_go, server_hostname=server_name)
        self.is_over = False

    def shake_hands(self) -> bool:
        """Go on with the handshake; return whether it is done. If it is not, more has to come: `take` it.

        Raises:
            ssl.SSLError: it has failed.
        """
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def take(self, records: bytes) -> None:
        """Keep what has come, of the handshake; nothing is the end of the connection."""
        if records:
            self._came.write(records)
        else:
            self._came.write_eof()

    def decrypt(self, records: bytes) -> Iterator[bytes]:
        """Yield what the records that are whole by now say, to the last one.

        Raises:
            ssl.SSLError: they are not what the server can have sent.
        """
        came, read = self._came, self._tls.read
        came.write(records)
        while came.pending:
            try:
                said = read(_LONGEST_SAID)
            except ssl.SSLWantReadError:  # the rest is part of a record, or has told OpenSSL something
                return
            if not said:
                self.is_over = True
                return
            yield said

    def encrypt(self, data: bytes) -> bytes:
        """Return the records that say ``data``, behind those that are due anyway.

        Raises:
            ssl.SSLError: the connection has failed.
        """
        self._tls.write(data)
        return self._to_go.read()

    def to_send(self) -> bytes:
        """Return, and forget, the records that are due: of the handshake, why it failed, an answer to the server's."""
        return self._to_go.read()

    def goodbye(self) -> bytes:
        """Return the records after which nothing more will be said."""
        with contextlib.suppress(OSError):  # they are written; what is suppressed is the wait for the server's
            self._tls.unwrap()
        return self._to_go.read()
