"""The functions and what wakes them, as plain data: the stacks make it in AWS, the sandbox on this machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from infra.tables import CONTACTS, IDENTIFIERS, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A table whose changes a function is given."""

    table: Table
    batch_size: int
    give_up_after_seconds: int
    """A batch that still fails then is reported to the function's queue, and the stream goes on."""
    only: Mapping[str, object] | None = None
    """Lambda's event filter: what does not match costs no invocation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A function, deployed as `cir-<env>-<name>`."""

    name: str
    module: str = ""
    """Of its handler; `functions.<name>` unless it is said."""
    plane: Literal["hot", "sync"]
    timeout_seconds: int
    memory_mb: int
    streams: tuple[Stream, ...] = ()
    is_data_action: bool = False
    """Genesys calls it."""
    package: Literal["lean", "analytic"] = "lean"
    storage_mb: int = 512
    """Of `/tmp`."""

    @property
    def handler(self) -> str:
        """As Lambda wants it, below `lambdas/`."""
        return f"{self.module or f'functions.{self.name}'}.handler"

    @property
    def construct_id(self) -> str:
        """In templates."""
        return "".join(word.capitalize() for word in self.name.split("-"))


RESOLVER = Part(
    name="resolver",
    module="functions.resolver.handler",
    plane="hot",
    # Ten times the budget: room for what Lambda itself may take, and far below Genesys' own limit.
    timeout_seconds=3,
    # One whole vCPU: CPU comes with memory, and a cold start is CPU.
    memory_mb=1769,
    is_data_action=True,
)
INVALIDATOR = Part(
    name="invalidator",
    module="functions.invalidator.handler",
    plane="hot",
    timeout_seconds=30,
    memory_mb=512,
    # An entry of the cache answers by itself for five minutes: after an hour there is nothing left to invalidate.
    streams=(
        Stream(table=IDENTIFIERS, batch_size=100, give_up_after_seconds=3600),
        Stream(table=CONTACTS, batch_size=100, give_up_after_seconds=3600),
    ),
)
BACKFILL = Part(
    name="backfill",
    plane="sync",
    timeout_seconds=60,
    memory_mb=512,
    streams=(
        Stream(
            table=IDENTIFIERS,
            batch_size=10,
            # A caller who has not been found by then is asked for again by the next call.
            give_up_after_seconds=900,
            only={"dynamodb": {"NewImage": {"lookup_requested_at": {"N": [{"exists": True}]}}}},
        ),
    ),
)
LINK = Part(name="link", plane="sync", timeout_seconds=30, memory_mb=1024, is_data_action=True)
CREATE = Part(name="create", plane="sync", timeout_seconds=30, memory_mb=1024, is_data_action=True)
COMPACT = Part(
    name="compact",
    plane="sync",
    timeout_seconds=60,
    memory_mb=256,
    streams=(
        Stream(
            table=CONTACTS,
            batch_size=10,
            # A path that stays long is one read more, no wrong answer.
            give_up_after_seconds=3600,
            only={"dynamodb": {"NewImage": {"merged_into": {"S": [{"anything-but": [""]}]}}}},
        ),
    ),
)
EVENTS = Part(name="events", plane="sync", timeout_seconds=60, memory_mb=512)
# A million contacts take 2 GB of memory and one of files (docs/duplicates.md); and more memory is more CPU.
DUPLICATES = Part(
    name="duplicates", plane="sync", timeout_seconds=900, memory_mb=4096, package="analytic", storage_mb=4096
)
IMPORT_SPLIT = Part(
    name="import-split",
    module="functions.importer.split",
    plane="sync",
    timeout_seconds=900,
    memory_mb=1024,
    storage_mb=2048,  # an export of a million accounts has 200 MB
)
IMPORT_LOAD = Part(
    name="import-load", module="functions.importer.load", plane="sync", timeout_seconds=900, memory_mb=1024
)
IMPORT_REPORT = Part(
    name="import-report", module="functions.importer.report", plane="sync", timeout_seconds=300, memory_mb=512
)

# Only where the environment names a CRM.
WEBHOOK = Part(name="webhook", plane="sync", timeout_seconds=15, memory_mb=512)
SYNC = Part(name="sync", plane="sync", timeout_seconds=60, memory_mb=1024)
RECONCILE_EXTRACT = Part(
    name="reconcile-extract", module="functions.reconcile.extract", plane="sync", timeout_seconds=900, memory_mb=1024
)
RECONCILE_AUDIT = Part(
    name="reconcile-audit", module="functions.reconcile.audit", plane="sync", timeout_seconds=900, memory_mb=1769
)
RECONCILE_COMPARE = Part(
    # 26 s of CPU for 500,000 accounts and 306 MB, measured; a whole vCPU comes with the memory
    name="reconcile-compare",
    module="functions.reconcile.compare",
    plane="sync",
    timeout_seconds=900,
    memory_mb=1769,
)
RECONCILE_GONE = Part(
    name="reconcile-gone", module="functions.reconcile.gone", plane="sync", timeout_seconds=900, memory_mb=512
)
RECONCILE_REPORT = Part(
    name="reconcile-report", module="functions.reconcile.report", plane="sync", timeout_seconds=300, memory_mb=512
)

PARTS = (
    RESOLVER,
    INVALIDATOR,
    BACKFILL,
    LINK,
    CREATE,
    COMPACT,
    EVENTS,
    DUPLICATES,
    IMPORT_SPLIT,
    IMPORT_LOAD,
    IMPORT_REPORT,
)
CRM_PARTS = (
    WEBHOOK,
    SYNC,
    RECONCILE_EXTRACT,
    RECONCILE_AUDIT,
    RECONCILE_COMPARE,
    RECONCILE_GONE,
    RECONCILE_REPORT,
)


def parts(*, crm: bool) -> tuple[Part, ...]:
    """All that are deployed, with a CRM or without."""
    return PARTS + CRM_PARTS if crm else PARTS
