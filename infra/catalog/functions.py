"""Every Lambda function: what wakes it, what it is given, reads and may do, and how long it may take."""

from dataclasses import dataclass
from typing import Literal

from infra.catalog.rights import Files, Invoke, Items, ReadSecret, Right, SendTo, UseCache
from infra.catalog.triggers import Call, DataAction, Http, Queue, Step, Stream, Trigger, Workflow
from infra.catalog.variables import (
    BACKFILL_FUNCTION,
    CACHE_HASH_KEY,
    CACHE_NAME,
    CACHE_SERVERLESS,
    CACHE_URL,
    CACHE_USER,
    CARRIER,
    CHANGES_QUEUE_URL,
    CIR_ENVIRONMENT,
    CRM,
    CRM_MAPPING,
    DATA_BUCKET,
    DEFAULT_DISPLAY_NAME,
    DEFAULT_FIRST_NAME,
    DEFAULT_LANGUAGE,
    DEFAULT_QUEUE_ID,
    DEFAULT_REGION,
    DEFAULT_STATUS,
    DEFAULT_TIER,
    GENESYS,
    GENESYS_FALLBACK,
    GENESYS_HOST,
    GENESYS_SECRET_ARN,
    POLICY,
    RESOLVER_BUDGET_MS,
    STATE_TABLE,
    TABLES,
    UNDELIVERED_QUEUE_URL,
    WEBHOOK_SECRET_ARN,
    Variable,
)
from infra.tables import CONTACTS, IDENTIFIERS, LEDGER, STATE
from infra.words import IMPORTS, NIGHTS, REPAIRS

ALIAS = "live"
"""The published version that everybody calls."""


def function_name(environment: str, part: str) -> str:
    """In AWS, for instance `cir-dev-resolver`."""
    return f"cir-{environment}-{part}"


type PlaneName = Literal["hot", "sync"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A function, deployed as `cir-<env>-<name>`."""

    name: str
    does: str
    """What for, in a few words; its description in AWS."""
    module: str = ""
    """Of its handler; `functions.<name>` unless it is said."""
    plane: PlaneName
    """`hot`: in the VPC, with the cache; its variables are encrypted. `sync`: outside, with Genesys and the CRM."""
    only_with_crm: bool = False
    """Not where the environment names no CRM."""
    woken_by: tuple[Trigger, ...]
    timeout_seconds: int
    memory_mb: int
    package: Literal["hot", "lean", "analytic"] = "lean"
    storage_mb: int = 512
    """Of `/tmp`."""
    reads: tuple[Variable, ...]
    may: tuple[Right, ...]

    @property
    def handler(self) -> str:
        """As Lambda wants it, below `lambdas/`."""
        return f"{self.module or f'functions.{self.name}'}.handler"

    @property
    def construct_id(self) -> str:
        """In templates."""
        return "".join(word.capitalize() for word in self.name.split("-"))

    @property
    def given(self) -> tuple[Variable, ...]:
        """The variables that it is deployed with, as far as they have a value in the environment."""
        return tuple(dict.fromkeys((*SHARED[self.plane], *self.reads)))

    @property
    def streams(self) -> tuple[Stream, ...]:
        """Those that it follows."""
        return tuple(each for each in self.woken_by if isinstance(each, Stream))

    @property
    def queue(self) -> Queue | None:
        """The one that it takes messages from."""
        return next((each for each in self.woken_by if isinstance(each, Queue)), None)

    @property
    def workflow(self) -> Workflow | None:
        """The one that it is a step of."""
        return next((each.of for each in self.woken_by if isinstance(each, Step)), None)

    @property
    def stands_alone(self) -> bool:
        """Whether nothing else has to be deployed that wakes it: no state machine, no API, nobody who fills a queue."""
        return not any(isinstance(each, Step | Http | Queue) for each in self.woken_by)

    @property
    def is_data_action(self) -> bool:
        """Whether Genesys calls it."""
        return any(isinstance(each, DataAction) for each in self.woken_by)

    @property
    def has_secret_variables(self) -> bool:
        """Whether they are encrypted by the environment's key, beyond what Lambda does with all."""
        return self.plane == "hot"

    def in_aws(self, environment: str) -> str:
        """Its name there."""
        return function_name(environment, self.name)

    def undelivered(self, environment: str) -> str:
        """Name of the queue of what it was to be given and could not take."""
        name = f"{self.in_aws(environment)}-undelivered"
        return f"{name}.fifo" if self.queue and self.queue.fifo else name


SHARED: dict[PlaneName, tuple[Variable, ...]] = {
    "hot": (),
    # With those of any one function a shell can work on the deployment (docs/deploy.md).
    "sync": (
        CIR_ENVIRONMENT,
        *TABLES,
        STATE_TABLE,
        DATA_BUCKET,
        DEFAULT_REGION,
        GENESYS_HOST,
        GENESYS_SECRET_ARN,
        CRM_MAPPING,
    ),
}
"""What every function of a plane is given, whether it reads it or not."""

_RESOLVER_SETTINGS = (
    CIR_ENVIRONMENT,
    *TABLES,
    CACHE_URL,
    CACHE_HASH_KEY,
    CACHE_USER,
    CACHE_NAME,
    CACHE_SERVERLESS,
    RESOLVER_BUDGET_MS,
    DEFAULT_REGION,
    DEFAULT_QUEUE_ID,
    DEFAULT_DISPLAY_NAME,
    DEFAULT_FIRST_NAME,
    DEFAULT_TIER,
    DEFAULT_STATUS,
    DEFAULT_LANGUAGE,
    POLICY,
    *CARRIER,
    GENESYS_FALLBACK,
    BACKFILL_FUNCTION,
)
_CALLING_GENESYS = (CIR_ENVIRONMENT, STATE_TABLE, *GENESYS)
_FOLLOWING_GENESYS = (*_CALLING_GENESYS, *TABLES)

FOLLOW_GENESYS = (
    Items(IDENTIFIERS, ("BatchGetItem", "UpdateItem")),
    Items(CONTACTS, ("BatchGetItem", "PutItem")),
    Items(LEDGER, ("PutItem",)),
    Items(STATE, ("PutItem",)),
    ReadSecret("Genesys client"),
)
"""What it takes to ask Genesys and bring the answer to the index: the same for every function that does so."""
DELETE_CONTACTS = Items(CONTACTS, ("DeleteItem",), where="the CRM's mapping deletes contacts")
"""What following a deletion in the CRM takes besides, where that is the mapping's policy."""

RESOLVER = Part(
    name="resolver",
    does="Data Action Resolve Customer Identity",
    module="functions.resolver.handler",
    plane="hot",
    package="hot",
    woken_by=(DataAction("Resolve Customer Identity"),),
    # Ten times the budget: room for what Lambda itself may take, and far below Genesys' own limit.
    timeout_seconds=3,
    # One whole vCPU: CPU comes with memory, and a cold start is CPU.
    memory_mb=1769,
    reads=_RESOLVER_SETTINGS,
    may=(
        Items(IDENTIFIERS, ("BatchGetItem", "UpdateItem")),
        Items(CONTACTS, ("BatchGetItem",)),
        Items(LEDGER, ("PutItem",)),
        UseCache(),
        Invoke("backfill", where="the resolver waits for Genesys"),
    ),
)
INVALIDATOR = Part(
    name="invalidator",
    does="Invalidates the cache from the tables' streams",
    module="functions.invalidator.handler",
    plane="hot",
    package="hot",
    # An entry of the cache answers by itself for five minutes: after an hour there is nothing left to invalidate.
    woken_by=(
        Stream(table=IDENTIFIERS, batch_size=100, give_up_after_seconds=3600),
        Stream(table=CONTACTS, batch_size=100, give_up_after_seconds=3600),
    ),
    timeout_seconds=30,
    memory_mb=512,
    reads=_RESOLVER_SETTINGS,
    may=(UseCache(),),
)
BACKFILL = Part(
    name="backfill",
    does="Looks up in Genesys what the resolver did not know",
    plane="sync",
    woken_by=(
        Stream(
            table=IDENTIFIERS,
            batch_size=10,
            # A caller who has not been found by then is asked for again by the next call.
            give_up_after_seconds=900,
            only={"dynamodb": {"NewImage": {"lookup_requested_at": {"N": [{"exists": True}]}}}},
        ),
        Call(by="resolver"),
    ),
    timeout_seconds=60,
    memory_mb=512,
    reads=_FOLLOWING_GENESYS,
    may=FOLLOW_GENESYS,
)
LINK = Part(
    name="link",
    does="Data Action Link Identifier",
    plane="sync",
    woken_by=(DataAction("Link Identifier"),),
    timeout_seconds=30,
    memory_mb=1024,
    reads=(*_FOLLOWING_GENESYS, DEFAULT_REGION, *CARRIER),
    may=FOLLOW_GENESYS,
)
CREATE = Part(
    name="create",
    does="Data Action Create Customer",
    plane="sync",
    woken_by=(DataAction("Create Customer"),),
    timeout_seconds=30,
    memory_mb=1024,
    reads=(*_FOLLOWING_GENESYS, DEFAULT_REGION, *CARRIER),
    may=FOLLOW_GENESYS,
)
COMPACT = Part(
    name="compact",
    does="Shortens the paths of merged contacts",
    plane="sync",
    woken_by=(
        Stream(
            table=CONTACTS,
            batch_size=10,
            # A path that stays long is one read more, no wrong answer.
            give_up_after_seconds=3600,
            only={"dynamodb": {"NewImage": {"merged_into": {"S": [{"anything-but": [""]}]}}}},
        ),
    ),
    timeout_seconds=60,
    memory_mb=256,
    reads=TABLES,
    may=(Items(IDENTIFIERS, ("BatchGetItem", "UpdateItem")), Items(CONTACTS, ("BatchGetItem",))),
)
EVENTS_QUEUE = Queue(
    filled_by="the rule on Genesys' partner event bus, where the environment has one",
    batch_size=10,
    at_once=2,
    receives=5,
    # So long an event waits: that of a change which `cir` itself has made shall find it in the index already.
    delay_seconds=15,
)
EVENTS = Part(
    name="events",
    does="Follows what happens to contacts in Genesys",
    plane="sync",
    woken_by=(EVENTS_QUEUE,),
    timeout_seconds=60,
    memory_mb=512,
    reads=(*_FOLLOWING_GENESYS, CRM_MAPPING),
    may=(*FOLLOW_GENESYS, Items(CONTACTS, ("DeleteItem",)), Items(LEDGER, ("Query",))),
)

DUPLICATES_WORKFLOW = Workflow(name="duplicates", longest_hours=6, started_by="the clock (`duplicate_search`)")
DUPLICATES = Part(
    name="duplicates",
    does="Nightly search for contacts that are one person",
    plane="sync",
    woken_by=(Step(DUPLICATES_WORKFLOW),),
    timeout_seconds=900,
    # A million contacts take 2 GB of memory and one of files (docs/duplicates.md); and more memory is more CPU.
    memory_mb=4096,
    package="analytic",
    storage_mb=4096,
    reads=(*_FOLLOWING_GENESYS, DEFAULT_REGION),
    may=(
        Items(IDENTIFIERS, ("BatchGetItem",)),
        Items(CONTACTS, ("BatchGetItem", "PutItem")),
        Items(LEDGER, ("PutItem", "Query")),
        Items(STATE, ("PutItem",)),
        ReadSecret("Genesys client"),
    ),
)

IMPORT_WORKFLOW = Workflow(
    # a million accounts take six hours
    name="import",
    longest_hours=24,
    started_by="`cir import --remote`",
)
IMPORT_SPLIT = Part(
    name="import-split",
    does="Checks an export of the CRM and writes it as batches",
    module="functions.importer.split",
    plane="sync",
    woken_by=(Step(IMPORT_WORKFLOW),),
    timeout_seconds=900,
    memory_mb=1024,
    storage_mb=2048,  # an export of a million accounts has 200 MB
    reads=(*_CALLING_GENESYS, DATA_BUCKET, DEFAULT_REGION, CRM_MAPPING),
    may=(
        Items(STATE, ("PutItem",)),
        ReadSecret("Genesys client"),
        Files(IMPORTS, ("DeleteObject", "GetObject", "PutObject")),
    ),
)
IMPORT_LOAD = Part(
    name="import-load",
    does="Brings a batch of accounts to Genesys and the index",
    module="functions.importer.load",
    plane="sync",
    woken_by=(Step(IMPORT_WORKFLOW),),
    timeout_seconds=900,
    memory_mb=1024,
    reads=(*_FOLLOWING_GENESYS, DATA_BUCKET, CRM_MAPPING),
    may=(
        Items(STATE, ("PutItem",)),
        ReadSecret("Genesys client"),
        Items(IDENTIFIERS, ("BatchGetItem", "UpdateItem")),
        Items(CONTACTS, ("BatchGetItem", "PutItem")),
        DELETE_CONTACTS,
        Items(LEDGER, ("PutItem",)),
        Files(IMPORTS, ("GetObject",)),
        Files(IMPORTS, ("PutObject",), pattern="*/results/*"),
    ),
)
IMPORT_REPORT = Part(
    name="import-report",
    does="Adds up what an import has done",
    module="functions.importer.report",
    plane="sync",
    woken_by=(Step(IMPORT_WORKFLOW),),
    timeout_seconds=300,
    memory_mb=512,
    reads=(CIR_ENVIRONMENT, DATA_BUCKET),
    may=(Files(IMPORTS, ("GetObject", "PutObject")),),
)

WEBHOOK = Part(
    name="webhook",
    does="Takes the CRM's word that accounts have changed",
    plane="sync",
    only_with_crm=True,
    # A mass change in the CRM comes in batches of its own, and what is refused is sent again.
    woken_by=(Http(path="/webhooks/{source}", most_a_second=100),),
    timeout_seconds=15,
    memory_mb=512,
    reads=(CIR_ENVIRONMENT, CHANGES_QUEUE_URL, WEBHOOK_SECRET_ARN),
    may=(SendTo("changes in the CRM"), ReadSecret("webhook keys")),
)
CHANGES_QUEUE = Queue(
    filled_by="the webhook",
    batch_size=10,
    at_once=4,
    # An outage of the CRM or of Genesys may last two hours.
    receives=20,
    fifo=True,
)
SYNC = Part(
    name="sync",
    does="Brings accounts that have changed in the CRM to Genesys and the index",
    plane="sync",
    only_with_crm=True,
    woken_by=(CHANGES_QUEUE,),
    timeout_seconds=60,
    memory_mb=1024,
    reads=(*_FOLLOWING_GENESYS, DEFAULT_REGION, CRM_MAPPING, *CRM, UNDELIVERED_QUEUE_URL),
    may=(*FOLLOW_GENESYS, DELETE_CONTACTS, ReadSecret("CRM client"), SendTo("changes set aside")),
)

RECONCILE_WORKFLOW = Workflow(
    name="reconcile",
    longest_hours=12,
    started_by="the clock (`reconciliation` and `audit` of the CRM's settings)",
)
_OWN_FILES = Files(NIGHTS, ("GetObject", "PutObject"))
RECONCILE_EXTRACT = Part(
    name="reconcile-extract",
    does="Writes down what the CRM holds",
    module="functions.reconcile.extract",
    plane="sync",
    only_with_crm=True,
    woken_by=(Step(RECONCILE_WORKFLOW),),
    timeout_seconds=900,
    memory_mb=1024,
    reads=(STATE_TABLE, DATA_BUCKET, CRM_MAPPING, *CRM),
    may=(_OWN_FILES, Items(STATE, ("PutItem",)), ReadSecret("CRM client")),
)
RECONCILE_AUDIT = Part(
    name="reconcile-audit",
    does="Compares the index with what Genesys holds",
    module="functions.reconcile.audit",
    plane="sync",
    only_with_crm=True,
    woken_by=(Step(RECONCILE_WORKFLOW),),
    timeout_seconds=900,
    memory_mb=1769,
    reads=(*_FOLLOWING_GENESYS, DATA_BUCKET, CRM_MAPPING),
    may=(
        _OWN_FILES,
        ReadSecret("Genesys client"),
        Items(STATE, ("GetItem", "PutItem")),
        Items(CONTACTS, ("BatchGetItem", "Scan")),
        Items(IDENTIFIERS, ("BatchGetItem",)),
    ),
)
RECONCILE_COMPARE = Part(
    name="reconcile-compare",
    does="Plans what the night has to repair",
    module="functions.reconcile.compare",
    plane="sync",
    only_with_crm=True,
    woken_by=(Step(RECONCILE_WORKFLOW),),
    timeout_seconds=900,
    # 26 s of CPU for 500,000 accounts and 306 MB, measured; a whole vCPU comes with the memory
    memory_mb=1769,
    reads=(*_FOLLOWING_GENESYS, DATA_BUCKET, DEFAULT_REGION, CRM_MAPPING),
    may=(
        _OWN_FILES,
        ReadSecret("Genesys client"),
        Files(REPAIRS, ("DeleteObject", "GetObject", "PutObject")),
        Items(STATE, ("GetItem", "PutItem")),
        Items(CONTACTS, ("BatchGetItem", "PutItem", "Scan")),
        Items(IDENTIFIERS, ("BatchGetItem",)),
        Items(LEDGER, ("PutItem",)),
    ),
)
RECONCILE_GONE = Part(
    name="reconcile-gone",
    does="Follows deletions in the CRM",
    module="functions.reconcile.gone",
    plane="sync",
    only_with_crm=True,
    woken_by=(Step(RECONCILE_WORKFLOW),),
    timeout_seconds=900,
    memory_mb=512,
    reads=(*_FOLLOWING_GENESYS, DATA_BUCKET, CRM_MAPPING, *CRM),
    may=(
        _OWN_FILES,
        ReadSecret("Genesys client"),
        Items(STATE, ("PutItem",)),
        Items(CONTACTS, ("BatchGetItem", "PutItem")),
        DELETE_CONTACTS,
        Items(IDENTIFIERS, ("BatchGetItem", "UpdateItem")),
        Items(LEDGER, ("PutItem",)),
        ReadSecret("CRM client"),
    ),
)
RECONCILE_REPORT = Part(
    name="reconcile-report",
    does="Adds up what a night has found and repaired",
    module="functions.reconcile.report",
    plane="sync",
    only_with_crm=True,
    woken_by=(Step(RECONCILE_WORKFLOW),),
    timeout_seconds=300,
    memory_mb=512,
    reads=(CIR_ENVIRONMENT, STATE_TABLE, DATA_BUCKET, CRM_MAPPING),
    may=(
        Files(NIGHTS, ("DeleteObject", "GetObject", "PutObject")),
        Files(REPAIRS, ("DeleteObject", "GetObject", "PutObject")),
        Items(STATE, ("GetItem", "PutItem")),
    ),
)

PARTS: tuple[Part, ...] = tuple(each for each in globals().values() if isinstance(each, Part))
"""All of them, as they stand above."""


def parts(*, crm: bool, plane: PlaneName | None = None) -> tuple[Part, ...]:
    """All that are deployed, with a CRM or without; or those of one plane."""
    return tuple(each for each in PARTS if (crm or not each.only_with_crm) and plane in (None, each.plane))
