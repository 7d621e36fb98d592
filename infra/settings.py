"""Every environment, in one place. `cdk deploy --all -c env=dev` takes the entry named `dev`.

A new environment is one more entry in ENVIRONMENTS. What is wrong with an entry is said in one sentence, before
anything is synthesized.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import phonenumbers

from infra.catalog import RESOLVER
from infra.packaging import SOURCES
from infra.schedule import Schedule
from infra.words import CRM_KINDS, CrmKind


@dataclass(frozen=True, slots=True)
class GenesysRegion:
    """Where Genesys Cloud runs in an AWS region."""

    host: str
    """The API is at `api.` and the login at `login.` of it."""
    account: str = "765628985471"
    """The AWS account from which Genesys Cloud assumes roles: one for all core and satellite regions."""


# Hosts as in Genesys' own SDK (PureCloudRegionHosts); accounts as in Genesys' articles on AWS integrations.
GENESYS_REGIONS = {
    "ap-northeast-1": GenesysRegion("mypurecloud.jp"),
    "ap-northeast-2": GenesysRegion("apne2.pure.cloud"),
    "ap-northeast-3": GenesysRegion("apne3.pure.cloud"),
    "ap-south-1": GenesysRegion("aps1.pure.cloud"),
    "ap-southeast-1": GenesysRegion("apse1.pure.cloud"),
    "ap-southeast-2": GenesysRegion("mypurecloud.com.au"),
    "ca-central-1": GenesysRegion("cac1.pure.cloud"),
    "eu-central-1": GenesysRegion("mypurecloud.de"),
    "eu-central-2": GenesysRegion("euc2.pure.cloud"),
    "eu-west-1": GenesysRegion("mypurecloud.ie"),
    "eu-west-2": GenesysRegion("euw2.pure.cloud"),
    "eusc-de-east-1": GenesysRegion("edee1.eusc-pure.cloud", account=""),  # not published: ask Genesys
    "me-central-1": GenesysRegion("mec1.pure.cloud"),
    "mx-central-1": GenesysRegion("mxc1.pure.cloud"),
    "sa-east-1": GenesysRegion("sae1.pure.cloud"),
    "us-east-1": GenesysRegion("mypurecloud.com"),
    "us-east-2": GenesysRegion("use2.us-gov-pure.cloud", account="325654371633"),  # FedRAMP
    "us-west-2": GenesysRegion("usw2.pure.cloud"),
}

# What CloudWatch Logs accepts: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)

_EXAMPLE_ID = "00000000-0000-4000-8000-"
_EXAMPLE_DOMAIN = "example.com"

_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")
MAPPINGS = SOURCES / "cir" / "crm" / "mappings"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ACCOUNT = re.compile(r"\d{12}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
_CRM_URL = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+")
_EVENT_SUFFIX = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NODE_TYPE = re.compile(r"cache\.[a-z0-9]+\.[a-z0-9]+")


class SettingsError(ValueError):
    """An environment cannot be deployed as it is described. The message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerlessCache:
    """ElastiCache Serverless: always multi-AZ, billed by use, in cluster mode. The limits cap the bill."""

    max_storage_gb: int = 1
    max_ecpu_per_second: int = 30_000
    """One lookup takes 2-4. All keys share a slot, and a slot serves no more than 30,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheNodes:
    """A replication group of one shard: a primary and replicas that take over from it."""

    node_type: str
    nodes: int = 2
    """1 is without failover."""


AT_NIGHT = Schedule("0 3 * * ? *", "Etc/UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crm:
    """Where the master of customers' data is."""

    kind: CrmKind
    url: str
    """For instance `https://example.my.salesforce.com`."""
    tenant_id: str = ""
    """Of Dynamics 365 alone: the directory (tenant) id of Microsoft Entra ID."""
    mapping: str = ""
    """Which file of `lambdas/cir/crm/mappings/` says what feeds what, without `.json`; empty: named as the kind."""
    reconciliation: Schedule | None = Schedule("0 1 * * ? *", "Etc/UTC")  # noqa: RUF009 - frozen
    """When the whole base is compared with the CRM's."""
    audit: Schedule | None = Schedule("0 5 ? * SUN *", "Etc/UTC")  # noqa: RUF009
    """When it is compared with what Genesys Cloud itself holds as well."""

    @property
    def mapping_name(self) -> str:
        return self.mapping or self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One environment."""

    name: str
    """Part of every physical name: `cir-<name>-resolver`."""
    region: str
    """AWS region. It must be that of the Genesys organization: Genesys invokes functions in its own region only."""
    genesys_host: str
    """As in the address of Genesys Cloud after `apps.`, for instance `mypurecloud.ie`."""
    genesys_organization_id: str = ""
    """The external id with which Genesys assumes the role that may call the functions."""
    genesys_account: str = ""
    """AWS account of Genesys Cloud; only for a region whose account Genesys does not publish."""
    genesys_event_suffix: str = ""
    """Event source suffix of Genesys' EventBridge integration, which must be there before; empty: none. With it the
    index follows what agents and Genesys itself do to contacts."""

    default_queue_id: str = ""
    """Genesys queue for whoever is not recognised, or has no queue of their own."""
    default_phone_region: str = "US"
    """Country (ISO 3166 alpha-2) as which national phone numbers are read."""
    default_display_name: str = "Valued Customer"
    default_tier: str = "Standard"
    default_status: str = "Unknown"
    default_language: str = "en-US"

    resolver_budget_ms: int = 180
    """Within which the resolver answers, whatever happens."""
    resolver_memory_mb: int = RESOLVER.memory_mb
    genesys_fallback: Literal["async", "sync"] = "async"
    """Whether a caller whom the index does not know waits while Genesys is asked. `sync` adds an interface endpoint."""
    snap_start: bool = False
    """Start the resolver from a snapshot. AWS charges for keeping and restoring it."""
    cache: ServerlessCache | CacheNodes = ServerlessCache()
    availability_zones: tuple[str, ...] = ()
    """Two or three; empty: the first two of the region. Needed where ElastiCache Serverless is not in those."""

    crm: Crm | None = None
    """None: the CRM is only known by the files that are imported."""
    duplicate_search: Schedule | None = AT_NIGHT
    """When the whole base is searched for contacts that are one person."""
    automatic_merges: int = 100
    """How many sure ones a search may merge without anybody's look; 0: all wait for review."""

    keep_data: bool = True
    """Deletion protection, and tables, key and secrets that stay when the stack is deleted."""
    traffic_shift: Literal["all-at-once", "canary", "linear"] = "canary"
    """How a new version of what Genesys calls takes over. An alarm meanwhile brings the old one back."""
    log_retention_days: int = 30
    alarm_email: str = ""
    """Who is told when an alarm goes off."""
    runbook_url: str = ""
    """Where docs/runbook.md can be read by whoever is told."""

    @property
    def genesys_principal(self) -> str:
        """The AWS account that may assume the role for Genesys."""
        return self.genesys_account or GENESYS_REGIONS[self.region].account

    @property
    def examples(self) -> tuple[str, ...]:
        """Settings that still have the value they were shipped with."""
        ids = ("genesys_organization_id", "default_queue_id")
        addresses = ("alarm_email", "runbook_url")
        return tuple(
            [each for each in ids if str(getattr(self, each)).startswith(_EXAMPLE_ID)]
            + [each for each in addresses if _EXAMPLE_DOMAIN in getattr(self, each)]
        )


ENVIRONMENTS = (
    Settings(
        name="dev",
        region="eu-west-1",
        genesys_host="mypurecloud.ie",
        genesys_organization_id=_EXAMPLE_ID + "000000000001",
        default_queue_id=_EXAMPLE_ID + "00000000000a",
        default_phone_region="GB",
        default_language="en-GB",
        duplicate_search=Schedule("0 3 * * ? *", "Europe/London"),
        cache=ServerlessCache(max_ecpu_per_second=5_000),
        keep_data=False,
        traffic_shift="all-at-once",
        log_retention_days=7,
        alarm_email="cir-dev@" + _EXAMPLE_DOMAIN,
        runbook_url=f"https://{_EXAMPLE_DOMAIN}/cir/docs/runbook.md",
    ),
    Settings(
        name="staging",
        region="eu-west-1",
        genesys_host="mypurecloud.ie",
        genesys_organization_id=_EXAMPLE_ID + "000000000002",
        default_queue_id=_EXAMPLE_ID + "00000000000b",
        default_phone_region="GB",
        default_language="en-GB",
        duplicate_search=Schedule("0 3 * * ? *", "Europe/London"),
        log_retention_days=14,
        alarm_email="cir-staging@" + _EXAMPLE_DOMAIN,
        runbook_url=f"https://{_EXAMPLE_DOMAIN}/cir/docs/runbook.md",
    ),
    Settings(
        name="prod",
        region="eu-west-1",
        genesys_host="mypurecloud.ie",
        genesys_organization_id=_EXAMPLE_ID + "000000000003",
        default_queue_id=_EXAMPLE_ID + "00000000000c",
        default_phone_region="GB",
        default_language="en-GB",
        duplicate_search=Schedule("0 3 * * ? *", "Europe/London"),
        log_retention_days=90,
        alarm_email="cir-prod@" + _EXAMPLE_DOMAIN,
        runbook_url=f"https://{_EXAMPLE_DOMAIN}/cir/docs/runbook.md",
    ),
)


def environment(name: object, environments: tuple[Settings, ...] = ENVIRONMENTS) -> Settings:
    """The checked entry of that name. Raises SettingsError."""
    names = [each.name for each in environments]
    known = f"there are {', '.join(names)}"
    if not name:
        raise SettingsError(f"Say which environment with -c env=NAME; {known}.")
    if duplicate := next((each for each in names if names.count(each) > 1), None):
        raise SettingsError(f"{duplicate}: two environments have this name.")
    found = next((each for each in environments if each.name == name), None)
    if found is None:
        raise SettingsError(f"There is no environment {name!r} in infra/settings.py; {known}.")
    return checked(found)


def checked(settings: Settings) -> Settings:
    """The same settings if they can be deployed. Raises SettingsError."""
    for problem in _problems(settings):
        raise SettingsError(f"{settings.name}: {problem}.")
    return settings


def _problems(settings: Settings) -> Iterator[str]:
    if not _NAME.fullmatch(settings.name):
        yield "name must be up to 20 small letters, digits and hyphens, a letter first"
    yield from _genesys_problems(settings)
    yield from _answer_problems(settings)
    yield from _resource_problems(settings)


def _genesys_problems(settings: Settings) -> Iterator[str]:
    region = GENESYS_REGIONS.get(settings.region)
    if region is None:
        yield f"region {settings.region!r} is none of Genesys Cloud's, which are {', '.join(GENESYS_REGIONS)}"
    elif settings.genesys_host != region.host:
        yield (
            f"genesys_host {settings.genesys_host!r} is not the Genesys Cloud of {settings.region}, which is "
            f"{region.host}, and Genesys invokes functions in its own region only"
        )
    elif not _ACCOUNT.fullmatch(settings.genesys_principal):
        yield (
            f"genesys_account is {settings.genesys_account!r}, but must be the 12 digits of Genesys' AWS account for "
            f"{settings.region}, which Genesys tells on request"
        )
    yield from _uuid_problems(
        "genesys_organization_id", settings.genesys_organization_id, "Admin > Account Settings > Organization Settings"
    )
    yield from _uuid_problems("default_queue_id", settings.default_queue_id, "the address of the queue's page")
    if settings.genesys_event_suffix and not _EVENT_SUFFIX.fullmatch(settings.genesys_event_suffix):
        yield (
            f"genesys_event_suffix {settings.genesys_event_suffix!r} is not up to 64 letters, digits, dots, "
            "underscores and hyphens, which is what Genesys accepts"
        )


def _uuid_problems(name: str, value: str, where: str) -> Iterator[str]:
    if not value:
        yield f"{name} is missing; Genesys Cloud shows it under {where}"
    elif not _UUID.fullmatch(value):
        yield f"{name} {value!r} is not an id of Genesys Cloud, which is 32 hexadecimal digits in five groups"


def _answer_problems(settings: Settings) -> Iterator[str]:
    if settings.default_phone_region not in phonenumbers.SUPPORTED_REGIONS:
        yield f"default_phone_region {settings.default_phone_region!r} is not a country code such as GB"
    if not _LANGUAGE.fullmatch(settings.default_language):
        yield f"default_language {settings.default_language!r} is not a language such as en-GB"
    if not 50 <= settings.resolver_budget_ms <= 2000:
        yield f"resolver_budget_ms {settings.resolver_budget_ms} is not between 50 and 2000"
    if settings.genesys_fallback not in {"async", "sync"}:
        yield f"genesys_fallback {settings.genesys_fallback!r} is neither 'async' nor 'sync'"


def _resource_problems(settings: Settings) -> Iterator[str]:
    if not 256 <= settings.resolver_memory_mb <= 10_240:
        yield f"resolver_memory_mb {settings.resolver_memory_mb} is not between 256 and 10240"
    yield from _cache_problems(settings.cache)
    if settings.duplicate_search and settings.duplicate_search.problem:
        yield f"duplicate_search: {settings.duplicate_search.problem}"
    if settings.crm:
        yield from _crm_problems(settings.crm)
    if settings.automatic_merges < 0:
        yield f"automatic_merges {settings.automatic_merges} is less than 0"
    if settings.availability_zones and not 2 <= len(settings.availability_zones) <= 3:
        yield f"availability_zones are {len(settings.availability_zones)}, but the cache needs two or three"
    for zone in settings.availability_zones:
        if not zone.startswith(settings.region):
            yield f"availability zone {zone!r} is not in region {settings.region}"
    if settings.traffic_shift not in {"all-at-once", "canary", "linear"}:
        yield f"traffic_shift {settings.traffic_shift!r} is none of 'all-at-once', 'canary' and 'linear'"
    if settings.log_retention_days not in LOG_RETENTION_DAYS:
        accepted = ", ".join(map(str, LOG_RETENTION_DAYS))
        yield f"log_retention_days {settings.log_retention_days} is none that CloudWatch accepts: {accepted}"
    if not _EMAIL.fullmatch(settings.alarm_email):
        yield f"alarm_email {settings.alarm_email!r} is not an e-mail address that can be told of alarms"
    if not settings.runbook_url.startswith("https://"):
        yield f"runbook_url {settings.runbook_url!r} is not an https address at which docs/runbook.md can be read"


def _crm_problems(crm: Crm) -> Iterator[str]:
    if crm.kind not in CRM_KINDS:
        yield f"the CRM's kind {crm.kind!r} is none of {', '.join(CRM_KINDS)}"
    if not _CRM_URL.fullmatch(crm.url):
        yield f"the CRM's url {crm.url!r} is not an https address without a path, such as https://example.my.salesforce.com"
    if (crm.kind == "dynamics") != bool(_UUID.fullmatch(crm.tenant_id)):
        yield f"the CRM's tenant_id {crm.tenant_id!r} must be the id of the directory for dynamics, and empty otherwise"
    if not (MAPPINGS / f"{crm.mapping_name}.json").is_file():
        there = ", ".join(sorted(each.stem for each in MAPPINGS.glob("*.json")))
        yield f"the CRM's mapping {crm.mapping_name!r} is not in lambdas/cir/crm/mappings, which has {there}"
    for name, schedule in (("reconciliation", crm.reconciliation), ("audit", crm.audit)):
        if schedule and schedule.problem:
            yield f"{name}: {schedule.problem}"


def _cache_problems(cache: ServerlessCache | CacheNodes) -> Iterator[str]:
    match cache:
        case ServerlessCache(max_storage_gb=storage, max_ecpu_per_second=speed):
            if not 1 <= storage <= 5_000:
                yield f"the cache's max_storage_gb {storage} is not between 1 and 5000"
            if not 1_000 <= speed <= 15_000_000:
                yield f"the cache's max_ecpu_per_second {speed} is not between 1000 and 15000000"
        case CacheNodes(node_type=node_type, nodes=nodes):
            if not _NODE_TYPE.fullmatch(node_type):
                yield f"the cache's node_type {node_type!r} is not one such as cache.t4g.small"
            if not 1 <= nodes <= 6:
                yield f"the cache's nodes are {nodes}, but there may be 1 to 6"
