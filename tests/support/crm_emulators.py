"""CRMs under test: an emulator with a few accounts, and the connector that reads it over HTTP."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from cir.crm.connector import Connector, CrmRow
from cir.crm.connectors.credentials import Access
from cir.crm.connectors.dynamics import Dynamics
from cir.crm.connectors.salesforce import Salesforce
from cir.crm.connectors.servicenow import ServiceNow
from cir.crm.mapping import SHIPPED, CrmMapping, load_mapping
from cir.http.oauth import Credentials
from cir.http.retries import Timing
from cir.identity.parsing import salesforce_id
from sandbox.crm.accounts import Accounts
from sandbox.crm.dynamics import Dynamics as DynamicsEmulator
from sandbox.crm.emulator import Call, Emulator, running
from sandbox.crm.salesforce import Salesforce as SalesforceEmulator
from sandbox.crm.servicenow import ServiceNow as ServiceNowEmulator

CLIENT_SECRET = "sandbox"
SECRET = "Diagnosis"
"""A column of every base that no mapping names."""


@dataclass(slots=True)
class World[E: Emulator[Any]]:
    """One CRM, and the way to it."""

    emulator: E
    mapping: CrmMapping
    connect: Callable[..., Connector]
    new_id: Callable[[int], str]
    pauses: list[float] = field(default_factory=list)
    """What connectors have waited, in seconds, without it taking any time."""

    def reset(self) -> None:
        self.emulator.reset()
        self.pauses.clear()

    @property
    def accounts(self) -> Accounts:
        return self.emulator.accounts

    def connector(self, *, secret: str = CLIENT_SECRET, mapping: CrmMapping | None = None, url: str = "") -> Connector:
        url = url or self.emulator.url
        sized = {"page_records": self.emulator.settings.page_records} if self.connect is ServiceNow else {}
        return self.connect(
            mapping or self.mapping,
            Access(
                url=url,
                login_url=f"{url}/tenant" if isinstance(self.emulator, DynamicsEmulator) else url,
                credentials=lambda: Credentials("sandbox", secret),
            ),
            Timing(
                clock=lambda: self.accounts.clock.now().timestamp(),
                sleep=self.pauses.append,
                uniform=lambda low, high: high,
            ),
            **sized,
        )

    def column(self, target: str) -> str:
        """The CRM's own name of a field."""
        return next(column for column, fed in self.mapping.columns.items() if fed == target)

    def enter(self, count: int) -> list[str]:
        """Accounts with distinct names and numbers."""
        ids = [self.new_id(number) for number in range(count)]
        for number, account_id in enumerate(ids):
            self.accounts.enter(
                account_id,
                {
                    self.column("lastName"): f"Person {number}",
                    self.column("cellPhone"): f"+1917555{number:04}",
                    SECRET: f"secret {number}",
                },
            )
        return ids

    def change(self, account_id: str, **targets: str) -> None:
        self.accounts.change(account_id, **{self.column(target): value for target, value in targets.items()})

    def name(self, row: CrmRow) -> str:
        return row.values.get(self.column("lastName"), "")

    def since_now(self) -> str:
        """A point at which nothing is new."""
        connector = self.connector()
        for _ in connector.extract():
            pass
        return connector.next_point()

    def asked(self) -> str:
        """Everything that was sent to the CRM."""
        return json.dumps([(call.path, dict(call.query), call.body) for call in self.emulator.calls])

    def data_calls(self) -> list[Call]:
        return [call for call in self.emulator.calls if call.path != self.emulator.token_path]


def by_id(rows: Iterator[CrmRow] | list[CrmRow]) -> dict[str, CrmRow]:
    """The last of each id counts."""
    return {row.id: row for row in rows}


def _columns(mapping: CrmMapping) -> list[str]:
    return [*mapping.fields, SECRET]


def salesforce() -> World[SalesforceEmulator]:
    mapping = load_mapping(SHIPPED / "salesforce.json")
    emulator = SalesforceEmulator(Accounts([*mapping.fields, SECRET]))
    return World(emulator, mapping, Salesforce, lambda number: salesforce_id(f"003Qk{number:010}"))


def dynamics() -> World[DynamicsEmulator]:
    mapping = load_mapping(SHIPPED / "dynamics.json")
    emulator = DynamicsEmulator(Accounts([*mapping.fields, SECRET]))
    return World(emulator, mapping, Dynamics, lambda number: f"5fd0a1c2-4111-4111-8111-{number:012x}")


def servicenow() -> World[ServiceNowEmulator]:
    mapping = load_mapping(SHIPPED / "servicenow.json")
    emulator = ServiceNowEmulator(Accounts([*mapping.fields, SECRET]))
    # scattered, as sys_ids are; nobody has the id 0
    return World(emulator, mapping, ServiceNow, lambda number: f"{(number + 1) * 0x9E3779B97F4A7C15 % 2**64:032x}")


@dataclass(frozen=True, slots=True)
class Worlds:
    """One of each CRM, listening as long as the tests run."""

    salesforce: World[SalesforceEmulator]
    dynamics: World[DynamicsEmulator]
    servicenow: World[ServiceNowEmulator]

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator["Worlds"]:
        worlds = cls(salesforce(), dynamics(), servicenow())
        with (
            running(worlds.salesforce.emulator),
            running(worlds.dynamics.emulator),
            running(worlds.servicenow.emulator),
        ):
            yield worlds


def without(mapping: CrmMapping, target: str) -> CrmMapping:
    """A mapping that leaves one field in the CRM."""
    return replace(mapping, columns={column: fed for column, fed in mapping.columns.items() if fed != target})
