"""Files by key, as the steps of an import or a reconciliation share them: in S3, or in a directory of this machine."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

DELETE_LIMIT = 1000
"""S3's limit of keys in one DeleteObjects."""


class Files(Protocol):
    """A file is there as a whole or not at all, also when the writer dies."""

    def read(self, key: str) -> bytes:
        """Raises FileNotFoundError."""

    def write(self, key: str, content: bytes) -> None: ...

    def exists(self, key: str) -> bool: ...

    def list(self, prefix: str) -> Sequence[str]:
        """All keys that begin so, in order."""

    def local(self, key: str) -> AbstractContextManager[Path]:
        """The file under a path of this machine, not to be changed. Raises FileNotFoundError."""

    def store(self, key: str, path: Path) -> None:
        """Copy a file of this machine here."""

    def remove(self, keys: Sequence[str]) -> None:
        """Missing ones are no error."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Files below a directory, which only their owner can read: they hold personal data."""

    root: Path

    def read(self, key: str) -> bytes:
        return self._path(key).read_bytes()

    def write(self, key: str, content: bytes) -> None:
        with self._replacing(key) as path:
            path.write_bytes(content)

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def list(self, prefix: str) -> Sequence[str]:
        keys = (path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())
        return sorted(key for key in keys if key.startswith(prefix) and not key.endswith("~"))

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        path = self._path(key)
        if not path.is_file():
            raise FileNotFoundError(key)
        yield path

    def store(self, key: str, path: Path) -> None:
        with self._replacing(key) as copy:
            shutil.copyfile(path, copy)

    def remove(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._path(key).unlink(missing_ok=True)

    @contextmanager
    def _replacing(self, key: str) -> Iterator[Path]:
        path = self._path(key)
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix="~")
        os.close(handle)
        try:
            yield Path(temporary)
            Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        path = (self.root / key).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise ValueError(f"the key {key!r} leads out of its directory")
        return path


@dataclass(frozen=True, slots=True)
class Bucket:
    """Objects of one S3 bucket."""

    client: Any
    """Of boto3 for S3."""
    name: str

    def read(self, key: str) -> bytes:
        try:
            return cast(bytes, self.client.get_object(Bucket=self.name, Key=key)["Body"].read())
        except self.client.exceptions.NoSuchKey:
            raise FileNotFoundError(key) from None

    def write(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=content)

    def exists(self, key: str) -> bool:
        # HeadObject answers 403 and not 404 to a role that may not list.
        return key in self.list(key)

    def list(self, prefix: str) -> Sequence[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="cir-") as directory:
            path = Path(directory) / Path(key).name
            try:
                with path.open("wb") as file:
                    shutil.copyfileobj(self.client.get_object(Bucket=self.name, Key=key)["Body"], file, 1 << 20)
            except self.client.exceptions.NoSuchKey:
                raise FileNotFoundError(key) from None
            yield path

    def store(self, key: str, path: Path) -> None:
        self.client.upload_file(str(path), self.name, key)

    def remove(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), DELETE_LIMIT):
            some = keys[start : start + DELETE_LIMIT]
            self.client.delete_objects(Bucket=self.name, Delete={"Objects": [{"Key": key} for key in some]})
