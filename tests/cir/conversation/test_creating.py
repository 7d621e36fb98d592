"""Creating a contact in the conversation, on both sides."""

import pytest

from cir.conversation.creating import CreateOutcome, Creating
from cir.identity.identifiers import Identifier
from cir.identity.parsing import parse
from cir.identity.rules import Assurance, IdentifierType
from cir.resolve.request import Presented
from tests.support.identity_world import World, email, loyalty, phone


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


def test_of_a_functions_mailbox_no_customer_is_made(world: World, creating: Creating) -> None:
    mailbox = Presented(email("info"), Assurance.CLAIMED)
    assert creating.create([mailbox]).outcome is CreateOutcome.REFUSED
    first, second = (creating.create([mailbox, Presented(phone(each), Assurance.CLAIMED)]) for each in (1, 2))
    assert (first.outcome, second.outcome) == (CreateOutcome.CREATED, CreateOutcome.CREATED)
    assert world.leads_to(mailbox.identifier) == set()


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


def test_an_id_that_is_a_card_number_makes_nobody(world: World, creating: Creating) -> None:
    card = parse(IdentifierType.EXTERNAL, "4111 1111 1111 1111", source="loyalty")
    assert isinstance(card, Identifier)
    made = creating.create([ANI, Presented(card, Assurance.CLAIMED)], first_name="Ann")
    assert (made.outcome, made.explanation) == (
        CreateOutcome.REFUSED, "An id looks like a card number; it is not stored.",
    )  # fmt: skip
    assert world.leads_to(phone(1)) == set()


def test_a_name_that_is_a_card_number_goes_nowhere(world: World, creating: Creating) -> None:
    made = creating.create([ANI], first_name="4111 1111 1111 1111")
    assert (made.outcome, world.holder(phone(1)), world.leads_to(phone(1))) == (CreateOutcome.REFUSED, "", set())
