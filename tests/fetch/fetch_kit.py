from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kubeci.fetch.pinned import Resolve
from kubeci.fetch.web import FetchLimits, Reach, WebModules

HOST = "modules.example"


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the tests: what a client believes, and what a server shows for HOST."""

    client: ssl.SSLContext
    server: ssl.SSLContext


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    own = name == issuer
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=own, path_length=None), critical=True)
    )
    if not own:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def new_authority(folder: Path) -> Authority:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("test authority", root_key, "test authority", root_key)
    leaf = _certificate(HOST, key, "test authority", root_key)
    pem = serialization.Encoding.PEM
    (folder / "leaf.pem").write_bytes(
        leaf.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "leaf.pem")
    return Authority(ssl.create_default_context(cadata=root.public_bytes(pem).decode()), server)


@dataclass
class Site:
    """A server that sends prepared bytes, the next for each request; with `drip` a byte now and then for ever after."""

    answers: list[bytes]
    drip: bool = False
    port: int = 0
    requests: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while self.answers:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(self.answers.pop(0).replace(b"PORT", str(self.port).encode()))
                await writer.drain()
            while self.drip:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}/dir/x.star"


@asynccontextmanager
async def serving(site: Site, authority: Authority) -> AsyncIterator[Site]:
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=authority.server)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        site.drip = False
        await server.wait_closed()


@dataclass
class Names:
    """A resolver that gives the next of some answers for each question, the last one again and again."""

    answers: list[list[str]]
    asked: list[str] = field(default_factory=list)

    async def resolve(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def web(site: Site, authority: Authority, resolve: Resolve, *, seconds: float = 10.0) -> WebModules:
    """Give the adapter for a site on loopback: of all closed addresses, 127.0.0.1 alone is taken for public."""
    limits = FetchLimits(ports=(site.port, 443), seconds=seconds)
    return WebModules(limits, Reach(resolve, lambda address: address == "127.0.0.1", authority.client))
