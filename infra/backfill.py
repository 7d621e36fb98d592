"""`lambdas/backfill`: asks Genesys for what the index did not know."""

from constructs import Construct

from infra import access
from infra.catalog import BACKFILL
from infra.function import Function, Plane


class Backfill(Function):
    """Woken by the stream of the identifiers, or called by the resolver where the environment waits for Genesys."""

    def __init__(self, scope: Construct, *, plane: Plane) -> None:
        foundation = plane.foundation
        super().__init__(
            scope,
            BACKFILL,
            plane=plane,
            description="Looks up in Genesys what the resolver did not know",
            may=[
                access.items(foundation.identifiers, "BatchGetItem", "UpdateItem"),
                access.items(foundation.contacts, "BatchGetItem", "PutItem"),
                access.items(foundation.ledger, "PutItem"),
                access.items(foundation.state, "PutItem"),
                access.read_secret(foundation.genesys_secret),
                access.encrypt_and_decrypt(foundation.key, through=["dynamodb", "secretsmanager"]),
            ],
        )
        self.consume_streams()
