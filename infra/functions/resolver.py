"""`lambdas/functions/resolver`: answers who is calling."""

from constructs import Construct

from infra.catalog import RESOLVER
from infra.parts import access
from infra.parts.cache import Cache
from infra.parts.function import ALIAS, Function, Plane, function_arn


class Resolver(Function):
    """Called by Genesys while the caller hears the greeting."""

    def __init__(self, scope: Construct, *, plane: Plane, cache: Cache) -> None:
        foundation, settings = plane.foundation, plane.settings
        may = [
            access.items(foundation.identifiers, "BatchGetItem", "UpdateItem"),
            access.items(foundation.contacts, "BatchGetItem"),
            access.items(foundation.ledger, "PutItem"),
            access.encrypt_and_decrypt(foundation.key, through=["dynamodb"]),
            access.connect_to_cache(*cache.arns),
        ]
        if settings.genesys_fallback == "sync":
            may.append(access.invoke(function_arn(scope, settings, "backfill", alias=ALIAS)))
        super().__init__(
            scope,
            RESOLVER,
            plane=plane,
            description="Data Action Resolve Customer Identity",
            memory_mb=settings.resolver_memory_mb,
            may=may,
            environment_is_secret=True,
            snap_start=settings.snap_start,
        )
        self.callable_by_genesys()
