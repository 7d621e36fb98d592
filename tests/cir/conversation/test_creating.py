"""Creating a contact in the conversation, on both sides."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.aws.dynamodb import boto3_dynamodb
from cir.conversation.creating import CreateOutcome, Creating
from cir.identity.rules import Assurance
from cir.index.store import TableNames
from cir.resolve.request import Presented
from sandbox.genesys import Emulator, Settings, running
from tests.support.identity_world import World, email, environment, loyalty, phone, without_ids


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with running(Settings(rate_limit=None)) as emulator:
        yield emulator


@pytest.fixture
def world(emulator: Emulator, dynamodb_client: DynamoDBClient, tables: TableNames) -> World:
    return World(emulator, boto3_dynamodb(dynamodb_client), tables)


@pytest.fixture
def creating(world: World) -> Creating:
    return Creating(world.client, world.store, world.sources)


ANI = Presented(phone(1), Assurance.ATTESTED)
TYPED = Presented(email("Ann"), Assurance.CLAIMED)


def test_a_stranger_becomes_a_customer_on_both_sides(world: World, creating: Creating) -> None:
    made = creating.create([ANI, TYPED], first_name=" Ann ", conversation_id="conv-1")
    assert made.outcome is CreateOutcome.CREATED
    shown = world.client.contacts.get(made.contact_id)
    assert (shown["type"], shown["firstName"], shown["cellPhone"]["e164"]) == ("Curated", "Ann", phone(1).value)
    for each in (ANI, TYPED):
        assert world.leads_to(each.identifier) == {made.contact_id} == {world.holder(each.identifier)}
        claim = world.store.identifiers([each.identifier])[each.identifier].claims[made.contact_id]
        assert (claim.source, claim.assurance) == ("conversation", each.assurance)
    assert world.head(made.contact_id).profile.first_name == "Ann"
    entries = world.store.history(made.contact_id)
    assert {each["kind"] for each in entries} == {"create"}
    assert {each["details"]["conversation_id"] for each in entries} == {"conv-1"}


def test_asked_twice_it_is_the_same_contact(world: World, creating: Creating) -> None:
    first = creating.create([ANI, TYPED])
    entries = len(world.store.history(first.contact_id))
    second = creating.create([ANI])
    assert (second.outcome, second.contact_id) == (CreateOutcome.EXISTS, first.contact_id)
    assert len(world.store.history(first.contact_id)) == entries


def test_a_call_that_died_is_finished_by_the_next(world: World, creating: Creating) -> None:
    for step in range(1, 50):
        given = [Presented(phone(step), Assurance.CLAIMED), Presented(loyalty(step), Assurance.CLAIMED)]
        with world.fate.dies_after(step):
            creating.create(given, first_name="Ann")
        finished = world.fate.calls < step
        made = creating.create(given, first_name="Ann")
        assert {world.holder(each.identifier) for each in given} == {made.contact_id}
        assert all(world.leads_to(each.identifier) == {made.contact_id} for each in given)
        assert [found["id"] for found in world.client.contacts.find_all(phone(step).value)] == [made.contact_id]
        if finished:
            break
    assert step > 4


def test_whom_genesys_knows_is_taken_over_as_they_are(world: World, creating: Creating) -> None:
    known = world.in_genesys({"firstName": "Anna"}, phone(1))
    made = creating.create([ANI, TYPED], first_name="Ann", last_name="Lee")
    assert (made.outcome, made.contact_id) == (CreateOutcome.EXISTS, known)
    shown = world.client.contacts.get(known)
    assert (shown["firstName"], shown["lastName"], shown["personalEmail"]) == ("Anna", "Lee", email("Ann").value)


def test_what_is_known_of_several_is_left_to_a_person(world: World, creating: Creating) -> None:
    world.customer(phone(1))
    world.customer(email("Ann"))
    assert creating.create([ANI, TYPED]).outcome is CreateOutcome.AMBIGUOUS


def test_a_switchboard_makes_nobody_but_does_not_stand_in_the_way(world: World, creating: Creating) -> None:
    people = [world.customer(phone(1)) for _ in range(9)]
    assert creating.create([ANI]).outcome is CreateOutcome.REFUSED
    made = creating.create([ANI, TYPED])
    assert made.outcome is CreateOutcome.CREATED
    assert set(world.head(made.contact_id).identifiers) == {email("Ann")}
    spread = world.store.history(phone(1).key)
    assert [each["kind"] for each in spread] == ["demotion"]
    world.store.put_contact(
        people[0].changed(identifiers=()),
        previous=people[0],
        decision=world.store.decision(people[0].contact_id, "sync", "changed"),
        source="salesforce",
        assurance=Assurance.CLAIMED,
    )
    assert [each["kind"] for each in world.store.history(phone(1).key)] == ["demotion", "promotion"]
    assert creating.create([ANI]).outcome is CreateOutcome.AMBIGUOUS


def test_a_name_that_is_a_card_number_goes_nowhere(world: World, creating: Creating) -> None:
    made = creating.create([ANI], first_name="4111 1111 1111 1111")
    assert (made.outcome, world.holder(phone(1)), world.leads_to(phone(1))) == (CreateOutcome.REFUSED, "", set())


def test_the_handler_always_has_an_answer(
    monkeypatch: pytest.MonkeyPatch, aws_url: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    import importlib
    import sys

    for name, value in environment(world, aws_url).items():
        monkeypatch.setenv(name, value)
    sys.modules.pop("functions.create", None)
    module = importlib.import_module("functions.create")

    def call(event: object) -> dict[str, Any]:
        answer: dict[str, Any] = module.handler(event, None)
        assert {name: type(value) for name, value in answer.items()} == module.OUTPUT_FIELDS
        return answer

    made = call({"ani": phone(1).value, "firstName": "Ann", "lastName": 7})
    assert (made["outcome"], world.leads_to(phone(1))) == ("CREATED", {made["contactId"]})
    assert call({"ani": phone(1).value})["outcome"] == "EXISTS"
    assert call({"ani": "anonymous"})["outcome"] == call(None)["outcome"] == "REFUSED"
    world.fault(status=400, operation="contacts/enrich")
    assert call({"ani": phone(2).value})["outcome"] == "FAILED"
    logged = capsys.readouterr().out
    assert [json.loads(line)["event"] for line in logged.splitlines()][-1] == "create failed"
    assert "555" not in without_ids(logged)
    assert "Ann" not in logged
