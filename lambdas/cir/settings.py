"""What the stack (or the sandbox) tells a function through its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cir.identity.attestation import CarrierTrust
from cir.identity.records import Profile
from cir.index.store import TableNames


@dataclass(frozen=True, slots=True)
class ResolverSettings:
    """Settings of the functions in the hot plane."""

    environment: str
    tables: TableNames
    cache_url: str
    cache_user: str
    """ElastiCache user of IAM authentication; empty where the cache needs none."""
    cache_name: str
    cache_serverless: bool
    cache_hash_key: bytes
    region: str
    budget_seconds: float
    default_region: str
    """Region (ISO 3166 alpha-2) that national phone numbers are read as."""
    defaults: Profile
    """What an answer says where nothing is known."""
    fallback: Literal["async", "sync"]
    """Whether a miss waits for Genesys inside the budget, or is looked up behind the answer."""
    backfill_function: str
    policy: str
    """Which file of `cir/resolve/policies` says what is told at which level, without `.json`."""
    trust: CarrierTrust
    """What the environment states about its carrier."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "ResolverSettings":
        """Raises ValueError naming the variable that is missing or wrong."""
        fallback = environment.get("GENESYS_FALLBACK", "async")
        if fallback not in {"async", "sync"}:
            raise ValueError(f"GENESYS_FALLBACK must be async or sync, not {fallback!r}")
        return cls(
            environment=required(environment, "CIR_ENVIRONMENT"),
            tables=table_names(environment),
            cache_url=required(environment, "CACHE_URL"),
            cache_user=environment.get("CACHE_USER", ""),
            cache_name=environment.get("CACHE_NAME", ""),
            cache_serverless=environment.get("CACHE_SERVERLESS", "true") == "true",
            cache_hash_key=bytes.fromhex(required(environment, "CACHE_HASH_KEY")),
            region=required(environment, "AWS_REGION"),
            budget_seconds=float(environment.get("RESOLVER_BUDGET_MS", "180")) / 1000,
            default_region=default_region(environment),
            defaults=Profile(
                display_name=environment.get("DEFAULT_DISPLAY_NAME", "Valued Customer"),
                first_name=environment.get("DEFAULT_FIRST_NAME", ""),
                customer_tier=environment.get("DEFAULT_TIER", "Standard"),
                account_status=environment.get("DEFAULT_STATUS", "Unknown"),
                preferred_language=environment.get("DEFAULT_LANGUAGE", "en-US"),
                assigned_queue_id=required(environment, "DEFAULT_QUEUE_ID"),
            ),
            fallback="sync" if fallback == "sync" else "async",
            backfill_function=required(environment, "BACKFILL_FUNCTION") if fallback == "sync" else "",
            policy=environment.get("POLICY", "default"),
            trust=carrier_trust(environment),
        )


def default_region(environment: Mapping[str, str] = os.environ) -> str:
    """The region (ISO 3166 alpha-2) that national phone numbers are read as."""
    return environment.get("DEFAULT_REGION", "US")


def carrier_trust(environment: Mapping[str, str] = os.environ) -> CarrierTrust:
    """What the environment states about its carrier or session border controller: nothing, unless it is said."""
    return CarrierTrust(
        verifies_identity_header=environment.get("CARRIER_VERIFIES_IDENTITY", "false") == "true",
        bare_pass_is_full=environment.get("CARRIER_BARE_PASS_IS_FULL", "false") == "true",
    )


def table_names(environment: Mapping[str, str] = os.environ) -> TableNames:
    """The physical names of the tables."""
    return TableNames(
        identifiers=required(environment, "IDENTIFIERS_TABLE"),
        contacts=required(environment, "CONTACTS_TABLE"),
        ledger=required(environment, "LEDGER_TABLE"),
    )


def required(environment: Mapping[str, str], name: str) -> str:
    """A variable that must be there. Raises ValueError naming it."""
    value = environment.get(name, "")
    if not value:
        raise ValueError(f"the environment variable {name} is not set")
    return value
