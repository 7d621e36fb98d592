"""Runs the emulator: for good in the foreground, or in a thread of the calling process."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import uvicorn

from ..control import Control
from ..organization.settings import Settings
from .app import application

START_S = 10.0


def serve(
    *, host: str = "127.0.0.1", port: int, settings: Settings, on_listening: Callable[[int], None] = lambda _: None
) -> None:
    """Answer until interrupted. `on_listening` is told the port, which with `port` 0 is any free one.

    Raises OSError when the port is taken.
    """
    with _listen(host, port) as listener, suppress(KeyboardInterrupt):
        on_listening(listener.getsockname()[1])
        uvicorn.Server(_config(settings)).run(sockets=[listener])


@dataclass(frozen=True, slots=True)
class Emulator(Control):
    """An emulator in a thread of this process."""

    client_id: str
    client_secret: str
    _server: uvicorn.Server
    _thread: threading.Thread

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@contextmanager
def running(settings: Settings | None = None, port: int = 0) -> Iterator[Emulator]:
    """An emulator in a background thread, on a free port unless one is given."""
    settings = settings or Settings()
    listener = _listen("127.0.0.1", port)
    server = uvicorn.Server(_config(settings))
    thread = threading.Thread(
        target=asyncio.run, args=(_serve(server, listener),), name="genesys-emulator", daemon=True
    )
    thread.start()
    emulator = Emulator(
        url=f"http://127.0.0.1:{listener.getsockname()[1]}",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        _server=server,
        _thread=thread,
    )
    try:
        _await_start(server, thread)
        yield emulator
    finally:
        emulator.stop()
        listener.close()


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError(f"the Genesys Cloud emulator did not start within {START_S:g} s")
        time.sleep(0.01)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's algorithm off; otherwise each answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()  # from now on clients wait for their turn instead of being refused
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}; choose another port") from None
    return listener


def _config(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        application(settings),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,  # seconds; a client that pauses shall find its connection open, as in production
        timeout_graceful_shutdown=1,
    )


async def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    """Closes also what clients have left open: uvicorn waits for them, but leaves them to the garbage collector."""
    await server.serve(sockets=[listener])
    for connection in tuple(server.server_state.connections):
        connection.transport.abort()
    await asyncio.sleep(0)  # a turn of the loop, in which they are closed
