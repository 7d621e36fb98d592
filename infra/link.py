"""`lambdas/link`: gives a recognised customer the number or address that they have used."""

from constructs import Construct

from infra import access
from infra.catalog import LINK
from infra.function import Function, Plane


class Link(Function):
    """Called by Genesys in the conversation."""

    def __init__(self, scope: Construct, *, plane: Plane) -> None:
        foundation = plane.foundation
        super().__init__(
            scope,
            LINK,
            plane=plane,
            description="Data Action Link Identifier",
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
