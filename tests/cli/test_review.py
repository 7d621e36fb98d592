"""`cir duplicates` and `cir contact`: what an operator is shown of the review queue, and what they decide."""

import json
import re
from collections.abc import Callable

import pytest

from tests.support.commands import Command
from tests.support.identity_world import World, crm_id, email, loyalty, phone, propose

type Told = Callable[..., str]
type Refused = Callable[..., None]


@pytest.fixture
def told(world: World, deployed: pytest.MonkeyPatch, cir: Command) -> Told:
    """What a command prints that does what it is asked to."""
    deployed.setenv("USER", "ada")
    deployed.setenv("COLUMNS", "300")

    def run(*arguments: str) -> str:
        ran = cir(*arguments)
        assert ran.code == 0, ran.err
        return ran.out

    return run


@pytest.fixture
def refused(told: Told, cir: Command) -> Refused:
    """A command that does not do what it is asked to; the first argument is the pattern of what it says."""

    def run(pattern: str, *arguments: str) -> None:
        ran = cir(*arguments)
        assert ran.code == 1
        assert re.search(pattern, ran.err), ran.err

    return run


@pytest.mark.slow
def test_an_operator_lists_looks_and_decides(world: World, told: Told, refused: Refused) -> None:
    ann = world.customer(phone(1), crm_id(1), source="salesforce", firstName="Ann")
    annie = world.customer(email("ann"), loyalty(1), firstName="Annie")
    twin = world.customer(phone(3))
    propose(world, (ann.contact_id, annie.contact_id), probability=0.93)
    propose(world, (ann.contact_id, twin.contact_id), probability=0.4)
    listed = json.loads(told("duplicates", "list", "--json"))
    assert [each["probability"] for each in listed] == [0.93, 0.4]
    assert "0.930" in told("duplicates", "list")
    key = listed[0]["case"]
    shown = json.loads(told("duplicates", "show", key, "--json"))
    assert {each["profile"]["first_name"] for each in shown["described"]} == {"Ann", "Annie"}
    assert "from the CRM" in told("duplicates", "show", key)
    told("duplicates", "merge", key)
    assert world.head(ann.contact_id).contact_id == ann.contact_id  # only shown
    merged = json.loads(told("duplicates", "merge", key, "--because", "same card", "--yes", "--json"))["contactId"]
    assert world.head(ann.contact_id).contact_id == world.head(annie.contact_id).contact_id == merged
    (left,) = json.loads(told("duplicates", "list", "--json"))
    told("duplicates", "dismiss", left["case"], "--because", "twins")
    assert json.loads(told("duplicates", "list", "--json")) == []
    refused(r"no case .* waits for a decision", "duplicates", "merge", key, "--yes")


def test_a_contact_tells_its_story_under_any_id_it_ever_had(world: World, told: Told) -> None:
    ann = world.customer(phone(1), crm_id(1), source="salesforce", firstName="Ann")
    annie = world.customer(phone(1), loyalty(1), firstName="Annie")
    head = json.loads(
        told("contact", "merge", ann.contact_id, annie.contact_id, "--because", "same card", "--yes", "--json")
    )["contactId"]
    shown = json.loads(told("contact", "show", annie.contact_id, "--json"))
    assert (shown["contact_id"], shown["asked"]) == (head, annie.contact_id)
    assert {each["key"] for each in shown["identifiers"]} == {each.key for each in (*ann.identifiers, loyalty(1))}
    assert {each["claim"]["source"] for each in shown["identifiers"]} == {"salesforce", "genesys"}
    assert shown["because"] == ["same card"]
    assert "same card" in told("contact", "show", head)
    kinds = [each["kind"] for each in json.loads(told("contact", "history", ann.contact_id, "--json"))]
    assert kinds == ["sync", "sync", "merge"]
    assert "same card" in told("contact", "history", head)


def test_a_wrong_merge_is_undone(world: World, told: Told) -> None:
    father, son = world.customer(phone(1), phone(2), firstName="John"), world.customer(phone(1), loyalty(1))
    head = json.loads(told("contact", "merge", father.contact_id, son.contact_id, "--yes", "--json"))["contactId"]
    assert "Conversations, notes and journeys stay" in told("contact", "split", son.contact_id)
    assert world.leads_to(loyalty(1)) == {head}  # only shown
    new = json.loads(told("contact", "split", son.contact_id, "--yes", "--json"))["contactId"]
    assert (world.leads_to(loyalty(1)), world.leads_to(phone(2))) == ({new}, {head})
    assert json.loads(told("contact", "resume", "--json")) == {"merges": {}, "splits": {}}


def test_what_is_refused_is_said_and_nothing_done(world: World, told: Told, refused: Refused) -> None:
    one, other = world.customer(loyalty(1)), world.customer(loyalty(2))
    assert "different-ids:loyalty" in told("contact", "merge", one.contact_id, other.contact_id)
    both = (one.contact_id, other.contact_id)
    refused("nothing was done: Loyalty programme knows them under different ids", "contact", "merge", *both, "--yes")
    refused("was not merged into another", "contact", "split", one.contact_id, "--yes")
    refused("the index knows no contact nobody", "contact", "show", "nobody")
    merged = told("contact", "merge", one.contact_id, other.contact_id, "--differing", "loyalty", "--yes", "--json")
    assert world.leads_to(loyalty(1)) == world.leads_to(loyalty(2)) == {json.loads(merged)["contactId"]}
