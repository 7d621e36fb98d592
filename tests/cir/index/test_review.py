"""The review queue, from a conflict in a conversation to what an operator does about it at the command line."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mypy_boto3_dynamodb.client import DynamoDBClient
from typer.testing import CliRunner

from cir.aws.dynamodb import boto3_dynamodb
from cir.identity.records import Profile
from cir.index.cache import Cache
from cir.index.review import Step, candidate, cases, dismiss, open_cases
from cir.index.store import TableNames
from cir.resolve.resolver import Resolver
from cli.failures import CommandError
from cli.main import app
from sandbox.genesys import Emulator, Settings, running
from tests.support.identity_world import World, crm_id, email, environment, loyalty, phone


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with running(Settings(rate_limit=None)) as emulator:
        yield emulator


@pytest.fixture
def world(emulator: Emulator, dynamodb_client: DynamoDBClient, tables: TableNames) -> World:
    return World(emulator, boto3_dynamodb(dynamodb_client), tables)


type Command = Callable[..., str]


@pytest.fixture
def cir(monkeypatch: pytest.MonkeyPatch, aws_url: str, world: World) -> Command:
    """`cir contact …` and `cir duplicates …` on this world; a failure is raised."""
    for name, value in {**environment(world, aws_url), "CIR_ENVIRONMENT": "test", "USER": "ada"}.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "300"})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return run


def propose(world: World, pair: tuple[str, ...], **details: Any) -> None:
    world.store.record(candidate(world.store, pair, "alike", **details))


def test_a_caller_whose_details_lead_to_two_people_is_a_case_once_a_day(world: World, cache: Cache) -> None:
    john, ann = world.customer(loyalty(1)), world.customer(phone(1))
    resolver = Resolver(
        store=world.store, cache=cache, defaults=Profile(), budget_seconds=2, default_region="US", fallback=None
    )
    for _ in range(3):
        answer = resolver.resolve(
            {"ani": phone(1).value, "externalId": loyalty(1).value, "externalSource": "loyalty"}
        ).answer
        assert answer["outcome"] == "CONFLICT"
    (case,) = open_cases(world.store)
    assert set(case.contacts) == {john.contact_id, ann.contact_id}
    assert [each["matched_by"] for each in case.evidence] == [["external"]]


def test_the_queue_shows_the_most_probable_first_and_what_was_decided_no_more(world: World) -> None:
    propose(world, ("a", "b"))
    for each in "abcdef":
        put(world, each)
    propose(world, ("d", "c"), probability=0.8)
    propose(world, ("e", "f"), probability=0.95)
    dismiss(world.store, ["b", "a"], by="ada", because="twins")
    propose(world, ("a", "b"), probability=0.99)
    assert [(case.contacts, case.probability) for case in open_cases(world.store)] == [
        (("e", "f"), 0.95),
        (("c", "d"), 0.8),
    ]
    assert cases(world.store)["a+b"].state is Step.DISMISSED


def test_a_case_follows_its_contacts(world: World) -> None:
    one, two, three, four = (world.customer(phone(number)).contact_id for number in range(4))
    propose(world, (one, two))
    propose(world, (one, three))
    propose(world, (two, three))
    propose(world, (one, four))
    dismiss(world.store, (one, four), by="ada", because="neighbours")
    head = world.merging.merge(world.merging.plan([one, two]), by="ada", because="reviewed")
    (case,) = open_cases(world.store)
    assert case.contacts == tuple(sorted((head, three)))
    assert len(case.evidence) == 2


@pytest.mark.slow
def test_an_operator_lists_looks_and_decides(world: World, cir: Command) -> None:
    ann = world.customer(phone(1), crm_id(1), source="salesforce", firstName="Ann")
    annie = world.customer(email("ann"), loyalty(1), firstName="Annie")
    twin = world.customer(phone(3))
    propose(world, (ann.contact_id, annie.contact_id), probability=0.93)
    propose(world, (ann.contact_id, twin.contact_id), probability=0.4)
    listed = json.loads(cir("duplicates", "list", "--json"))
    assert [each["probability"] for each in listed] == [0.93, 0.4]
    assert "0.930" in cir("duplicates", "list")
    key = listed[0]["case"]
    shown = json.loads(cir("duplicates", "show", key, "--json"))
    assert {each["profile"]["first_name"] for each in shown["described"]} == {"Ann", "Annie"}
    assert "from the CRM" in cir("duplicates", "show", key)
    cir("duplicates", "merge", key)
    assert world.head(ann.contact_id).contact_id == ann.contact_id  # only shown
    merged = json.loads(cir("duplicates", "merge", key, "--because", "same card", "--yes", "--json"))["contactId"]
    assert world.head(ann.contact_id).contact_id == world.head(annie.contact_id).contact_id == merged
    (left,) = json.loads(cir("duplicates", "list", "--json"))
    cir("duplicates", "dismiss", left["case"], "--because", "twins")
    assert json.loads(cir("duplicates", "list", "--json")) == []
    with pytest.raises(CommandError, match=r"no case .* waits for a decision"):
        cir("duplicates", "merge", key, "--yes")


def test_a_contact_tells_its_story_under_any_id_it_ever_had(world: World, cir: Command) -> None:
    ann = world.customer(phone(1), crm_id(1), source="salesforce", firstName="Ann")
    annie = world.customer(phone(1), loyalty(1), firstName="Annie")
    head = json.loads(
        cir("contact", "merge", ann.contact_id, annie.contact_id, "--because", "same card", "--yes", "--json")
    )["contactId"]
    shown = json.loads(cir("contact", "show", annie.contact_id, "--json"))
    assert (shown["contact_id"], shown["asked"]) == (head, annie.contact_id)
    assert {each["key"] for each in shown["identifiers"]} == {each.key for each in (*ann.identifiers, loyalty(1))}
    assert {each["claim"]["source"] for each in shown["identifiers"]} == {"salesforce", "genesys"}
    assert shown["because"] == ["same card"]
    assert "same card" in cir("contact", "show", head)
    kinds = [each["kind"] for each in json.loads(cir("contact", "history", ann.contact_id, "--json"))]
    assert kinds == ["sync", "sync", "merge"]
    assert "same card" in cir("contact", "history", head)


def test_a_wrong_merge_is_undone(world: World, cir: Command) -> None:
    father, son = world.customer(phone(1), phone(2), firstName="John"), world.customer(phone(1), loyalty(1))
    head = json.loads(cir("contact", "merge", father.contact_id, son.contact_id, "--yes", "--json"))["contactId"]
    assert "Conversations, notes and journeys stay" in cir("contact", "split", son.contact_id)
    assert world.leads_to(loyalty(1)) == {head}  # only shown
    new = json.loads(cir("contact", "split", son.contact_id, "--yes", "--json"))["contactId"]
    assert (world.leads_to(loyalty(1)), world.leads_to(phone(2))) == ({new}, {head})
    assert json.loads(cir("contact", "resume", "--json")) == {"merges": {}, "splits": {}}


def test_what_is_refused_is_said_and_nothing_done(world: World, cir: Command) -> None:
    one, other = world.customer(loyalty(1)), world.customer(loyalty(2))
    assert "different-ids:loyalty" in cir("contact", "merge", one.contact_id, other.contact_id)
    with pytest.raises(CommandError, match="nothing was done: Loyalty programme knows them under different ids"):
        cir("contact", "merge", one.contact_id, other.contact_id, "--yes")
    with pytest.raises(CommandError, match="was not merged into another"):
        cir("contact", "split", one.contact_id, "--yes")
    with pytest.raises(CommandError, match="the index knows no contact nobody"):
        cir("contact", "show", "nobody")
    merged = cir("contact", "merge", one.contact_id, other.contact_id, "--differing", "loyalty", "--yes", "--json")
    assert world.leads_to(loyalty(1)) == world.leads_to(loyalty(2)) == {json.loads(merged)["contactId"]}


def put(world: World, contact_id: str) -> None:
    """A contact that only the index has to know."""
    from cir.identity.records import Contact
    from cir.identity.rules import Assurance

    decision = world.store.decision(contact_id, "sync", "made for a test")
    world.store.put_contact(
        Contact(contact_id).changed(), decision=decision, source="genesys", assurance=Assurance.CLAIMED
    )
