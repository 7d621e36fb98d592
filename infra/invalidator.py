"""`lambdas/invalidator`: makes the cache forget what has changed."""

import aws_cdk as cdk
from constructs import Construct

from infra import access
from infra.cache import Cache
from infra.function import Function, Plane, StreamSource


class Invalidator(Function):
    """Follows the streams of the identifiers and the contacts."""

    def __init__(self, scope: Construct, *, plane: Plane, cache: Cache) -> None:
        super().__init__(
            scope,
            "invalidator",
            plane=plane,
            description="Invalidates the cache from the tables' streams",
            timeout=cdk.Duration.seconds(30),
            memory_mb=512,
            may=[access.connect_to_cache(*cache.arns)],
            environment_is_secret=True,
        )
        # After an hour no entry that was cached before the change answers by itself any more (5 minutes at most).
        hour = cdk.Duration.hours(1)
        self.consume(
            StreamSource(table=plane.foundation.identifiers, batch_size=100, give_up_after=hour),
            StreamSource(table=plane.foundation.contacts, batch_size=100, give_up_after=hour),
        )
