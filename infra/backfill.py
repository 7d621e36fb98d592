"""`lambdas/backfill`: asks Genesys for what the index did not know."""

import aws_cdk as cdk
from constructs import Construct

from infra import access
from infra.function import Function, Plane, StreamSource

LOOKUP_REQUESTED = {"dynamodb": {"NewImage": {"lookup_requested_at": {"N": [{"exists": True}]}}}}
"""Of all changes to identifiers, those that ask for a lookup."""


class Backfill(Function):
    """Woken by the stream of the identifiers, or called by the resolver where the environment waits for Genesys."""

    def __init__(self, scope: Construct, *, plane: Plane) -> None:
        foundation = plane.foundation
        super().__init__(
            scope,
            "backfill",
            plane=plane,
            description="Looks up in Genesys what the resolver did not know",
            timeout=cdk.Duration.seconds(60),
            memory_mb=512,
            may=[
                access.items(foundation.identifiers, "BatchGetItem", "UpdateItem"),
                access.items(foundation.contacts, "BatchGetItem", "PutItem"),
                access.items(foundation.ledger, "PutItem"),
                access.read_secret(foundation.genesys_secret),
                access.encrypt_and_decrypt(foundation.key, through=["dynamodb", "secretsmanager"]),
            ],
        )
        self.consume(
            StreamSource(
                table=foundation.identifiers,
                batch_size=10,
                # A caller who has not been found by then is asked for again by the next call.
                give_up_after=cdk.Duration.minutes(15),
                only=LOOKUP_REQUESTED,
            )
        )
