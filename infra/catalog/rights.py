"""What a function may do in AWS: the calls that its own code makes, and no more.

What Lambda itself does in the function's role (logs, tracing, reading a stream or queue, network interfaces) follows
from how it is woken and where it runs. So do the use of the key, from the services that are called, and the listing of
files, without which one that is not there looks like one that may not be read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from infra.tables import Table

type TableAction = Literal["BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"]
"""A transaction needs those of its writes."""
type FileAction = Literal["DeleteObject", "GetObject", "PutObject"]
type Secret = Literal["Genesys client", "CRM client", "webhook keys"]
type QueueName = Literal["changes in the CRM", "changes set aside"]
type Condition = Literal["the resolver waits for Genesys", "the CRM's mapping deletes contacts"]
"""What only some environments choose."""


@dataclass(frozen=True, slots=True)
class Items:
    """Items of one table."""

    table: Table
    actions: tuple[TableAction, ...]
    where: Condition | None = None
    """Only in environments of which this is true."""


@dataclass(frozen=True, slots=True)
class Files:
    """Files in the bucket whose key begins so and ends like the pattern."""

    prefix: str
    actions: tuple[FileAction, ...]
    pattern: str = "*"

    @property
    def keys(self) -> str:
        """As a pattern."""
        return self.prefix + self.pattern


@dataclass(frozen=True, slots=True)
class ReadSecret:
    """The value of a secret."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class SendTo:
    """Messages into a queue."""

    queue: QueueName


@dataclass(frozen=True, slots=True)
class UseCache:
    """Connect to the cache as the user of the hot plane."""


@dataclass(frozen=True, slots=True)
class Invoke:
    """Call another function."""

    function: str
    where: Condition | None = None


type Right = Items | Files | ReadSecret | SendTo | UseCache | Invoke


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What a function does with the environment's key, through the services that it calls."""

    through: tuple[str, ...]
    writes: bool
    """Whether it has data encrypted too, as tables and files are; a secret is only read."""


def key_use(rights: Iterable[Right]) -> KeyUse:
    """What follows from the rights."""
    services = {_SERVICES[type(right)] for right in rights if type(right) in _SERVICES}
    return KeyUse(tuple(sorted(services)), writes=bool(services - {"secretsmanager"}))


_SERVICES: dict[type, str] = {Items: "dynamodb", Files: "s3", ReadSecret: "secretsmanager"}
