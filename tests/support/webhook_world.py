"""A CRM that calls, the queue, both functions, Genesys and the index."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import pytest

from cir.crm.connector import CrmRow
from cir.crm.mapping import OnDelete
from cir.identity.records import Profile
from cir.index.store import IdentityStore, TableNames
from sandbox.customers.salesforce import contact_id as account_id
from tests.support.genesys_cloud import GenesysCloud
from tests.support.queues import Queues
from tests.support.sync_plane import SyncPlane, mobile
from tests.support.webhook_calls import PERSON, signed

FIRST, LAST = PERSON.split()


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
class World:
    """The CRM, the queue, both functions, Genesys and the index."""

    crm: Crm
    queues: Queues
    webhook: ModuleType
    sync: ModuleType
    plane: SyncPlane
    genesys: GenesysCloud

    def told(self, *numbers: int, deleted: bool = False, event: str = "e1") -> None:
        """The CRM calls."""
        changes = [
            {"id": account_id(each), "deleted": deleted, "eventId": f"{event}.{each}.{deleted}"} for each in numbers
        ]
        assert self.webhook.handler(signed("salesforce", {"changes": changes}), None)["statusCode"] == 200

    def deliver(self, *, receives: int = 1) -> list[str]:
        """Hand everything to the function once, as Lambda's poller does; which were handed back."""
        messages = self.queues.receive()
        by_id = {each["MessageId"]: each for each in messages}
        answer = self.sync.handler({"Records": [record(each, receives=receives) for each in messages]}, None)
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
def world(  # noqa: PLR0917 - pytest passes them by name
    request: pytest.FixtureRequest,
    webhook: ModuleType,
    queues: Queues,
    import_handler: Callable[[str, Mapping[str, str]], ModuleType],
    tables: TableNames,
    store: IdentityStore,
    genesys: GenesysCloud,
    aws_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    """With the policy of deletion that its parameter names, else `keep`."""
    crm = Crm()
    connectors = ModuleType("cir.crm.connectors")
    connectors.open_connector = lambda environment, mapping: crm  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cir.crm.connectors", connectors)
    environment = {
        **genesys.environment,
        "AWS_ENDPOINT_URL": aws_url,
        "IDENTIFIERS_TABLE": tables.identifiers,
        "CONTACTS_TABLE": tables.contacts,
        "LEDGER_TABLE": tables.ledger,
        "UNDELIVERED_QUEUE_URL": queues.undelivered_url,
    }
    sync = import_handler("functions.sync", environment)
    policy = OnDelete(getattr(request, "param", OnDelete.KEEP))
    monkeypatch.setattr(sync, "_mapping", replace(sync._mapping, on_delete=policy))
    return World(crm, queues, webhook, sync, SyncPlane(genesys, store), genesys)
