"""The emulators are what the vendors' and the communities' own clients expect, over TLS as they insist on it."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pysnc  # type: ignore[import-untyped]
import pytest
import requests
from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceMalformedRequest

from cir.crm.mapping import SHIPPED, load_mapping
from cir.identity.parsing import salesforce_id
from sandbox.crm.accounts import Accounts
from sandbox.crm.dynamics import Dynamics
from sandbox.crm.emulator import Emulator, running
from sandbox.crm.salesforce import Salesforce as SalesforceEmulator
from sandbox.crm.servicenow import ServiceNow
from sandbox.machine.processes import HOST
from sandbox.machine.tls import Authority

COUNT = 25
PAGE = 10


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    authority = Authority(tmp_path)
    for name, value in authority.trust.items():
        monkeypatch.setenv(name, value)
    return authority


def serving(emulator: Emulator[Any], authority: Authority, name_column: str, ids: list[str]) -> Iterator[Any]:
    for number, account_id in enumerate(ids):
        emulator.accounts.enter(account_id, {name_column: f"Person {number}"})
    emulator.settings.page_records = PAGE
    with running(emulator, certificate=authority.issue(HOST)):
        yield emulator


@pytest.fixture
def salesforce(authority: Authority) -> Iterator[SalesforceEmulator]:
    emulator = SalesforceEmulator(Accounts(load_mapping(SHIPPED / "salesforce.json").fields))
    yield from serving(
        emulator, authority, "LastName", [salesforce_id(f"003Qk{number:010}") for number in range(COUNT)]
    )


@pytest.fixture
def dynamics(authority: Authority) -> Iterator[Dynamics]:
    ids = [f"5fd0a1c2-4111-4111-8111-{number:012x}" for number in range(COUNT)]
    emulator = Dynamics(Accounts(load_mapping(SHIPPED / "dynamics.json").fields))
    yield from serving(emulator, authority, "lastname", ids)


@pytest.fixture
def servicenow(authority: Authority) -> Iterator[ServiceNow]:
    emulator = ServiceNow(Accounts(load_mapping(SHIPPED / "servicenow.json").fields))
    yield from serving(emulator, authority, "last_name", [f"{number:032x}" for number in range(COUNT)])


def token(emulator: Emulator[Any]) -> str:
    form = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox"}
    answer = requests.post(emulator.url + emulator.token_path, data=form, timeout=10)
    return str(answer.json()["access_token"])


EVERYBODY = {f"Person {number}" for number in range(COUNT)}


def test_simple_salesforce_reads_queries_cursors_and_bulk_jobs(salesforce: SalesforceEmulator) -> None:
    client: Any = Salesforce(instance_url=salesforce.url, session_id=token(salesforce), version="62.0")
    found = client.query_all("SELECT Id,LastName FROM Contact")
    assert found["totalSize"] == COUNT
    assert {record["LastName"] for record in found["records"]} == EVERYBODY
    pages = list(client.bulk2.Contact.query("SELECT Id,LastName FROM Contact", max_records=PAGE, wait=0))
    assert len(pages) == 3
    assert {row["LastName"] for page in pages for row in csv.DictReader(io.StringIO(page))} == EVERYBODY
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD"):
        client.query("SELECT Nothing FROM Contact")
    salesforce.end_sessions()
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM Contact")


def test_microsofts_client_reads_pages_and_errors(dynamics: Dynamics) -> None:
    class Credential:
        def get_token(self, *_: str, **__: object) -> AccessToken:
            return AccessToken(token(dynamics), 2**31)

    client = DataverseClient(dynamics.url, Credential())
    pages = list(client.records.list_pages("contact", select=["contactid", "lastname"], page_size=PAGE))
    assert [len(list(page)) for page in pages] == [10, 10, 5]
    assert {record["lastname"] for page in pages for record in page} == EVERYBODY
    with pytest.raises(HttpError, match="Could not find a property named 'nothing'"):
        list(client.records.list_pages("contact", select=["nothing"]))


def test_pysnc_reads_pages_and_conditions(servicenow: ServiceNow) -> None:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token(servicenow)}"
    client = pysnc.ServiceNowClient(servicenow.url, session)
    records = client.GlideRecord("customer_contact", batch_size=PAGE)
    records.fields = ["sys_id", "last_name"]
    records.query()
    assert records.get_row_count() == COUNT
    assert {record.get_value("last_name") for record in records} == EVERYBODY
    some = client.GlideRecord("customer_contact")
    some.add_query("sys_id", ">", f"{COUNT - 3:032x}")
    some.query()
    assert some.get_row_count() == 2
