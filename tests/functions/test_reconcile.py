"""The functions of the nightly workflow, over a real bucket: what each hands to the next."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.aws.dynamodb import boto3_dynamodb
from cir.aws.files import Bucket
from cir.index.store import TableNames
from cir.reconcile.held import scan
from cir.reconcile.run import State
from functions.importer import load
from functions.reconcile import audit, compare, extract, gone, report
from functions.reconcile.run import Nights
from tests.support.nightly_crm import Crm
from tests.support.sync_plane import MAPPING, SyncPlane

pytestmark = pytest.mark.slow

CUSTOMERS = 10
"""One request to Genesys: the table of these tests does not bear several writers at once."""


@pytest.fixture
def call(
    plane: SyncPlane, bucket: Bucket, dynamodb_client: DynamoDBClient, tables: TableNames
) -> Callable[..., dict[str, Any]]:
    """A function of the workflow, by its step."""
    dynamodb = boto3_dynamodb(dynamodb_client)
    nights = Nights(bucket, State(dynamodb, tables.ledger.replace("ledger", "state")))
    client, store, crm = plane.genesys.client(), plane.store, Crm.of(CUSTOMERS)

    def contacts() -> Any:
        return scan(dynamodb, tables.contacts)

    functions = {
        "extract": extract.make_handler(nights, crm, MAPPING),
        "audit": audit.make_handler(nights, client, store, contacts, MAPPING),
        "compare": compare.make_handler(nights, client, store, contacts, MAPPING, default_region="US"),
        "load": load.make_handler(bucket, client, store),
        "gone": gone.make_handler(nights, client, store, crm, MAPPING),
        "report": report.make_handler(nights, MAPPING.source),
    }
    return lambda step, **event: functions[step](event, None)


def test_the_functions_hand_each_other_what_they_need(
    plane: SyncPlane, bucket: Bucket, call: Callable[..., dict[str, Any]]
) -> None:
    assert call("extract", run="first") == {"run": "first", "rows": CUSTOMERS}
    assert call("compare", run="first")["load"] is False
    assert call("report", run="first")["outcome"] == "stopped"

    call("extract", run="second")
    while not call("audit", run="second")["ready"]:
        pass
    planned = call("compare", run="second", force=True)
    for batch in json.loads(bucket.read(planned["batches"])):
        call("load", run=planned["importRun"], **batch)
    assert call("gone", run="second") == {"run": "second"}
    told = call("report", run="second")
    assert (told["outcome"], told["addsUp"]) == ("repaired", True)
    assert bucket.read(told["page"]).startswith(b"<!doctype html>")
    assert len(plane.genesys.contacts()) == CUSTOMERS
