"""TLS in memory, against Python's own server side, byte by byte where it matters."""

from __future__ import annotations

import contextlib
import ssl

import pytest

from relay_actors.transport.tls_records import TlsRecords
from tests.support.tls import ThrowawayAuthority


class Server:
    """The other side, in memory as well."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._came, self._to_go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._came, self._to_go, server_side=True)

    def shake_hands(self, records: bytes) -> bytes:
        self._came.write(records)
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self._to_go.read()

    def say(self, *texts: bytes) -> bytes:
        """Return the records of these texts, one of each."""
        for text in texts:
            self.tls.write(text)
        return self._to_go.read()

    def hear(self, records: bytes) -> bytes:
        self._came.write(records)
        return self.tls.read(1 << 20)

    def hang_up(self) -> bytes:
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.unwrap()
        return self._to_go.read()


@pytest.fixture
def both(authority: ThrowawayAuthority) -> tuple[TlsRecords, Server]:
    """Return two sides that have shaken hands."""
    tls = client_of(authority)
    server = Server(authority.server_context("relay.test"))
    while not tls.shake_hands():
        tls.take(server.shake_hands(tls.to_send()))
    assert list(tls.decrypt(server.shake_hands(tls.to_send()))) == []  # what it says of later connections
    return tls, server


def client_of(authority: ThrowawayAuthority, name: str = "relay.test") -> TlsRecords:
    return TlsRecords(ssl.create_default_context(cafile=str(authority.ca_file)), name)


def test_both_sides_hear_what_the_other_says(both: tuple[TlsRecords, Server]) -> None:
    """Of any length; what is longer than a record takes several."""
    tls, server = both
    for text in (b"x", b"x" * 16_384, b"x" * 100_000):
        assert server.hear(tls.encrypt(text))[:1] == b"x"
        assert b"".join(tls.decrypt(server.say(text))) == text
    assert not tls.is_over


def test_all_records_that_have_come_are_heard_at_once(both: tuple[TlsRecords, Server]) -> None:
    """None may be left where no poll of the socket can see it."""
    tls, server = both
    assert list(tls.decrypt(server.say(b"one", b"two", b"x" * 16_384, b"three"))) == [
        b"one", b"two", b"x" * 16_384, b"three",
    ]  # fmt: skip


def test_a_record_that_comes_in_pieces_is_heard_when_it_is_whole(both: tuple[TlsRecords, Server]) -> None:
    """TCP keeps no boundaries."""
    tls, server = both
    records = server.say(b"first", b"second")
    heard = [said for at in range(len(records)) for said in tls.decrypt(records[at : at + 1])]
    assert heard == [b"first", b"second"]


def test_a_record_that_was_tampered_with_fails_after_those_before_it(both: tuple[TlsRecords, Server]) -> None:
    """What came whole still counts."""
    tls, server = both
    records = server.say(b"sound") + server.say(b"changed on its way")[:-1] + b"?"
    heard = tls.decrypt(records)
    assert next(heard) == b"sound"
    with pytest.raises(ssl.SSLError):
        next(heard)


def test_each_side_can_say_goodbye(both: tuple[TlsRecords, Server]) -> None:
    """Without it a stream may have been cut."""
    tls, server = both
    assert list(tls.decrypt(server.say(b"last") + server.hang_up())) == [b"last"]
    assert tls.is_over
    assert server.hear(tls.encrypt(b"too")) == b"too"
    with pytest.raises(ssl.SSLZeroReturnError):
        server.hear(tls.goodbye())


def test_a_server_that_cannot_prove_its_name_is_refused_and_told_so(authority: ThrowawayAuthority) -> None:
    """By an alert, as the socket of the standard library does it."""
    tls = client_of(authority, "other.test")
    server = Server(authority.server_context("relay.test"))
    assert not tls.shake_hands()
    tls.take(server.shake_hands(tls.to_send()))
    with pytest.raises(ssl.SSLCertVerificationError):
        tls.shake_hands()
    with pytest.raises(ssl.SSLError, match="alert"):
        server.shake_hands(tls.to_send())


def test_a_server_that_hangs_up_in_the_handshake_fails_it(authority: ThrowawayAuthority) -> None:
    """It must not be waited for."""
    tls = client_of(authority)
    assert not tls.shake_hands()
    tls.take(b"")
    with pytest.raises(ssl.SSLError, match="EOF"):
        tls.shake_hands()
