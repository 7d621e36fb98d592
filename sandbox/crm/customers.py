"""The sample customers, entered into an emulated CRM under its own field names."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from itertools import islice

from cir.crm.mapping import SHIPPED, CrmKind, CrmMapping, load_mapping
from sandbox.crm.accounts import Accounts
from sandbox.crm.dynamics import Dynamics, DynamicsSettings
from sandbox.crm.salesforce import Salesforce
from sandbox.crm.servicenow import ServiceNow
from sandbox.customers import COLUMNS, SampleBase

_CHOICES = ("cir_tier", "cir_status", "cir_language")
_FIRST_CHOICE = 100_000_000
"""What Dataverse begins to number the options of a publisher with."""


def salesforce(base: SampleBase, *, limit: int | None = None) -> Salesforce:
    """An organization with the customers of the sample, all columns of it, or the first so many."""
    return Salesforce(_entered(base, limit, {name: name for name in COLUMNS}, lambda written: written))


def dynamics(base: SampleBase, *, limit: int | None = None) -> Dynamics:
    """The same customers in a Dataverse environment, tier, status and language as choices."""
    accounts = _entered(base, limit, _names(CrmKind.DYNAMICS), _guid)
    choices: Mapping[str, dict[str, int | str]] = {column: {} for column in _CHOICES}
    for account in accounts:
        for column, labels in choices.items():
            if label := account.fields.get(column):
                labels.setdefault(label, _FIRST_CHOICE + len(labels))
    return Dynamics(accounts, DynamicsSettings(choices=choices))


def servicenow(base: SampleBase, *, limit: int | None = None) -> ServiceNow:
    """The same customers in a ServiceNow instance."""
    return ServiceNow(_entered(base, limit, _names(CrmKind.SERVICENOW), _sys_id))


CRMS: Mapping[CrmKind, Callable[[SampleBase], Salesforce | Dynamics | ServiceNow]] = {
    CrmKind.SALESFORCE: salesforce,
    CrmKind.DYNAMICS: dynamics,
    CrmKind.SERVICENOW: servicenow,
}
"""All of them, with all customers."""


def _entered(base: SampleBase, limit: int | None, names: Mapping[str, str], new_id: Callable[[str], str]) -> Accounts:
    accounts = Accounts(names.values())
    for row in islice((row for row in base.rows() if not row.defect), limit):
        cells = dict(zip(COLUMNS, row.cells, strict=True))
        fields = {names[column]: text for column, text in cells.items() if column in names and text}
        accounts.enter(new_id(cells["Id"]), fields)
    return accounts


def _names(crm: CrmKind) -> dict[str, str]:
    """Column of the sample → of the CRM: the one that feeds the same target. What feeds none keeps its name."""
    ours, theirs = load_mapping(SHIPPED / f"{CrmKind.SALESFORCE}.json"), load_mapping(SHIPPED / f"{crm}.json")
    fed = {target: column for column, target in theirs.columns.items()}
    renamed = {column: fed[target] for column, target in ours.columns.items()}
    return {column: renamed.get(column, _other(column, ours, theirs)) for column in COLUMNS if column != "Id"}


def _other(column: str, ours: CrmMapping, theirs: CrmMapping) -> str:
    return theirs.region_column if column == ours.region_column else column.lower()


def _guid(written: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, written))


def _sys_id(written: str) -> str:
    return hashlib.md5(written.encode(), usedforsecurity=False).hexdigest()
