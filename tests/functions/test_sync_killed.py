"""The consumer of the queue in a process of its own, killed again and again: nothing is lost and nothing done twice."""

import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import cir
from cir.crm.mapping import SHIPPED, load_mapping
from cir.index.store import IdentityStore, TableNames
from functions import Handler
from sandbox.aws.functions import Function, Functions
from sandbox.aws.logs import Logs
from sandbox.aws.queues import QueueMapping
from sandbox.crm.accounts import Accounts
from sandbox.crm.emulator import running
from sandbox.crm.salesforce import Salesforce
from sandbox.customers.salesforce import contact_id as account_id
from tests.support.genesys_cloud import GenesysCloud
from tests.support.queues import Queues
from tests.support.sync_plane import SyncPlane, crm_id, mobile
from tests.support.webhook_calls import signed

pytestmark = pytest.mark.slow

ACCOUNTS = 40
KILLS = 5
SYNC = "sync"


@pytest.fixture
def crm() -> Iterator[Salesforce]:
    crm = Salesforce(Accounts(load_mapping(SHIPPED / "salesforce.json").fields))
    for number in range(ACCOUNTS):
        crm.accounts.enter(account_id(number), {"LastName": f"Halley{number}", "MobilePhone": mobile(number).value})
    with running(crm):
        yield crm


@pytest.fixture
def functions(  # noqa: PLR0917 - pytest passes them by name
    crm: Salesforce, queues: Queues, tables: TableNames, genesys: GenesysCloud, aws_url: str, tmp_path: Path
) -> Iterator[Functions]:
    environment = {
        **genesys.environment,
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "CIR_ENVIRONMENT": "killed",
        "IDENTIFIERS_TABLE": tables.identifiers,
        "CONTACTS_TABLE": tables.contacts,
        "LEDGER_TABLE": tables.ledger,
        "UNDELIVERED_QUEUE_URL": queues.undelivered_url,
        "CRM_MAPPING": "salesforce",
        "CRM_URL": crm.url,
        "CRM_CLIENT_ID": crm.settings.client_id,
        "CRM_CLIENT_SECRET": crm.settings.client_secret,
    }
    code = Path(cir.__file__).parents[1]
    sync = Function(name=SYNC, handler="functions.sync.handler", directory=code, environment=environment)
    with (
        closing(Logs(directory=tmp_path)) as logs,
        Functions([sync], logs=logs, region="eu-west-1", account="111111111111") as functions,
    ):
        yield functions


@pytest.fixture
def consumer(queues: Queues, functions: Functions) -> Iterator[QueueMapping]:
    arn = queues.sqs.get_queue_attributes(QueueUrl=queues.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    consumer = QueueMapping(
        queues.sqs, queue_url=queues.url, queue_arn=arn, invoke=lambda event: functions.call(SYNC, event)
    )
    yield consumer
    consumer.stop()


def tell(webhook: Handler, event: str) -> None:
    """The CRM calls: all of its accounts have changed."""
    changes = [{"id": account_id(number), "eventId": f"{event}.{number}"} for number in range(ACCOUNTS)]
    assert webhook(signed("salesforce", {"changes": changes}), None)["statusCode"] == 200


@pytest.mark.timeout(180)
@pytest.mark.parametrize("queues", [20], indirect=True)
def test_a_consumer_that_is_killed_at_any_moment_loses_nothing(  # noqa: PLR0917 - pytest passes them by name
    consumer: QueueMapping,
    functions: Functions,
    crm: Salesforce,
    webhook: Handler,
    queues: Queues,
    genesys: GenesysCloud,
    store: IdentityStore,
) -> None:
    genesys.configure(latency_ms=(30, 120))
    plane, dice, killed = SyncPlane(genesys, store), random.Random(7), 0
    for tier in ("Standard", "Gold", "Platinum"):
        for number in range(ACCOUNTS):
            crm.accounts.change(account_id(number), Account_Tier__c=tier)
        tell(webhook, tier)
        for _ in range(KILLS):
            time.sleep(dice.uniform(0.1, 1.5))
            killed += functions.kill(SYNC)
    consumer.wait_until_drained(timeout_seconds=120)
    assert killed > KILLS
    assert queues.undelivered() == []
    shown = [(each["externalIds"][0]["value"], each["customFields"]["customerTier"]) for each in genesys.contacts()]
    assert sorted(shown) == sorted((account_id(number), "Platinum") for number in range(ACCOUNTS))
    owners = [owner for number in range(ACCOUNTS) for owner in plane.owners(crm_id(number))]
    assert len(owners) == len(set(owners)) == ACCOUNTS
    assert [plane.owners(mobile(number)) for number in range(ACCOUNTS)] == [{owner} for owner in owners]
    assert {plane.contact(owner).profile.customer_tier for owner in owners} == {"Platinum"}
