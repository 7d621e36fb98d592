"""Starting from a snapshot of the initialised function (SnapStart) instead of initialising it.

What was made before the snapshot is used hours later, by several environments at once: connections are dead, and random
numbers would be the same in all of them. Credentials need nothing, since their expiry is checked at each use.
"""

import random

from phonenumbers import PhoneMetadata
from snapshot_restore_py import register_after_restore, register_before_snapshot

from cir.aws.dynamodb import LeanDynamoDB
from cir.index.cache import Cache
from cir.resolve.resolver import Resolver

NOBODY = "00000000-0000-0000-0000-000000000000"


def make_restorable(resolver: Resolver, cache: Cache, dynamodb: LeanDynamoDB, *, default_region: str) -> None:
    """Have Lambda's runtime call the hooks below at the right moments."""

    def before() -> None:
        """Do whatever only the first call does; nothing of it writes, or fails where a store cannot be reached."""
        PhoneMetadata.metadata_for_region(default_region)
        resolver.resolve({"contactId": NOBODY, "ani": "anonymous"})
        cache.disconnect()
        dynamodb.disconnect()

    def after() -> None:
        random.seed()
        cache.warm_up()
        dynamodb.warm_up()

    register_before_snapshot(before)
    register_after_restore(after)
