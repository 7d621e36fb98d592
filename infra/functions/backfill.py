"""`lambdas/functions/backfill`: asks Genesys for what the index did not know."""

from constructs import Construct

from infra.catalog import BACKFILL
from infra.parts import access
from infra.parts.function import Function, Plane


class Backfill(Function):
    """Woken by the stream of the identifiers, or called by the resolver where the environment waits for Genesys."""

    def __init__(self, scope: Construct, *, plane: Plane) -> None:
        super().__init__(
            scope,
            BACKFILL,
            plane=plane,
            description="Looks up in Genesys what the resolver did not know",
            may=access.follow_genesys(plane.foundation),
        )
        self.consume_streams()
