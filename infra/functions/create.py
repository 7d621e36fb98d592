"""`lambdas/functions/create`: makes a contact of a caller of whom nothing was found."""

from constructs import Construct

from infra.catalog import CREATE
from infra.parts import access
from infra.parts.function import Function, Plane


class Create(Function):
    """Called by Genesys in the conversation."""

    def __init__(self, scope: Construct, *, plane: Plane) -> None:
        super().__init__(
            scope,
            CREATE,
            plane=plane,
            description="Data Action Create Customer",
            may=access.follow_genesys(plane.foundation),
        )
        self.callable_by_genesys()
