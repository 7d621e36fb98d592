"""What can be said of an environment; the environments themselves are in infra/environments.py."""

import json
from dataclasses import dataclass
from typing import Literal

from infra.catalog.functions import ALIAS, BACKFILL, RESOLVER
from infra.packaging import SOURCES
from infra.regions import GENESYS_REGIONS
from infra.schedule import Schedule
from infra.words import CrmKind

MAPPINGS = SOURCES / "cir" / "crm" / "mappings"
POLICIES = SOURCES / "cir" / "resolve" / "policies"
EXAMPLE_ID = "00000000-0000-4000-8000-"
EXAMPLE_DOMAIN = "example.com"
"""Of values that are shipped and that nobody can deploy with."""


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
class Carrier:
    """What is stated about the carrier or session border controller. Nothing, unless somebody has made sure."""

    verifies_identity_header: bool = False
    """It checks the signature of Identity headers (STIR/SHAKEN) and strips foreign ones."""
    bare_pass_is_full: bool = False
    """It writes a `TN-Validation-Passed` without a level for level A only."""

    @property
    def variables(self) -> dict[str, str]:
        stated = {
            "CARRIER_VERIFIES_IDENTITY": self.verifies_identity_header,
            "CARRIER_BARE_PASS_IS_FULL": self.bare_pass_is_full,
        }
        return {name: "true" for name, is_so in stated.items() if is_so}


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

    @property
    def deletes_contacts(self) -> bool:
        """Whether the mapping has the contact go when the CRM's record goes, or the customer has opted out."""
        mapping = json.loads((MAPPINGS / f"{self.mapping_name}.json").read_text(encoding="utf-8"))
        return bool(mapping.get("onDelete") == "delete")

    @property
    def variables(self) -> dict[str, str]:
        """What tells it to the functions."""
        told = {"CRM_MAPPING": self.mapping_name, "CRM_URL": self.url}
        return told | ({"CRM_TENANT_ID": self.tenant_id} if self.tenant_id else {})


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

    policy: str = "default"
    """Which file of `lambdas/cir/resolve/policies/` says what is told at which assurance, without `.json`."""
    carrier: Carrier = Carrier()
    """How far the carrier's word for a number may be taken."""
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
    def waits_for_genesys(self) -> bool:
        """Whether the resolver does, for a caller whom the index does not know."""
        return self.genesys_fallback == "sync"

    @property
    def variables(self) -> dict[str, str]:
        """What tells it to the functions: name of the variable → value."""
        told = {
            "CIR_ENVIRONMENT": self.name,
            "RESOLVER_BUDGET_MS": str(self.resolver_budget_ms),
            "DEFAULT_REGION": self.default_phone_region,
            "DEFAULT_QUEUE_ID": self.default_queue_id,
            "DEFAULT_DISPLAY_NAME": self.default_display_name,
            "DEFAULT_TIER": self.default_tier,
            "DEFAULT_STATUS": self.default_status,
            "DEFAULT_LANGUAGE": self.default_language,
            "GENESYS_HOST": self.genesys_host,
            "GENESYS_FALLBACK": self.genesys_fallback,
        }
        if self.policy != "default":
            told["POLICY"] = self.policy
        told |= self.carrier.variables
        if self.waits_for_genesys:
            told["BACKFILL_FUNCTION"] = f"{BACKFILL.in_aws(self.name)}:{ALIAS}"
        return told | (self.crm.variables if self.crm else {})

    @property
    def examples(self) -> tuple[str, ...]:
        """Settings that still have the value they were shipped with."""
        ids = ("genesys_organization_id", "default_queue_id")
        addresses = ("alarm_email", "runbook_url")
        return tuple(
            [each for each in ids if str(getattr(self, each)).startswith(EXAMPLE_ID)]
            + [each for each in addresses if EXAMPLE_DOMAIN in getattr(self, each)]
        )
