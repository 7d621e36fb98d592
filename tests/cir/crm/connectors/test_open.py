"""Which connector a mapping opens, with what, and what is said when a setting is missing."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from cir.crm.connector import Connector
from cir.crm.connectors import CrmError, open_connector
from cir.crm.mapping import SHIPPED, load_mapping
from cir.crm.record import CrmRecord, Problem, read_record
from sandbox import customers
from sandbox.crm import customers as emulators
from sandbox.crm.accounts import Accounts
from sandbox.crm.emulator import Emulator, running
from sandbox.crm.salesforce import Salesforce
from sandbox.machine.processes import HOST
from sandbox.machine.tls import Authority
from tests.support.crm_emulators import World, Worlds, by_id

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:crm"


def environment(world: World[Emulator[Any]], **more: str) -> dict[str, str]:
    return {
        "CRM_URL": world.emulator.url,
        "CRM_CLIENT_ID": "sandbox",
        "CRM_CLIENT_SECRET": "sandbox",
        "CRM_LOGIN_URL": world.emulator.url,
        "CRM_TENANT_ID": "tenant",
        **more,
    }


@pytest.mark.parametrize("crm", ["salesforce", "dynamics", "servicenow"])
def test_a_shipped_mapping_opens_its_crm(worlds: Worlds, crm: str) -> None:
    world: World[Emulator[Any]] = getattr(worlds, crm)
    world.reset()
    if isinstance(world.emulator, Salesforce):
        world.emulator.settings.job_polls = 0
    ids = world.enter(2)
    connector: Connector = open_connector(environment(world), load_mapping(SHIPPED / f"{crm}.json"))
    assert connector.source == crm
    assert by_id(connector.extract()).keys() == set(ids)


def test_the_secret_is_read_when_a_token_is_needed_and_again_after_a_rotation(
    salesforce: World[Salesforce], aws_url: str
) -> None:
    secrets = boto3.Session().client("secretsmanager", endpoint_url=aws_url, region_name="eu-west-1")
    secret = secrets.create_secret(
        Name="crm-rotation", SecretString=json.dumps({"client_id": "sandbox", "client_secret": "sandbox"})
    )
    ids = salesforce.enter(1)
    settings = {"CRM_URL": salesforce.emulator.url, "CRM_SECRET_ARN": secret["ARN"]}
    with patch.dict(os.environ, {"AWS_ENDPOINT_URL": aws_url}):
        connector = open_connector(settings, salesforce.mapping)
        connector.fetch(ids)
        salesforce.emulator.settings.client_secret = "rotated"
        salesforce.emulator.end_sessions()
        secrets.put_secret_value(
            SecretId=secret["ARN"], SecretString=json.dumps({"client_id": "sandbox", "client_secret": "rotated"})
        )
        assert not connector.fetch(ids)[0].deleted
        secrets.put_secret_value(SecretId=secret["ARN"], SecretString='"rotated"')
        salesforce.emulator.end_sessions()
        with pytest.raises(CrmError, match="must be JSON") as failed:
            connector.fetch(ids)
    assert "rotated" not in str(failed.value)


def test_a_secret_that_is_not_there_says_what_to_check(salesforce: World[Salesforce], aws_url: str) -> None:
    settings = {"CRM_URL": salesforce.emulator.url, "CRM_SECRET_ARN": ARN}
    with patch.dict(os.environ, {"AWS_ENDPOINT_URL": aws_url}), pytest.raises(CrmError, match="GetSecretValue"):
        open_connector(settings, salesforce.mapping).fetch(salesforce.enter(1))


def test_a_crm_is_trusted_by_the_authorities_of_the_environment_alone(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    emulator = Salesforce(Accounts(load_mapping(SHIPPED / "salesforce.json").fields))
    with running(emulator, certificate=authority.issue(HOST)) as url:
        settings = {"CRM_URL": url, "CRM_CLIENT_ID": "sandbox", "CRM_CLIENT_SECRET": "sandbox"}
        connector = open_connector(settings, load_mapping(SHIPPED / "salesforce.json"))
        with pytest.raises(CrmError, match="SSLError") as failed:
            connector.fetch(["003Qk0000000001IAA"])
        assert not failed.value.temporary
        with patch.dict(os.environ, authority.trust):
            assert connector.fetch(["003Qk0000000001IAA"])[0].deleted


@pytest.mark.parametrize(
    ("crm", "settings", "sentence"),
    [
        ("salesforce", {}, "CRM_URL is ''"),
        ("salesforce", {"CRM_URL": "http://crm.example.com"}, "CRM_URL is 'http://crm.example.com'"),
        ("salesforce", {"CRM_URL": "example.my.salesforce.com"}, "CRM_URL is 'example.my.salesforce.com'"),
        ("servicenow", {"CRM_URL": "https://example.service-now.com"}, "Set CRM_SECRET_ARN"),
        ("dynamics", {"CRM_URL": "https://example.crm4.dynamics.com"}, "CRM_TENANT_ID is not set"),
    ],
)
def test_a_setting_that_is_missing_or_unsafe_is_named(crm: str, settings: Mapping[str, str], sentence: str) -> None:
    with pytest.raises(CrmError) as refused:
        open_connector(settings, load_mapping(SHIPPED / f"{crm}.json"))
    assert sentence in str(refused.value)


def test_a_mapping_without_a_connector_is_for_files_that_are_given() -> None:
    mapping = replace(load_mapping(SHIPPED / "salesforce.json"), connector="")
    with pytest.raises(CrmError, match="names no connector"):
        open_connector({}, mapping)


# The sample customers in each CRM


@pytest.mark.parametrize("crm", ["salesforce", "dynamics", "servicenow"])
def test_the_same_sample_customers_are_read_from_each_crm(crm: str) -> None:
    base = customers.generate(size=300, seed=7)
    emulator: Emulator[Any] = getattr(emulators, crm)(base, limit=120)
    mapping, ours = load_mapping(SHIPPED / f"{crm}.json"), load_mapping(SHIPPED / "salesforce.json")
    if isinstance(emulator, Salesforce):
        emulator.settings.job_polls = 0
    with running(emulator) as url:
        settings = {"CRM_CLIENT_ID": "sandbox", "CRM_CLIENT_SECRET": "sandbox", "CRM_TENANT_ID": "tenant"}
        connector = open_connector({**settings, "CRM_URL": url, "CRM_LOGIN_URL": url}, mapping)
        read = [read_record(row.values, mapping, default_region="US") for row in connector.extract()]
    written = [
        read_record(dict(zip(customers.COLUMNS, row.cells, strict=True)), ours, default_region="US")
        for row in base.rows()
        if not row.defect
    ][:120]

    def facts(records: list[CrmRecord | Problem]) -> list[str]:
        each = (record for record in records if isinstance(record, CrmRecord))
        return sorted(f"{record.texts}{record.slots}{record.external}" for record in each)

    assert facts(read) == facts(written)
    asked = json.dumps([dict(call.query) for call in emulator.calls])
    assert not [column for column in customers.SENSITIVE_COLUMNS if column in asked or column.lower() in asked]


# A file


def test_a_file_is_opened_like_a_crm(tmp_path: Path) -> None:
    mapping = replace(load_mapping(SHIPPED / "salesforce.json"), connector="file", columns={"LastName": "lastName"})
    path = tmp_path / "export.csv"
    path.write_text("Id,LastName,MailingCountry,Card\n1,Ann,US,4111\n2,Bob\n,Eve,,\n3,Dan,,\n")
    connector = open_connector({"CRM_FILE": str(path)}, mapping)
    rows = list(connector.extract("any point"))
    assert [(row.id, row.values.get("LastName", "")) for row in rows] == [
        ("1", "Ann"),
        ("", ""),
        ("", "Eve"),
        ("3", "Dan"),
    ]
    assert not [row for row in rows if "Card" in row.values]
    assert [(row.id, row.deleted) for row in connector.fetch(["3", "9"])] == [("3", False)]
    assert connector.next_point() == ""


def test_a_file_that_cannot_be_read_is_an_error_of_the_crm(tmp_path: Path) -> None:
    mapping = replace(load_mapping(SHIPPED / "salesforce.json"), connector="file")
    with pytest.raises(CrmError, match="CRM_FILE is not set"):
        open_connector({}, mapping)
    with pytest.raises(CrmError, match=r"cannot read .*none\.csv"):
        list(open_connector({"CRM_FILE": str(tmp_path / "none.csv")}, mapping).extract())
