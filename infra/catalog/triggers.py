"""What wakes a function."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A table whose changes the function is given."""

    table: Table
    batch_size: int
    give_up_after_seconds: int
    """A batch that still fails then is reported to the function's queue, and the stream goes on."""
    only: Mapping[str, object] | None = None
    """Lambda's event filter: what does not match costs no invocation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue of the function's own, named like it."""

    filled_by: str
    """Who writes into it, for people."""
    batch_size: int
    at_once: int
    """Invocations at the same time, at the most."""
    receives: int
    """Of a message that fails; then it is set aside, as undelivered."""
    delay_seconds: int = 0
    fifo: bool = False

    def name(self, function: str) -> str:
        """In AWS, of the function of that name."""
        return f"{function}.fifo" if self.fifo else function


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A state machine, deployed as `cir-<env>-<name>`."""

    name: str
    longest_hours: int
    started_by: str
    """For people."""

    def in_aws(self, environment: str) -> str:
        """Its name there."""
        return f"cir-{environment}-{self.name}"


@dataclass(frozen=True, slots=True)
class Step:
    """It is called by a state machine."""

    of: Workflow


@dataclass(frozen=True, slots=True)
class DataAction:
    """Genesys Cloud calls it, in the conversation."""

    name: str
    """In Genesys Cloud."""


@dataclass(frozen=True, slots=True)
class Call:
    """Another function calls it and waits for its answer, where the environment has chosen so."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """Requests by HTTPS, from anywhere: the function itself checks who it is."""

    path: str
    most_a_second: int


type Trigger = Stream | Queue | Step | DataAction | Call | Http
