"""A CRM, Genesys Cloud, the index, and the nights in which they are reconciled."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cir.aws.dynamodb import DynamoDB
from cir.aws.files import Files
from cir.crm.connector import CrmRow
from cir.crm.mapping import OnDelete
from cir.imports.run import load_all
from cir.index.store import TableNames
from cir.reconcile.compare import Plan
from cir.reconcile.held import scan
from cir.reconcile.result import Reconciled
from cir.reconcile.run import Night, State
from cir.reconcile.steps import Parts, Step, run
from infra.tables import LEDGER, STATE
from sandbox.customers.salesforce import contact_id as salesforce_id
from tests.support.genesys_cloud import GenesysCloud
from tests.support.sync_plane import MAPPING, SyncPlane, crm_id, watched


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


class Stage:
    """Nobody watches how far a step is."""

    def advance(self, by: int = 1, /) -> None: ...
    def reach(self, number: int, /) -> None: ...
    def counting[T](self, items: Iterable[T], /) -> Iterator[T]:
        return iter(items)


@dataclass
class Reconciling:
    """Each night is a process of its own."""

    crm: Crm
    plane: SyncPlane
    files: Files
    dynamodb: DynamoDB
    tables: TableNames
    state_table: str
    steps: list[Step] = field(default_factory=list)
    """What the last night did."""

    def night(self, name: str, files: Files | None = None) -> Night:
        return Night(name, files or self.files, State(self.dynamodb, self.state_table))

    def run(self, name: str, *, files: Files | None = None, **flags: bool) -> Reconciled:
        """All steps of a night, which are noted in `steps`."""
        parts = Parts(
            crm=self.crm,
            sync=self.plane.new_sync(),
            contacts=self.contacts,
            default_region="US",
            workers=1,
            sleep=lambda _: None,
        )
        self.steps = []
        return run(self.night(name, files), parts, self._begin, **flags)

    def load(self, night: Night) -> None:
        load_all(night.repairs, self.plane.new_sync(), workers=1)

    def contacts(self) -> Iterator[dict[str, Any]]:
        """The whole table."""
        return scan(self.dynamodb, self.tables.contacts)

    def _begin(self, step: Step, total: int | None) -> "Stage":
        self.steps.append(step)
        return Stage()

    def tier(self, number: int) -> str:
        """As Genesys shows it."""
        (owner,) = self.plane.owners(crm_id(number))
        return str(self.plane.genesys.contact(owner).get("customFields", {}).get("customerTier", ""))

    def plan(self, name: str) -> Plan:
        plan = Plan.read(self.night(name))
        assert plan
        return plan


def begun(crm: Crm, genesys: GenesysCloud, dynamodb: DynamoDB, tables: TableNames, files: Files) -> Reconciling:
    """After a first good night, by a mapping that keeps whoever is gone from the CRM."""
    watching, store = watched(dynamodb, tables)
    plane = SyncPlane(genesys, store, replace(MAPPING, on_delete=OnDelete.KEEP))
    world = Reconciling(crm, plane, files, watching, tables, tables.ledger.replace(LEDGER.name, STATE.name))
    world.run("first load", force=True)
    return world
