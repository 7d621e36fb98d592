"""The cache follows the tables' streams: real changes, as the stream delivers them, through the function."""

import json
from typing import Any

import pytest
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.aws.dynamodb import LeanDynamoDB, marshal_item
from cir.identity.identifiers import Identifier
from cir.identity.records import Contact, Profile
from cir.identity.rules import Assurance
from cir.index.cache import Cache
from cir.index.store import IdentityStore, TableNames
from cir.resolve.resolver import Resolver
from functions import Handler
from functions.invalidator.handler import make_handler
from sandbox.machine.cache_server import Cache as CacheServer
from tests.support.sync_plane import loyalty, mobile, phone

DEFAULTS = Profile("Valued Customer", "", "Standard", "Unknown", "en-US", "q-default")
JOHN = Profile("John Smith", "John", "Gold", "Active", "en-GB", "q-gold")
NUMBER = mobile(1)


class Stream:
    """What the tables' streams would deliver: the difference between two looks at them."""

    def __init__(self, dynamodb: DynamoDBClient, tables: TableNames) -> None:
        self._dynamodb = dynamodb
        self._tables = {"identifier": tables.identifiers, "contact_id": tables.contacts}
        self._numbers = 0
        self._seen = self._look()

    def delivered(self) -> list[dict[str, Any]]:
        """A record of each item that has changed since the last time."""
        before, self._seen = self._seen, self._look()
        return [
            self._record(key, before.get(key), self._seen.get(key))
            for key in before.keys() | self._seen.keys()
            if before.get(key) != self._seen.get(key)
        ]

    def _look(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {
            (key_name, item[key_name]["S"]): dict(item)
            for key_name, table in self._tables.items()
            for item in self._dynamodb.scan(TableName=table)["Items"]
        }

    def _record(self, key: tuple[str, str], old: object, new: object) -> dict[str, Any]:
        self._numbers += 1
        images = {name: image for name, image in (("OldImage", old), ("NewImage", new)) if image}
        name = "REMOVE" if not new else "MODIFY" if old else "INSERT"
        keys = {key[0]: {"S": key[1]}}
        return {"eventName": name, "dynamodb": {"Keys": keys, **images, "SequenceNumber": str(self._numbers)}}


class Deployment:
    """A resolver with a cache that only the function under test invalidates."""

    def __init__(self, url: str, tables: TableNames, cache: Cache, invalidator: Handler, stream: Stream) -> None:
        self.store = IdentityStore(LeanDynamoDB(region="eu-west-1", endpoint_url=url), tables)
        self.stream = stream
        self.invalidate = invalidator
        self._resolver = Resolver(
            store=self.store, cache=cache, defaults=DEFAULTS, budget_seconds=5.0, default_region="US"
        )

    def put(self, contact_id: str, *identifiers: Identifier, profile: Profile = JOHN) -> None:
        read = self.store.contacts([contact_id], consistent=True).get(contact_id)
        self.store.put_contact(
            (read or Contact(contact_id)).changed(identifiers=identifiers, profile=profile),
            previous=read,
            decision=self.store.decision(contact_id, "sync", "as told"),
            source="salesforce",
            assurance=Assurance.CLAIMED,
        )

    def merge(self, winner: str, loser: str) -> None:
        read = self.store.contacts([winner, loser], consistent=True)
        decision = self.store.decision(winner, "merge", "same person")
        self.store.merge(read[winner], [read[loser]], decision=decision)

    def consume(self) -> None:
        assert self.invalidate({"Records": self.stream.delivered()}, None) == {"batchItemFailures": []}

    def resolve(self, number: Identifier = NUMBER) -> tuple[str, str, str]:
        """(contact, name, where it was found)."""
        answer = self._resolver.resolve({"ani": number.value}).answer
        return answer["contactId"], answer["displayName"], answer["cacheStatus"]


@pytest.fixture
def deployment(
    aws_url: str, tables: TableNames, dynamodb_client: DynamoDBClient, cache_server: CacheServer
) -> Deployment:
    def connected() -> Cache:
        return Cache(cache_server.url, environment=tables.contacts, hash_key=b"k")

    return Deployment(aws_url, tables, connected(), make_handler(connected()), Stream(dynamodb_client, tables))


def test_without_the_stream_the_cache_would_answer_with_what_was(deployment: Deployment) -> None:
    """Or the other tests would show nothing."""
    deployment.put("c-john", NUMBER)
    assert deployment.resolve() == ("c-john", "John Smith", "miss")
    deployment.put("c-john")
    assert deployment.resolve() == ("c-john", "John Smith", "hit")


def test_a_number_that_gets_a_customer_is_known_at_the_next_call(deployment: Deployment) -> None:
    assert deployment.resolve() == ("NOT_FOUND", "Valued Customer", "miss")
    deployment.put("c-john", NUMBER)
    deployment.consume()
    assert deployment.resolve() == ("c-john", "John Smith", "miss")
    assert deployment.resolve() == ("c-john", "John Smith", "hit")


def test_a_number_that_loses_its_customer_leads_to_nobody(deployment: Deployment) -> None:
    deployment.put("c-john", NUMBER)
    deployment.resolve()
    deployment.put("c-john")
    deployment.consume()
    assert deployment.resolve() == ("NOT_FOUND", "Valued Customer", "miss")


def test_a_changed_profile_is_told_at_the_next_call_by_whichever_number(deployment: Deployment) -> None:
    office = phone("+12125550188")
    deployment.put("c-john", NUMBER, office)
    deployment.consume()
    for number in (NUMBER, office):
        deployment.resolve(number)
    deployment.put("c-john", NUMBER, office, profile=Profile("John Stone"))
    deployment.consume()
    assert [deployment.resolve(number)[1] for number in (NUMBER, office)] == ["John Stone", "John Stone"]


def test_a_merged_contacts_numbers_lead_to_the_one_it_was_merged_into(deployment: Deployment) -> None:
    shared = phone("+12125550188")
    deployment.put("c-old", NUMBER, shared)
    deployment.put("c-john", shared, loyalty("GLD-1"))
    deployment.consume()
    assert (deployment.resolve()[0], deployment.resolve(shared)[0]) == ("c-old", "NOT_FOUND")
    deployment.merge("c-john", "c-old")
    deployment.consume()
    assert (deployment.resolve()[0], deployment.resolve(shared)[0]) == ("c-john", "c-john")


def test_an_erased_contact_is_forgotten(
    deployment: Deployment, dynamodb_client: DynamoDBClient, tables: TableNames
) -> None:
    deployment.put("c-john", NUMBER)
    deployment.consume()
    deployment.resolve()
    dynamodb_client.delete_item(TableName=tables.identifiers, Key={"identifier": {"S": NUMBER.key}})
    dynamodb_client.delete_item(TableName=tables.contacts, Key={"contact_id": {"S": "c-john"}})
    deployment.consume()
    assert deployment.resolve()[:2] == ("NOT_FOUND", "Valued Customer")


def test_records_that_come_twice_or_late_do_no_harm(deployment: Deployment) -> None:
    deployment.put("c-john", NUMBER)
    first = deployment.stream.delivered()
    deployment.put("c-john", NUMBER, profile=Profile("John Stone"))
    second = deployment.stream.delivered()
    for batch in (second, first, second, first):
        assert deployment.invalidate({"Records": batch}, None) == {"batchItemFailures": []}
        assert deployment.resolve()[:2] == ("c-john", "John Stone")


def test_a_request_for_a_lookup_leaves_what_the_cache_knows(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    """The resolver has just written both; to forget the one because of the other would make it useless."""
    assert deployment.resolve()[2] == "miss"
    (requested,) = deployment.stream.delivered()
    assert "lookup_requested_at" in requested["dynamodb"]["NewImage"]
    capsys.readouterr()
    assert deployment.invalidate({"Records": [requested]}, None) == {"batchItemFailures": []}
    assert json.loads(capsys.readouterr().out)["identifiers"] == 0
    assert deployment.resolve() == ("NOT_FOUND", "Valued Customer", "negative")


def test_a_confirmed_claim_leaves_what_the_cache_knows(deployment: Deployment) -> None:
    deployment.put("c-john", NUMBER)
    deployment.consume()
    deployment.resolve()
    deployment.store.confirm(NUMBER, "c-john")
    deployment.consume()
    assert deployment.resolve() == ("c-john", "John Smith", "hit")


def test_while_the_cache_is_away_the_whole_batch_is_handed_back(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    without_cache = make_handler(Cache("redis://127.0.0.1:9", environment="down", hash_key=b"k"))
    deployment.put("c-john", NUMBER)
    batch = deployment.stream.delivered()
    answer = without_cache({"Records": batch}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": batch[0]["dynamodb"]["SequenceNumber"]}]}
    output = capsys.readouterr().out
    assert json.loads(output)["event"] == "invalidation failed"
    assert "917555" not in output


def test_the_log_says_how_much_and_not_whose(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.put("c-john", NUMBER)
    capsys.readouterr()
    deployment.consume()
    output = capsys.readouterr().out
    assert json.loads(output) == {"event": "invalidation", "identifiers": 1, "contacts": 1}


def test_an_empty_batch_is_taken(deployment: Deployment) -> None:
    assert deployment.invalidate({}, None) == {"batchItemFailures": []}


def test_a_type_that_only_a_newer_release_knows_holds_up_nobody(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.put("c-john", NUMBER)
    newer = Contact.from_item({"contact_id": "c-new", "generation": 1, "identifiers": {"telegram#4711": "4711"}})
    unknown = [
        {"identifier": "telegram#4711", "version": 1, "claim_count": 1},
        {"identifier": "external#4711", "version": 1},
    ]
    records = [
        {"dynamodb": {"Keys": {"identifier": {}}, "NewImage": marshal_item(item), "SequenceNumber": "1"}}
        for item in unknown
    ]
    image = marshal_item(newer.to_item())
    records.append({"dynamodb": {"Keys": {"contact_id": {}}, "NewImage": image, "SequenceNumber": "3"}})
    assert deployment.invalidate({"Records": records}, None) == {"batchItemFailures": []}
    warning, _ = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert warning["types"] == ["external", "telegram"]
    assert "4711" not in json.dumps(warning)
