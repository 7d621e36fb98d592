"""Data Action "Resolve Customer Identity": a flat event in, a flat answer out, whatever happens."""

import os
from typing import Any

from cir import connect
from cir.index.store import IdentityStore
from cir.resolve.policy import load_policy
from cir.resolve.resolver import Fallback, Resolver
from cir.runtime import log
from cir.runtime.metrics import embedded
from cir.settings import ResolverSettings
from functions import Handler, opened


def make_handler(resolver: Resolver, *, environment: str) -> Handler:
    """The function, over its parts; `environment` is the name that its metrics carry."""

    def handler(event: object, context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
        """Answer within the budget. The trace and the metrics leave as one line of the log."""
        try:
            resolution = resolver.resolve(event)
        except Exception as error:
            answer = resolver.degraded()
            log.write_failure("resolution failed", error)
            trace = {"event": "resolution", "outcome": answer["outcome"], "cacheStatus": answer["cacheStatus"]}
            log.write(trace | _metrics(answer, environment))
            return answer
        log.write(resolution.trace | _metrics(resolution.answer, environment))
        return resolution.answer

    return handler


def _open() -> Handler:
    settings = ResolverSettings.from_environment()
    dynamodb, cache = connect.open_lean_dynamodb(), connect.open_cache(settings)
    resolver = Resolver(
        store=IdentityStore(dynamodb, settings.tables),
        cache=cache,
        defaults=settings.defaults,
        budget_seconds=settings.budget_seconds,
        default_region=settings.default_region,
        fallback=_fallback(settings),
        policy=load_policy(settings.policy),
        trust=settings.trust,
    )
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        from functions.resolver.snapshot import make_restorable  # noqa: PLC0415 - only then

        make_restorable(resolver, cache, dynamodb, default_region=settings.default_region)
    return make_handler(resolver, environment=settings.environment)


def _fallback(settings: ResolverSettings) -> Fallback | None:
    if settings.fallback == "async":
        return None
    from functions.resolver.fallback import ask_backfill  # noqa: PLC0415 - it imports botocore

    seconds = settings.budget_seconds
    client = connect.open_client("lambda", connect_seconds=seconds, read_seconds=seconds, attempts=1)
    return ask_backfill(client, settings.backfill_function)


handler = opened(_open)


def _metrics(answer: dict[str, Any], environment: str) -> dict[str, Any]:
    return embedded(
        {"Latency": (answer["latencyMs"], "Milliseconds"), "Resolutions": (1, "Count")},
        dimensions={"Environment": environment, "Outcome": answer["outcome"], "Cache": answer["cacheStatus"]},
        by=(("Environment",), ("Environment", "Outcome"), ("Environment", "Cache")),
    )
