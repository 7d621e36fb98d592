"""`lambdas/functions/link`: gives a recognised customer the number or address that they have used."""

from constructs import Construct

from infra.catalog import LINK
from infra.parts import access
from infra.parts.function import Function, Plane


class Link(Function):
    """Called by Genesys in the conversation."""

    def __init__(self, scope: Construct, *, plane: Plane) -> None:
        super().__init__(
            scope,
            LINK,
            plane=plane,
            description="Data Action Link Identifier",
            may=access.follow_genesys(plane.foundation),
        )
        self.callable_by_genesys()
