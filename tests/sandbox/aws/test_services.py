"""The sandbox's AWS: the deployed tables, transactions, and no leftovers."""

from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

import sandbox.aws.services
from infra.tables import IDENTIFIERS, TABLES, physical_name
from sandbox.aws.services import ACCOUNT, Aws
from sandbox.machine.processes import StartError

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


def test_the_environment_leads_any_client_to_the_deployed_tables(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    client = boto3.Session().client("dynamodb")  # the default session remembers the credentials of earlier tests
    for table in TABLES:
        description = client.describe_table(TableName=physical_name("test", table))["Table"]
        assert f":{ACCOUNT}:" in description["TableArn"]
        assert description.get("StreamSpecification", {}).get("StreamEnabled", False) == table.stream


def test_a_cancelled_transaction_writes_nothing_and_says_why(aws: Aws) -> None:
    table = physical_name("test", IDENTIFIERS)
    writes: list[TransactWriteItemTypeDef] = [
        {"Put": {"TableName": table, "Item": {"identifier": {"S": "phone#1"}}}},
        {
            "Delete": {
                "TableName": table,
                "Key": {"identifier": {"S": "a"}},
                "ConditionExpression": "attribute_exists(x)",
            }
        },
    ]
    with pytest.raises(aws.dynamodb.exceptions.TransactionCanceledException) as raised:
        aws.dynamodb.transact_write_items(TransactItems=writes)
    assert [reason["Code"] for reason in raised.value.response["CancellationReasons"]] == [
        "None",
        "ConditionalCheckFailed",
    ]
    assert aws.dynamodb.scan(TableName=table)["Items"] == []


def test_a_missing_installation_is_one_line_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sandbox.aws.services, "MINISTACK", tmp_path / "ministack")
    with pytest.raises(StartError, match=r"ministack is missing: run make setup$"):
        Aws().start()
