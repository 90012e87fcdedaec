"""Throw-away certificates."""

from __future__ import annotations

import builtins
import ssl
from pathlib import Path
from typing import Any

import pytest

from relay_actors.errors import ConfigError
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.tls import make_tls_files


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> None:
    """Let the two ends agree, in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname=name)
    far = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for end in (near, far):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_client_that_trusts_the_authority_accepts_the_server(tmp_path: Path, name: str):
    files = make_tls_files(tmp_path, clock=SystemClock())
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate_file, files.key_file)
    client = ssl.create_default_context(cafile=str(files.ca_file))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    shake_hands(client, server, name)

    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(client, server, "example.com")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(ssl.create_default_context(), server, name)


def test_the_key_is_for_its_owner_only(tmp_path: Path):
    assert make_tls_files(tmp_path, clock=SystemClock()).key_file.stat().st_mode & 0o077 == 0


def test_a_missing_library_names_the_command_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real_import = builtins.__import__

    def without_it(name: str, *args: Any, **more: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real_import(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without_it)
    with pytest.raises(ConfigError, match=r"pip install 'relay_actors\[test\]'"):
        make_tls_files(tmp_path, clock=SystemClock())
