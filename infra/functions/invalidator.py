"""`lambdas/functions/invalidator`: makes the cache forget what has changed."""

from constructs import Construct

from infra.catalog import INVALIDATOR
from infra.parts import access
from infra.parts.cache import Cache
from infra.parts.function import Function, Plane


class Invalidator(Function):
    """Follows the streams of the identifiers and the contacts."""

    def __init__(self, scope: Construct, *, plane: Plane, cache: Cache) -> None:
        super().__init__(
            scope,
            INVALIDATOR,
            plane=plane,
            description="Invalidates the cache from the tables' streams",
            may=[access.connect_to_cache(*cache.arns)],
            environment_is_secret=True,
        )
        self.consume_streams()
