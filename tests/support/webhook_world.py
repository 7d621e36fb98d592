"""A CRM that calls, the queue, both functions, Genesys and the index."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest

from cir.aws.secrets import Secret
from cir.crm.connector import CrmRow
from cir.crm.mapping import OnDelete
from cir.identity.records import Profile
from cir.runtime import log
from cir.sync.deletion import Deletion
from cir.webhooks.apply import Applier
from cir.webhooks.keys import Keyring
from cir.webhooks.queue import enqueue
from functions import Handler
from functions import sync as sync_function
from functions import webhook as webhook_function
from sandbox.customers.salesforce import contact_id as account_id
from tests.support.genesys_cloud import GenesysCloud
from tests.support.queues import Queues
from tests.support.sync_plane import MAPPING, SyncPlane, mobile
from tests.support.webhook_calls import PERSON, SECRET, signed

FIRST, LAST = PERSON.split()
_numbers = itertools.count()


@dataclass
class Crm:
    """A Salesforce: what it shows now."""

    records: dict[str, dict[str, str]] = field(default_factory=dict)
    fails: bool = False
    asked: list[list[str]] = field(default_factory=list)

    def set(self, number: int, **columns: str) -> None:
        base = {"FirstName": FIRST, "LastName": LAST, "MobilePhone": mobile(number).value}
        self.records[account_id(number)] = base | columns

    def fetch(self, ids: Sequence[str]) -> list[CrmRow]:
        self.asked.append(list(ids))
        if self.fails:
            raise ConnectionError(f"{PERSON} could not be fetched")
        return [CrmRow(each, self.records.get(each, {}), deleted=each not in self.records) for each in ids]


@dataclass
class WebhookWorld:
    """The CRM, the queue, both functions, Genesys and the index."""

    crm: Crm
    queues: Queues
    webhook: Handler
    plane: SyncPlane
    policy: OnDelete

    @property
    def genesys(self) -> GenesysCloud:
        return self.plane.genesys

    def sync(self, *, undelivered_url: str = "") -> Handler:
        """The function; what is hopeless goes to the dead-letter queue unless another is named."""
        client, organization = self.genesys.client(), self.plane.organization
        applier = Applier(
            fetch=self.crm.fetch,
            sync=self.plane.new_sync(),
            deletion=Deletion(client, self.plane.store, organization, self.policy),
            mapping=replace(MAPPING, on_delete=self.policy),
            default_region="US",
        )
        set_aside = sync_function.setting_aside(self.queues.sqs, undelivered_url or self.queues.undelivered_url)
        return sync_function.make_handler(lambda: applier, set_aside, environment="test")

    def told(self, *numbers: int, deleted: bool = False, event: str = "e1") -> None:
        """The CRM calls."""
        changes = [
            {"id": account_id(each), "deleted": deleted, "eventId": f"{event}.{each}.{deleted}"} for each in numbers
        ]
        assert self.webhook(signed("salesforce", {"changes": changes}), None)["statusCode"] == 200

    def deliver(self, *, receives: int = 1) -> list[str]:
        """Hand everything to the function once, as Lambda's poller does; which were handed back."""
        messages = self.queues.receive()
        by_id = {each["MessageId"]: each for each in messages}
        answer = self.sync()({"Records": [record(each, receives=receives) for each in messages]}, None)
        failed = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
        for message_id, message in by_id.items():
            if message_id in failed:
                self.queues.sqs.change_message_visibility(
                    QueueUrl=self.queues.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                )
            else:
                self.queues.sqs.delete_message(QueueUrl=self.queues.url, ReceiptHandle=message["ReceiptHandle"])
        return failed

    def profile(self, number: int) -> Profile | None:
        """What a call from the account's mobile is routed by."""
        owners = self.plane.owners(mobile(number))
        assert len(owners) <= 1
        return self.plane.contact(owners.pop()).profile if owners else None


def record(message: Mapping[str, Any], *, receives: int) -> dict[str, Any]:
    """As Lambda passes it."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {**message["Attributes"], "ApproximateReceiveCount": str(receives)},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }


@pytest.fixture
def queues(request: pytest.FixtureRequest, aws_url: str) -> Queues:
    """Those of an environment of their own. A message is received as often as the parameter says, else five times."""
    sqs = boto3.Session().client("sqs", endpoint_url=aws_url)
    name = f"cir-webhooks{next(_numbers)}-sync"
    fifo = {"FifoQueue": "true"}
    dead = sqs.create_queue(QueueName=f"{name}-undelivered.fifo", Attributes=fifo)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": getattr(request, "param", 5)})
    url = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={**fifo, "RedrivePolicy": redrive})["QueueUrl"]
    return Queues(sqs, url, dead)


@pytest.fixture
def secret_arn(aws_url: str) -> str:
    secrets = boto3.Session().client("secretsmanager", endpoint_url=aws_url)
    answer = secrets.create_secret(Name=f"webhooks{next(_numbers)}", SecretString=json.dumps(SECRET))
    return str(answer["ARN"])


@pytest.fixture
def keyring(secret_arn: str, aws_url: str, monkeypatch: pytest.MonkeyPatch) -> Keyring:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_url)
    return keyring_of(secret_arn)


def keyring_of(arn: str) -> Keyring:
    return Keyring(Secret("WEBHOOK_SECRET_ARN", arn).text, on_failure=lambda error: log.write_failure("keys", error))


@pytest.fixture
def webhook(keyring: Keyring, queues: Queues) -> Handler:
    """The function that takes what the CRM says."""
    return webhook_of(keyring, queues.sqs, queues.url)


def webhook_of(keyring: Keyring, sqs: Any, queue_url: str) -> Handler:
    return webhook_function.make_handler(keyring, lambda changes: enqueue(sqs, queue_url, changes), environment="test")


@pytest.fixture
def webhooks(request: pytest.FixtureRequest, webhook: Handler, queues: Queues, plane: SyncPlane) -> WebhookWorld:
    """With the policy of deletion that its parameter names, else `keep`."""
    return WebhookWorld(Crm(), queues, webhook, plane, OnDelete(getattr(request, "param", OnDelete.KEEP)))
