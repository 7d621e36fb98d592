"""Work that a request starts and later requests ask after: exports, imports, privacy requests, cluster scans."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_log = logging.getLogger(__name__)

CHUNK = 200  # rows or contacts handled before other requests get their turn


class Pace:
    """Lets a job take its next step when somebody polls it, or by itself after a while.

    So a test sees every state in turn without waiting, and a job that nobody polls still ends.
    """

    def __init__(self, *, step_s: float) -> None:
        self._step_s = step_s
        self._polled = asyncio.Event()

    def poll(self) -> None:
        self._polled.set()

    async def step(self) -> None:
        self._polled.clear()
        try:
            await asyncio.wait_for(self._polled.wait(), self._step_s)
        except TimeoutError:
            return


class Jobs:
    """The running jobs of the organization, so that a reset can stop them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("a job of the emulator failed", exc_info=error)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()


async def breathe(index: int) -> None:
    """Give other requests their turn after every chunk of a long loop."""
    if index % CHUNK == CHUNK - 1:
        await asyncio.sleep(0)
