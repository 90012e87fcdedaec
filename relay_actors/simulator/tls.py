"""Throw-away certificates, so that a client can speak TLS to a simulator on this machine. Layer: simulator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from relay_actors.errors import ConfigError
from relay_actors.runtime.base import Clock

__all__ = ["TlsFiles", "make_tls_files"]

VALID_FOR: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where certificate and key are, as PEM.

    Attributes:
        certificate_file: the server's certificate.
        key_file: its private key.
        ca_file: what a client has to trust, for example by ``SIGNALWIRE_RELAY_CA_FILE``; None when it knows already.
    """

    certificate_file: Path
    key_file: Path
    ca_file: Path | None = None


def make_tls_files(directory: Path, *, clock: Clock) -> TlsFiles:
    """Make an authority and a certificate for ``127.0.0.1``, ``::1`` and ``localhost``, valid for a week.

    Args:
        directory: where the three files are written; it must exist.
        clock: what day it is.

    Raises:
        ConfigError: the package ``cryptography`` is not installed.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID
    except ImportError as exc:
        raise ConfigError(
            "certificates are made with the package cryptography, which is not installed: "
            "pip install 'relay_actors[test]'"
        ) from exc

    now = datetime.fromtimestamp(clock.wall(), UTC)

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def certificate(
        subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey, is_ca: bool
    ) -> x509.Certificate:
        hosts = [x509.DNSName("localhost"), *(x509.IPAddress(ip_address(text)) for text in ("127.0.0.1", "::1"))]
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + VALID_FOR)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    key_cert_sign=is_ca,
                    crl_sign=is_ca,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
        )
        if not is_ca:
            builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        return builder.sign(issuer_key, hashes.SHA256())

    ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = "relay_actors simulator authority"
    ca = certificate(ca_name, ca_key, ca_name, ca_key, is_ca=True)
    server = certificate("localhost", server_key, ca_name, ca_key, is_ca=False)
    files = TlsFiles(directory / "server.pem", directory / "server.key", directory / "ca.pem")
    pem = serialization.Encoding.PEM
    files.certificate_file.write_bytes(server.public_bytes(pem))
    files.key_file.touch(mode=0o600)
    files.key_file.write_bytes(
        server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    assert files.ca_file is not None
    files.ca_file.write_bytes(ca.public_bytes(pem))
    return files
