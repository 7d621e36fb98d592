"""What Genesys Cloud should hold of a CRM record."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cir.crm.record import CrmRecord, Problem
from cir.genesys.models import Contact as GenesysContact
from cir.identity.identifiers import Identifier, mask
from cir.identity.records import Contact, IdentifierRecord


@dataclass(frozen=True, slots=True)
class Draft:
    """What Genesys should hold of a record."""

    record: CrmRecord
    stored: Contact | None
    external: tuple[Identifier, ...]
    """The ids that this contact may have: its own, and others that nobody else holds."""
    taken: tuple[Identifier, ...]
    """Ids of the record that another contact holds."""
    body: GenesysContact
    fingerprint: str

    @property
    def is_new(self) -> bool:
        """Whether Genesys was not given this yet, or the index does not know that it was."""
        return not self.stored or self.stored.fingerprint != self.fingerprint

    @property
    def notes(self) -> tuple[Problem, ...]:
        """What is left out of the contact."""
        reason = "already belongs to another contact: a duplicate?"
        return (*self.record.problems, *(Problem(each.source, reason, mask(each.value)) for each in self.taken))


def _holder(record: IdentifierRecord | None, heads: Mapping[str, Contact]) -> Contact | None:
    owner = next(iter(record.claims), "") if record else ""
    return heads.get(owner)


def fingerprint(body: GenesysContact, kept: Collection[str] = ()) -> str:
    """Of everything that Genesys is given, so that a new schema version or queue counts as a change too.

    `kept` are the targets on which Genesys' value survives: other rules may lead to another contact.
    """
    text = json.dumps([body, sorted(kept)] if kept else body, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
