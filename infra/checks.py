"""What makes an environment one that can be deployed. What is wrong with it is said in one sentence, before anything is
synthesized."""

import re
from collections.abc import Iterator, Sequence

import phonenumbers

from infra.regions import GENESYS_REGIONS
from infra.settings import MAPPINGS, POLICIES, CacheNodes, Crm, ServerlessCache, Settings
from infra.words import CRM_KINDS

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

_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ACCOUNT = re.compile(r"\d{12}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
_CRM_URL = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+")
_EVENT_SUFFIX = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NODE_TYPE = re.compile(r"cache\.[a-z0-9]+\.[a-z0-9]+")


class SettingsError(ValueError):
    """An environment cannot be deployed as it is described. The message is one sentence."""


def environment(name: object, environments: tuple[Settings, ...]) -> Settings:
    """The checked entry of that name. Raises SettingsError."""
    names = [each.name for each in environments]
    known = f"there are {', '.join(names)}"
    if not name:
        raise SettingsError(f"Say which environment with -c env=NAME; {known}.")
    if duplicate := next((each for each in names if names.count(each) > 1), None):
        raise SettingsError(f"{duplicate}: two environments have this name.")
    found = next((each for each in environments if each.name == name), None)
    if found is None:
        raise SettingsError(f"There is no environment {name!r} in infra/environments.py; {known}.")
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
    if not (POLICIES / f"{settings.policy}.json").is_file():
        there = ", ".join(sorted(each.stem for each in POLICIES.glob("*.json")))
        yield f"policy {settings.policy!r} is not in lambdas/cir/resolve/policies, which has {there}"


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
    yield from _zone_problems(settings.availability_zones, settings.region)
    yield from _operation_problems(settings)


def _zone_problems(zones: Sequence[str], region: str) -> Iterator[str]:
    if zones and not 2 <= len(zones) <= 3:
        yield f"availability_zones are {len(zones)}, but the cache needs two or three"
    for zone in zones:
        if not zone.startswith(region):
            yield f"availability zone {zone!r} is not in region {region}"


def _operation_problems(settings: Settings) -> Iterator[str]:
    """Of what those who run the deployment chose: how releases go out, how long logs stay, who is told."""
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
