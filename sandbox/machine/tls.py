"""TLS on this machine: a certificate authority, and servers that add TLS to servers without it.

Nothing is switched off in the clients for it: they verify chain and host name against this authority, and no other.
"""

import asyncio
import contextlib
import json
import ssl
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import trustme

from sandbox.machine.processes import HOST, Service, listens

_REPOSITORY = Path(__file__).resolve().parents[2]
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files of a server: its chain, and its key, which only their owner can read."""

    chain: Path
    key: Path


class Authority:
    """Made for one run; its key is in memory only."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ca = trustme.CA()
        self.certificate = directory / "authority.pem"
        self._ca.cert_pem.write_to_path(str(self.certificate))

    def issue(self, *names: str) -> Certificate:
        """For a server at these host names or addresses."""
        issued = self._ca.issue_cert(*names)
        files = Certificate(*(self._directory / f"{names[0]}.{part}.pem" for part in ("chain", "key")))
        files.chain.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        files.key.touch(mode=0o600)
        files.key.write_bytes(issued.private_key_pem.bytes())
        return files

    @property
    def trust(self) -> dict[str, str]:
        """Environment of a program that is to trust this authority alone: by Python's `ssl`, requests, boto3, Node."""
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
        return dict.fromkeys(names, str(self.certificate))


class TlsServer(Service):
    """Ends TLS in front of a server on this machine that has none.

    With `hosts` it is an HTTP proxy (`HTTPS_PROXY`) instead, which takes connections to each of these to a port of its
    own, whatever DNS says, and refuses all others.
    """

    def __init__(
        self,
        *,
        certificate: Certificate,
        target_port: int = 0,
        hosts: Mapping[str, int] | None = None,
        port: int | None = None,
    ) -> None:
        super().__init__(port=port)
        self._settings: Mapping[str, object] = {
            "port": self.port,
            "target_port": target_port,
            "certificate": [str(certificate.chain), str(certificate.key)],
            "hosts": dict(hosts or {}),
        }

    @property
    def name(self) -> str:
        ports = self._settings["target_port"] or self._settings["hosts"]
        return f"TLS on port {self.port} for {ports}"

    def _command(self) -> list[str]:
        return [sys.executable, "-m", __name__, json.dumps(self._settings)]

    def _environment(self, directory: Path) -> dict[str, str]:
        return super()._environment(directory) | {"PYTHONPATH": str(_REPOSITORY)}

    def _answers(self) -> bool:
        return listens(self.port)


async def _serve(*, port: int, target_port: int, certificate: Sequence[str], hosts: Mapping[str, int]) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*certificate)

    async def connected(reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            target = await _proxied(reader, writer, tls, hosts) if hosts else target_port
            if target:
                await _join(reader, writer, target)
        writer.close()

    server = await asyncio.start_server(connected, HOST, port, ssl=None if hosts else tls)
    await server.serve_forever()


async def _proxied(
    reader: StreamReader, writer: StreamWriter, tls: ssl.SSLContext, hosts: Mapping[str, int]
) -> int | None:
    """Answer `CONNECT host:443`; the port of an allowed host, with which what follows is TLS."""
    head = await reader.readuntil(b"\r\n\r\n")
    method, target, _ = head.decode("latin-1").split(" ", 2)
    port = hosts.get(target.removesuffix(":443")) if method == "CONNECT" and target.endswith(":443") else None
    status = "200 Connection established" if port else "403 Forbidden"
    writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())
    await writer.drain()
    if port:
        await writer.start_tls(tls)
    return port


async def _join(reader: StreamReader, writer: StreamWriter, port: int) -> None:
    """Carry bytes both ways until both sides have ended."""
    target_reader, target_writer = await asyncio.open_connection(HOST, port)
    await asyncio.gather(_carry(reader, target_writer), _carry(target_reader, writer))


async def _carry(reader: StreamReader, writer: StreamWriter) -> None:
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    finally:
        # TLS knows no half-closed connection: when one side has ended there is nothing more to say to the other.
        writer.close()


if __name__ == "__main__":
    asyncio.run(_serve(**json.loads(sys.argv[1])))
