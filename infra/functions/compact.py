"""`lambdas/functions/compact`: shortens the paths of merged contacts."""

from constructs import Construct

from infra.catalog import COMPACT
from infra.parts import access
from infra.parts.function import Function, Plane


class Compact(Function):
    """Woken by the stream of the contacts."""

    def __init__(self, scope: Construct, *, plane: Plane) -> None:
        foundation = plane.foundation
        super().__init__(
            scope,
            COMPACT,
            plane=plane,
            description="Shortens the paths of merged contacts",
            may=[
                access.items(foundation.identifiers, "BatchGetItem", "UpdateItem"),
                access.items(foundation.contacts, "BatchGetItem"),
                access.encrypt_and_decrypt(foundation.key, through=["dynamodb"]),
            ],
        )
        self.consume_streams()
