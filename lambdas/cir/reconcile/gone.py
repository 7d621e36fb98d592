"""Customers that the extract lacks: what the deletion policy says becomes of those that the CRM confirms to be gone."""

from collections import Counter
from itertools import batched

from cir.crm.connector import Fetch
from cir.crm.mapping import OnDelete
from cir.genesys.errors import NotFoundError
from cir.identity.identifiers import Identifier
from cir.identity.rules import IdentifierType
from cir.index.again import OutdatedError
from cir.index.store import IdentityStore
from cir.reconcile.compare import Plan
from cir.reconcile.run import Night
from cir.sync.deletion import Deletion, Fate

MOST = 1000
"""Of one night: four minutes of Genesys' requests. The others are gone tomorrow as well."""
_ASKED_AT_ONCE = 100


def follow_gone(night: Night, store: IdentityStore, deletion: Deletion, source: str, fetch: Fetch) -> Counter[Fate]:
    """Carry the policy out and write `fates.json`. May be repeated; nothing happens unless the plan stands.

    A row that is missing proves little: `fetch` asks the CRM for each by its id.
    """
    plan, fates = Plan.read(night), Counter[Fate]()
    if plan and plan.stands and deletion.policy is not OnDelete.KEEP:
        gone = list(night.lines("gone.ndjson"))[:MOST]
        for some in batched(gone, _ASKED_AT_ONCE):
            wanted = [Identifier(IdentifierType.EXTERNAL, each["crmId"], each["crmId"], source) for each in some]
            # as the CRM spells them
            ids = {record.identifier.value: record.identifier for record in store.identifiers(wanted).values()}
            for row in fetch(list(ids)):
                if row.deleted and row.id in ids:
                    fates[_fate(deletion, ids[row.id])] += 1
    night.write("fates.json", {str(fate): number for fate, number in fates.items()})
    return fates


def _fate(deletion: Deletion, record_id: Identifier) -> Fate:
    try:
        return deletion.follow(record_id)[0]
    except OutdatedError:
        return Fate.POSTPONED
    except NotFoundError:
        return Fate.KEPT  # Genesys has no such contact, so there is nothing to take the record's data off
