"""Files that the organization hands out: export results, import reports. Who knows an address needs no token."""

from collections.abc import Callable
from typing import NamedTuple


class File(NamedTuple):
    name: str
    media_type: str
    content: bytes


class Files:
    def __init__(self, *, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._files: dict[str, File] = {}

    def put(self, file: File) -> str:
        """The path under which the file can be fetched."""
        key = self._new_id()
        self._files[key] = file
        return f"/downloads/{key}/{file.name}"

    def get(self, key: str) -> File | None:
        return self._files.get(key)
