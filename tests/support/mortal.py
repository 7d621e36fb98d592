"""Processes that die at any point at which something is changed."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from cir.aws.files import Files


class KilledError(BaseException):
    """Nobody catches it, as nobody survives SIGKILL."""


@dataclass
class Mortal:
    """Counts what is done and dies at a given point."""

    dies_at: int = 10**9
    done: int = 0

    def step(self) -> None:
        self.done += 1
        if self.done == self.dies_at:
            raise KilledError


@dataclass(frozen=True)
class MortalFiles:
    """Dies before or after an operation that changes something."""

    files: Files
    life: Mortal
    only: str = ""
    """In the keys of the files that matter."""

    def read(self, key: str) -> bytes:
        return self.files.read(key)

    def write(self, key: str, content: bytes) -> None:
        self._step(key)
        self.files.write(key, content)
        self._step(key)

    def exists(self, key: str) -> bool:
        return self.files.exists(key)

    def list(self, prefix: str) -> Sequence[str]:
        return self.files.list(prefix)

    def local(self, key: str) -> AbstractContextManager[Path]:
        return self.files.local(key)

    def store(self, key: str, path: Path) -> None:
        self._step(key)
        self.files.store(key, path)

    def remove(self, keys: Sequence[str]) -> None:
        self.files.remove(keys)
        self._step(*keys)

    def _step(self, *keys: str) -> None:
        if not self.only or any(self.only in key for key in keys):
            self.life.step()
