"""`lambdas/compact`: shortens the paths of merged contacts."""

import aws_cdk as cdk
from constructs import Construct

from infra import access
from infra.function import Function, Plane, StreamSource

MERGED = {"dynamodb": {"NewImage": {"merged_into": {"S": [{"anything-but": [""]}]}}}}
"""Of all changes to contacts, those that leave a tombstone."""


class Compact(Function):
    """Woken by the stream of the contacts."""

    def __init__(self, scope: Construct, *, plane: Plane) -> None:
        foundation = plane.foundation
        super().__init__(
            scope,
            "compact",
            plane=plane,
            description="Shortens the paths of merged contacts",
            timeout=cdk.Duration.seconds(60),
            memory_mb=256,
            may=[
                access.items(foundation.identifiers, "BatchGetItem", "UpdateItem"),
                access.items(foundation.contacts, "BatchGetItem"),
                access.encrypt_and_decrypt(foundation.key, through=["dynamodb"]),
            ],
        )
        # A path that stays long is one read more, no wrong answer.
        self.consume(
            StreamSource(table=foundation.contacts, batch_size=10, give_up_after=cdk.Duration.hours(1), only=MERGED)
        )
