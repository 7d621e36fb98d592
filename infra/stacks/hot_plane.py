"""The stack of the hot plane: answers callers, from cache and tables alone, in a network with no way out."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.catalog.functions import ALIAS, BACKFILL, INVALIDATOR, RESOLVER
from infra.foundation import Foundation
from infra.packaging import HOT, ArchitectureName
from infra.parts.access import Reach
from infra.parts.alarms import MINUTE, Alarms, answers, latency, logged_errors
from infra.parts.asset import code
from infra.parts.cache import Cache
from infra.parts.function import Function, Plane, function_arn
from infra.parts.network import Network
from infra.settings import CacheNodes, ServerlessCache, Settings


class Hot(cdk.Stack):
    """`cir-<env>-hot`."""

    def __init__(
        self, scope: Construct, *, settings: Settings, foundation: Foundation, architecture: ArchitectureName
    ) -> None:
        super().__init__(
            scope,
            "Hot",
            stack_name=f"cir-{settings.name}-hot",
            env=cdk.Environment(region=settings.region),
            description="cir: network, cache, resolver and invalidator",
        )
        network = Network(self, settings=settings, foundation=foundation)
        cache = Cache(self, settings=settings, foundation=foundation, network=network)
        backfill = function_arn(self, settings, BACKFILL, alias=ALIAS)
        plane = Plane(
            reach=Reach(
                settings=settings, foundation=foundation, cache=cache.arns, functions={BACKFILL.name: backfill}
            ),
            code={"hot": code(architecture, HOT)},
            architecture=architecture,
            variables=settings.variables | foundation.variables | cache.variables,
            network=network,
        )
        self.resolver = Function(
            self, RESOLVER, plane=plane, memory_mb=settings.resolver_memory_mb, snap_start=settings.snap_start
        )
        self.invalidator = Function(self, INVALIDATOR, plane=plane)
        if settings.waits_for_genesys:
            network.reach_function(backfill)
        alarms = Alarms(self, settings, foundation)
        self.alarms = alarms.names
        self.resolver.shift_gradually(_resolver_alarms(alarms, self.resolver))
        _invalidator_alarms(alarms, self.invalidator)
        _cache_alarms(alarms, cache)


def _resolver_alarms(alarms: Alarms, resolver: Function) -> list[cloudwatch.Alarm]:
    """All of them also bring the old version back while a new one takes over."""
    settings = alarms.settings
    return [
        alarms.when(
            "resolver-errors",
            "The resolver failed or ran out of time: callers were routed without an answer.",
            resolver.metric("Errors", statistic="Sum"),
            at_least=1,
            minutes=1,
        ),
        alarms.when(
            "resolver-throttles",
            "Lambda refused calls of the resolver: callers were routed without an answer.",
            resolver.metric("Throttles", statistic="Sum"),
            at_least=1,
            minutes=2,
            of=5,
        ),
        alarms.when(
            "resolver-latency",
            f"One answer in a hundred takes longer than the budget of {settings.resolver_budget_ms} ms.",
            latency(settings, "p99"),
            at_least=settings.resolver_budget_ms,
            minutes=3,
            of=5,
        ),
        alarms.when(
            "resolver-logged-errors",
            "The resolver met an error that it did not expect; its callers got a proper, but empty, answer.",
            logged_errors(resolver),
            at_least=1,
            minutes=1,
        ),
        alarms.when(
            "tables-unavailable",
            "The resolver could not read the tables: callers who were not cached were not recognised.",
            answers(settings, outcome="DEGRADED"),
            at_least=5,
            minutes=3,
            of=5,
        ),
        alarms.when(
            "cache-unavailable",
            "The resolver could not use the cache: it answers from the tables, slower.",
            answers(settings, cache="degraded"),
            at_least=5,
            minutes=3,
            of=5,
        ),
    ]


def _invalidator_alarms(alarms: Alarms, invalidator: Function) -> None:
    alarms.when(
        "invalidator-lag",
        "Changes reach the cache more than a minute late: answers may be up to five minutes old.",
        invalidator.metric("IteratorAge", statistic="Maximum"),
        at_least=60_000,  # milliseconds
        minutes=3,
        of=5,
    )
    alarms.when(
        "invalidator-undelivered",
        "Changes were given up on: the cache may not have forgotten them.",
        invalidator.undelivered.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum"),
        at_least=1,
        minutes=1,
    )


def _cache_alarms(alarms: Alarms, cache: Cache) -> None:
    match alarms.settings.cache:
        case ServerlessCache(max_storage_gb=storage):
            full, busy = cache.metric("BytesUsedForCache", "Maximum"), cache.metric("ThrottledCmds", "Sum")
            full_at, busy_at = 0.8 * storage * 1024**3, 1.0
        case CacheNodes():
            full = cache.metric("DatabaseMemoryUsagePercentage", "Maximum")
            busy = cache.metric("EngineCPUUtilization", "Maximum")
            full_at, busy_at = 80.0, 90.0
    alarms.when(
        "cache-full",
        "The cache is at four fifths of its memory: soon it drops entries that are still good.",
        full,
        at_least=full_at,
        minutes=5,
    )
    alarms.when(
        "cache-busy",
        "The cache is at its limit and refuses or delays lookups.",
        busy,
        at_least=busy_at,
        minutes=3,
        of=5,
    )
