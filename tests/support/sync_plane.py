"""CRM records, and the sync that brings them to a Genesys organization and the index."""

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cir.aws.dynamodb import DynamoDB
from cir.contacts.organization import ExternalSources, Organization, prepare
from cir.conversation.linking import Link, Linking
from cir.crm.mapping import SHIPPED, CrmMapping, load_mapping
from cir.crm.record import CrmRecord, read_record
from cir.identity.identifiers import Identifier
from cir.identity.parsing import parse
from cir.identity.records import Contact
from cir.identity.rules import Assurance, IdentifierType
from cir.index.store import IdentityStore, TableNames
from cir.resolve.request import Presented
from cir.sync.customers import Sync, Synced
from sandbox.customers.salesforce import contact_id as salesforce_id
from tests.support.genesys_cloud import GenesysCloud

MAPPING = load_mapping(SHIPPED / "salesforce.json")


def identifier(kind: IdentifierType, text: str, source: str = "") -> Identifier:
    parsed = parse(kind, text, source=source)
    assert isinstance(parsed, Identifier)
    return parsed


def phone(text: str) -> Identifier:
    return identifier(IdentifierType.PHONE, text)


def email(text: str) -> Identifier:
    return identifier(IdentifierType.EMAIL, text)


def loyalty(text: str) -> Identifier:
    return identifier(IdentifierType.EXTERNAL, text, "loyalty")


def crm_id(number: int) -> Identifier:
    return identifier(IdentifierType.EXTERNAL, salesforce_id(number), "salesforce")


def mobile(number: int) -> Identifier:
    """The mobile of an account, unless its columns say otherwise."""
    return phone(f"+1917555{number:04d}")


def account(number: int, **columns: str) -> CrmRecord:
    """A Salesforce account as the CRM shows it: an id, a name and a mobile, unless the columns say otherwise."""
    row = {"Id": salesforce_id(number), "LastName": f"Customer{number}", "MobilePhone": mobile(number).value, **columns}
    record = read_record(row, MAPPING, default_region="US")
    assert isinstance(record, CrmRecord)
    return record


def write_export(path: Path, accounts: Iterable[Mapping[str, str]]) -> Path:
    """A CSV export of Salesforce with every column of the mapping."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, MAPPING.fields)
        writer.writeheader()
        writer.writerows(accounts)
    return path


@dataclass
class SyncPlane:
    """One organization and one index, and those who write to them."""

    genesys: GenesysCloud
    store: IdentityStore
    mapping: CrmMapping = MAPPING

    @cached_property
    def organization(self) -> Organization:
        return prepare(self.genesys.client(), self.mapping)

    def forget_organization(self, now: Organization | None = None) -> None:
        """Have it prepared anew, or be another one from now on."""
        vars(self).pop("organization", None)
        if now:
            vars(self)["organization"] = now

    def new_sync(self, **client: Any) -> Sync:
        """One that knows nothing of earlier ones, as if the process had just started."""
        return Sync(self.genesys.client(**client), self.store, self.organization, self.mapping, sleep=lambda _: None)

    def sync(self, *records: CrmRecord) -> list[Synced]:
        return self.new_sync().records(records)

    def link(self, contact_id: str, identifier: Identifier, assurance: Assurance = Assurance.CLAIMED) -> Link:
        client = self.genesys.client()
        linking = Linking(client, self.store, ExternalSources(client))
        return linking.link(contact_id, Presented(identifier, assurance), conversation_id="conv-1")

    def contact(self, contact_id: str) -> Contact:
        return self.store.canonical([contact_id], consistent=True)[0][contact_id]

    def owners(self, what: Identifier) -> set[str]:
        """The canonical contacts that an identifier leads to."""
        record = self.store.identifiers([what], consistent=True).get(what)
        heads, _ = self.store.canonical(record.claims if record else ())
        return {contact.contact_id for contact in heads.values()}


def keys(identifiers: Iterable[Identifier]) -> set[str]:
    return {each.key for each in identifiers}


class WatchedDynamoDB:
    """A DynamoDB with somebody in the way: `before` and `after` are called around each operation, and may raise."""

    def __init__(self, real: DynamoDB) -> None:
        self._real = real
        self.before: Callable[[str], None] = lambda _: None
        self.after: Callable[[str], None] = lambda _: None
        self.calls: list[str] = []

    def __call__(self, operation: str, request: Mapping[str, Any], *, timeout: float | None = None) -> dict[str, Any]:
        self.calls.append(operation)
        self.before(operation)
        answer = self._real(operation, request, timeout=timeout)
        self.after(operation)
        return answer


def busy_with(rival: IdentityStore, contact_id: str, *, times: int = 1000) -> Callable[[str], None]:
    """For `WatchedDynamoDB.before`: before each of the next transactions somebody else changes that contact."""
    left = iter(range(times))

    def interfere(operation: str) -> None:
        if operation != "TransactWriteItems" or next(left, None) is None:
            return
        read = rival.contacts([contact_id], consistent=True)[contact_id]
        decision = rival.decision(contact_id, "note", "busy")
        rival.put_contact(read.changed(), previous=read, decision=decision, source="test", assurance=Assurance.CLAIMED)

    return interfere


def watched(dynamodb: DynamoDB, tables: TableNames) -> tuple[WatchedDynamoDB, IdentityStore]:
    watching = WatchedDynamoDB(dynamodb)
    return watching, IdentityStore(watching, tables)
