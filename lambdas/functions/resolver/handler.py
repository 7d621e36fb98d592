"""Data Action "Resolve Customer Identity": a flat event in, a flat answer out, whatever happens."""

import os
from typing import Any

from cir.connect import open_cache, open_hot_dynamodb
from cir.identity.verdict import Outcome, Verdict
from cir.index.store import IdentityStore
from cir.resolve.answer import CacheStatus, compose
from cir.resolve.policy import load_policy
from cir.resolve.resolver import Fallback, Resolver
from cir.runtime import log
from cir.runtime.metrics import embedded
from cir.settings import ResolverSettings


def _fallback(settings: ResolverSettings) -> Fallback | None:
    if settings.fallback == "async":
        return None
    from functions.resolver.fallback import ask_backfill  # noqa: PLC0415 - it imports boto3

    return ask_backfill(settings.backfill_function, budget_seconds=settings.budget_seconds)


_settings = ResolverSettings.from_environment()
_dynamodb = open_hot_dynamodb()
_cache = open_cache(_settings)
_policy = load_policy(_settings.policy)
_resolver = Resolver(
    store=IdentityStore(_dynamodb, _settings.tables),
    cache=_cache,
    defaults=_settings.defaults,
    budget_seconds=_settings.budget_seconds,
    default_region=_settings.default_region,
    fallback=_fallback(_settings),
    policy=_policy,
    trust=_settings.trust,
)
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from functions.resolver.snapshot import make_restorable

    make_restorable(_resolver, _cache, _dynamodb, default_region=_settings.default_region)


def handler(event: object, context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer within the budget. The trace and the metrics leave as one line of the log."""
    try:
        resolution = _resolver.resolve(event)
    except Exception as error:
        answer, _ = compose(
            Verdict(Outcome.DEGRADED),
            None,
            _settings.defaults,
            _policy,
            resolution_id="",
            cache_status=CacheStatus.DEGRADED,
            refused=(),
            spoof_suspected=False,
        )
        log.write_failure("resolution failed", error)
        trace = {"event": "resolution", "outcome": answer["outcome"], "cacheStatus": answer["cacheStatus"]}
        log.write(trace | _metrics(answer))
        return answer
    log.write(resolution.trace | _metrics(resolution.answer))
    return resolution.answer


def _metrics(answer: dict[str, Any]) -> dict[str, Any]:
    return embedded(
        {"Latency": (answer["latencyMs"], "Milliseconds"), "Resolutions": (1, "Count")},
        dimensions={
            "Environment": _settings.environment,
            "Outcome": answer["outcome"],
            "Cache": answer["cacheStatus"],
        },
        by=(("Environment",), ("Environment", "Outcome"), ("Environment", "Cache")),
    )
