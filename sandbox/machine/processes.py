"""Child processes that cannot outlive the sandbox."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from sandbox.machine import guardian

HOST = "127.0.0.1"

# Below the range from which Linux and macOS take the ports of outgoing connections, so that a port that is free now is
# not taken by somebody's outgoing connection before the server has bound it.
_PORTS = range(20_000, 30_000)
_handed_out: set[int] = set()

_START_TIMEOUT_SECONDS = 30.0  # ten times what the slowest of them needs on an idle machine

_guardian: subprocess.Popen[str] | None = None
_guardian_lock = threading.Lock()


class StartError(Exception):
    """A part of the sandbox did not start. The text is one line that says what to do."""


def free_port() -> int:
    """A port that nothing listens on and that this function has not given out before."""
    for port in random.sample(_PORTS, len(_PORTS)):
        if port in _handed_out:
            continue
        if _is_free(port):
            _handed_out.add(port)
            return port
    raise StartError(f"no free port between {_PORTS.start} and {_PORTS.stop} on {HOST}")


class Process:
    """A running program, leader of a process group of its own: Ctrl-C in the terminal reaches only the parent, which
    then stops its children in order, and whatever the program starts is stopped with it."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        directory: Path | None = None,
        output: IO[bytes] | int = subprocess.DEVNULL,
    ) -> None:
        self._stopped = False
        with _guardian_lock:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                env=dict(environment),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
            _tell_guardian(f"+{self._process.pid}")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> IO[bytes]:
        """What the program writes, if it was started with `output=subprocess.PIPE`."""
        if self._process.stdout is None:
            raise ValueError(f"process {self.pid} was not started with output=subprocess.PIPE")
        return self._process.stdout

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait(self) -> int:
        """Wait for the end; the exit status, negative for a signal."""
        return self._process.wait()

    def stop(self, *, grace_seconds: float = 3.0) -> None:
        """Ask the group to end, kill it after the grace period, and wait. A second call does nothing."""
        if self._stopped:
            return
        guardian.send(self.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(grace_seconds)
        self.kill()

    def kill(self) -> None:
        """Kill the group at once and wait. What the program itself started and left behind ends too."""
        if self._stopped:
            return
        self._stopped = True
        guardian.send(self.pid, signal.SIGKILL)
        self._process.wait()
        with _guardian_lock:
            _tell_guardian(f"-{self.pid}")

    def suspend(self) -> None:
        """Freeze the group."""
        guardian.send(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        guardian.send(self.pid, signal.SIGCONT)


class Service(ABC):
    """A server program on 127.0.0.1 that can be stopped and started again at the same port, without its data."""

    def __init__(self, *, port: int | None) -> None:
        self.port = port or free_port()
        self._process: Process | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    @property
    @abstractmethod
    def name(self) -> str:
        """What errors call it."""

    @abstractmethod
    def _command(self) -> Sequence[str | Path]: ...

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it is ready for its clients. Asked again and again until it is."""

    def _environment(self, directory: Path) -> dict[str, str]:  # noqa: ARG002 - for those that keep files there
        return {"PATH": os.environ.get("PATH", "")}

    def _prepare(self) -> None:  # noqa: B027 - optional
        """What to do with a server that has just become ready; nothing unless a subclass says so."""

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.alive

    def start(self) -> None:
        """Start and wait until it is ready. Does nothing if it runs."""
        if self.running:
            return
        if not _is_free(self.port):
            # Otherwise whatever listens there would be taken for the server.
            raise StartError(f"{self.name} cannot start: that port is in use or not allowed; choose another one")
        self._directory = tempfile.TemporaryDirectory(prefix="cir-")
        directory = Path(self._directory.name)
        log = directory / "output.log"
        try:
            with log.open("wb") as output:
                self._process = Process(
                    self._command(), environment=self._environment(directory), directory=directory, output=output
                )
            self._wait_until_ready(self._process, log)
            self._prepare()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it: connections are refused from now on. Does nothing if it does not run."""
        if self._process:
            self._process.stop()
        if self._directory:
            self._directory.cleanup()
        self._process = self._directory = None

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing is answered, as from a host that hangs."""
        if self._process:
            self._process.suspend()

    def resume(self) -> None:
        if self._process:
            self._process.resume()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_ready(self, process: Process, log: Path) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while not self._answers():
            if not process.alive:
                raise StartError(f"{self.name} ended with status {process.wait()} when it started: {_last_line(log)}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} was not ready within {_START_TIMEOUT_SECONDS:g} s: {_last_line(log)}")
            time.sleep(0.02)


def listens(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex((HOST, port)) == 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Connections that a stopped server left behind do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return True


def _last_line(log: Path) -> str:
    return (log.read_text(errors="replace").strip().splitlines() or ["it wrote nothing"])[-1]


def _tell_guardian(line: str) -> None:
    global _guardian  # noqa: PLW0603 - one per Python process, started with the first child
    if _guardian is None:
        _guardian = subprocess.Popen(
            [sys.executable, "-I", "-S", guardian.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            process_group=0,
        )
    if _guardian.stdin:
        print(line, file=_guardian.stdin, flush=True)
