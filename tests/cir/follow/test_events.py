"""The index follows what happens in Genesys, in whatever order and how often it is told."""

import pytest

from cir.conversation.linking import Linking
from cir.follow.events import Events, Following
from cir.genesys.identifiers import to_genesys
from cir.identity.rules import Assurance
from cir.merge.splitting import Splitting
from cir.resolve.request import Presented
from tests.support.identity_world import World, crm_id, email, loyalty, phone


@pytest.fixture
def events(world: World) -> Events:
    return Events(world.client, world.store, world.sources)


def test_a_contact_that_somebody_makes_in_genesys_is_indexed(world: World, events: Events) -> None:
    made = world.in_genesys({"firstName": "Ann", "lastName": "Lee"}, phone(1), loyalty(1))
    assert events.follow(made) is Following.APPEARED
    assert world.leads_to(phone(1)) == world.leads_to(loyalty(1)) == {made}
    assert world.head(made).profile.display_name == "Ann Lee"
    assert events.follow(made) is Following.UNCHANGED
    assert [each["kind"] for each in world.store.history(made)] == ["event"]


def test_an_agents_change_is_followed(world: World, events: Events) -> None:
    ann = world.customer(phone(1), email("ann"), firstName="Ann")
    world.client.contacts.patch(
        ann.contact_id,
        [
            {"field": "$.workPhone", "action": "Update", "value": {"display": phone(2).value}},
            {"field": "$.firstName", "action": "Update", "value": "Anna"},
        ],
    )
    assert events.follow(ann.contact_id) is Following.CHANGED
    assert (world.leads_to(phone(1)), world.leads_to(phone(2))) == (set(), {ann.contact_id})
    assert world.head(ann.contact_id).profile.first_name == "Anna"


def test_what_the_crm_says_is_not_changed_by_an_agent(world: World, events: Events) -> None:
    ann = world.customer(phone(1), crm_id(1), source="salesforce", firstName="Ann")
    world.client.contacts.patch(
        ann.contact_id,
        [
            {"field": "$.workPhone", "action": "Update", "value": {"display": phone(2).value}},
            {"field": "$.firstName", "action": "Update", "value": "Anna"},
        ],
    )
    events.follow(ann.contact_id)
    assert world.leads_to(phone(1)) == world.leads_to(phone(2)) == {ann.contact_id}
    assert world.head(ann.contact_id).profile.first_name == "Ann"


def test_a_link_that_an_agent_takes_back_is_taken_back(world: World, events: Events) -> None:
    ann = world.customer(phone(1), phone(2), phone(3))
    linking = Linking(world.client, world.store, world.sources)
    for number in (4, 5):  # the second finds no field in Genesys
        linking.link(ann.contact_id, Presented(phone(number), Assurance.CLAIMED), conversation_id="conv-1")
    assert events.follow(ann.contact_id) is Following.UNCHANGED
    world.client.contacts.release(ann.contact_id, to_genesys(phone(4), {}))
    assert events.follow(ann.contact_id) is Following.CHANGED
    assert (world.leads_to(phone(4)), world.leads_to(phone(5))) == (set(), {ann.contact_id})


def test_an_agents_merge_is_followed_whoever_tells_of_it_first(world: World, events: Events) -> None:
    ann, annie = world.customer(phone(1), email("ann")), world.customer(phone(2), loyalty(2))
    stranger = world.in_genesys({}, phone(3))
    ids = [ann.contact_id, annie.contact_id, stranger]
    merged = world.client.contacts.merge(ids, value_override={"firstName": "Ann"})["id"]
    events.follow(ann.contact_id)
    for each in ids:
        assert world.head(each).contact_id == merged
    for identifier in (*ann.identifiers, *annie.identifiers, phone(3)):
        assert world.leads_to(identifier) == {merged}
    assert [events.follow(each) for each in (merged, stranger, annie.contact_id)] == [Following.UNCHANGED] * 3
    kinds = [each["kind"] for each in world.store.history(merged)]
    assert sorted(kinds) == ["event", "merge", "merge"]


def test_a_deleted_contact_leads_to_nobody_and_to_nobody_else(world: World, events: Events) -> None:
    ann, annie = world.customer(phone(1), phone(9)), world.customer(phone(2), loyalty(2))
    bob = world.customer(phone(9))
    merged = world.merging.merge(world.merging.plan([ann.contact_id, annie.contact_id]), by="ada", because="reviewed")
    world.client.contacts.delete(merged)
    assert events.follow(ann.contact_id) is Following.DELETED
    assert events.follow(merged) is events.follow(annie.contact_id) is Following.IGNORED
    assert world.store.canonical([ann.contact_id, annie.contact_id, merged])[0] == {}
    assert world.leads_to(phone(1)) == world.leads_to(loyalty(2)) == set()
    assert world.leads_to(phone(9)) == {bob.contact_id}
    again = world.customer(loyalty(2))
    assert world.leads_to(loyalty(2)) == {again.contact_id}


def test_a_split_is_not_undone_by_a_late_event(world: World, events: Events) -> None:
    ann, bob = world.customer(phone(1), loyalty(1)), world.customer(phone(2), email("bob"))
    one = world.merging.merge(world.merging.plan([ann.contact_id, bob.contact_id]), by="ada", because="reviewed")
    splitting = Splitting(world.client, world.store, world.sources)
    new = splitting.split(splitting.plan(bob.contact_id), by="ada", because="two people")
    for each in (bob.contact_id, one, new, ann.contact_id):
        assert events.follow(each) is Following.UNCHANGED
    assert (world.leads_to(phone(2)), world.leads_to(phone(1))) == ({new}, {one})


def test_an_id_that_was_split_off_and_deleted_does_not_lead_back(world: World, events: Events) -> None:
    ann, bob = world.customer(phone(1), loyalty(1)), world.customer(phone(2), email("bob"))
    one = world.merging.merge(world.merging.plan([ann.contact_id, bob.contact_id]), by="ada", because="reviewed")
    splitting = Splitting(world.client, world.store, world.sources)
    new = splitting.split(splitting.plan(bob.contact_id), by="ada", because="two people")
    world.client.contacts.delete(new)
    for each in (new, bob.contact_id, one):
        events.follow(each)
    assert world.store.canonical([bob.contact_id, new], consistent=True)[0] == {}
    assert (world.leads_to(phone(2)), world.leads_to(phone(1))) == (set(), {one})
    assert world.store.contacts([bob.contact_id])[bob.contact_id].identifiers == ()


def test_strangers_that_genesys_makes_a_contact_of_stay_out(world: World, events: Events) -> None:
    import requests

    called = requests.post(
        f"{world.emulator.url}/sandbox/interactions",
        json={"identifier": {"type": "Phone", "value": phone(1).value}},
        timeout=10,
    ).json()
    contact_id = called.get("id") or called["contact"]["id"]
    assert events.follow(contact_id) is Following.IGNORED
    world.cloud.promote(contact_id)
    assert events.follow(contact_id) is Following.APPEARED
