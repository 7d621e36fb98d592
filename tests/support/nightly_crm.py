"""A CRM, Genesys Cloud, the index, and the nights in which they are reconciled."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cir.aws.dynamodb import DynamoDB
from cir.aws.files import Files
from cir.crm.connector import CrmRow
from cir.imports.run import load_all
from cir.index.store import TableNames
from cir.reconcile.audit import Auditor
from cir.reconcile.compare import Plan, compare
from cir.reconcile.extract import extract
from cir.reconcile.held import Index, scan
from cir.reconcile.report import report
from cir.reconcile.result import Reconciled
from cir.reconcile.run import Night, State
from sandbox.customers.salesforce import contact_id as salesforce_id
from tests.support.sync_plane import SyncPlane, crm_id


def row(number: int, **columns: str) -> CrmRow:
    values = {
        "FirstName": "Ann",
        "LastName": f"Customer{number}",
        "MobilePhone": f"+1917555{number:04d}",
        "Account_Tier__c": "Gold",
        **columns,
    }
    return CrmRow(salesforce_id(number), values)


@dataclass
class Crm:
    """All that the CRM holds."""

    rows: dict[str, CrmRow] = field(default_factory=dict)
    extracts: int = 0
    source: str = "salesforce"

    @classmethod
    def of(cls, customers: int) -> "Crm":
        crm = cls()
        for number in range(customers):
            crm.change(number)
        return crm

    def change(self, number: int, **columns: str) -> None:
        given = row(number, **columns)
        self.rows[given.id] = given

    def all(self, change: Callable[[CrmRow], CrmRow]) -> None:
        self.rows = {each.id: change(each) for each in self.rows.values()}

    def delete(self, number: int) -> None:
        found = self.rows[salesforce_id(number)]
        self.rows[found.id] = replace(found, deleted=True)

    def extract(self, since: str = "") -> Iterator[CrmRow]:
        assert not since, "reconciliation reads all there is"
        self.extracts += 1
        yield from self.rows.values()

    def fetch(self, ids: Sequence[str]) -> list[CrmRow]:
        return [self.rows.get(each) or CrmRow(each, {}, deleted=True) for each in ids]

    def next_point(self) -> str:
        return f"point {self.extracts}"


@dataclass
class Reconciling:
    """Each night is a process of its own."""

    crm: Crm
    plane: SyncPlane
    files: Files
    dynamodb: DynamoDB
    tables: TableNames
    state_table: str

    def night(self, name: str, files: Files | None = None) -> Night:
        return Night(name, files or self.files, State(self.dynamodb, self.state_table))

    def run(self, name: str, *, audit: bool = False, files: Files | None = None, **flags: Any) -> Reconciled:
        """The steps in their order, each as its function calls it."""
        night, sync = self.night(name, files), self.plane.new_sync()
        if Reconciled.read(night):
            return report(night, self.plane.mapping.source)
        extracted = extract(night, self.crm, self.plane.mapping)
        dirty: list[str] = []
        if audit:
            auditor = Auditor(sync.client, self.plane.store, sync.organization, self.plane.mapping)
            while not auditor.is_ready(night):
                pass
            found = auditor.run(night, self.index())
            assert found
            dirty = found.dirty
        plan = compare(night, extracted, self.index(extracted.started), sync, default_region="US", dirty=dirty, **flags)
        if plan.stands and plan.repairs:
            self.load(night)
        return report(night, self.plane.mapping.source)

    def load(self, night: Night) -> None:
        load_all(night.repairs, self.plane.new_sync(), workers=1)

    def index(self, since: str = "") -> Index:
        return Index.of(scan(self.dynamodb, self.tables.contacts), source=self.plane.mapping.source, since=since)

    def tier(self, number: int) -> str:
        """As Genesys shows it."""
        (owner,) = self.plane.owners(crm_id(number))
        return str(self.plane.genesys.contact(owner).get("customFields", {}).get("customerTier", ""))

    def plan(self, name: str) -> Plan:
        plan = Plan.read(self.night(name))
        assert plan
        return plan
