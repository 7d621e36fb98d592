"""`lambdas/create`: makes a contact of a caller of whom nothing was found."""

from constructs import Construct

from infra import access
from infra.catalog import CREATE
from infra.function import Function, Plane


class Create(Function):
    """Called by Genesys in the conversation."""

    def __init__(self, scope: Construct, *, plane: Plane) -> None:
        foundation = plane.foundation
        super().__init__(
            scope,
            CREATE,
            plane=plane,
            description="Data Action Create Customer",
            may=[
                access.items(foundation.identifiers, "BatchGetItem", "UpdateItem"),
                access.items(foundation.contacts, "BatchGetItem", "PutItem"),
                access.items(foundation.ledger, "PutItem"),
                access.items(foundation.state, "PutItem"),
                access.read_secret(foundation.genesys_secret),
                access.encrypt_and_decrypt(foundation.key, through=["dynamodb", "secretsmanager"]),
            ],
        )
        self.callable_by_genesys()
