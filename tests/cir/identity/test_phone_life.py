"""A number that was given to somebody else leaves its former contact; the two are not merged."""

from typing import Any

import pytest

from cir.contacts.organization import prepare
from cir.conversation.creating import CreateOutcome, Creating, Creation
from cir.conversation.linking import Linking, LinkOutcome
from cir.follow.backfill import Backfill
from cir.follow.events import Events
from cir.identity.identifiers import Identifier
from cir.identity.records import Contact, Profile
from cir.identity.rules import Assurance
from cir.index.review import open_cases
from cir.index.store import IdentityStore
from cir.resolve.request import Presented
from cir.resolve.resolver import Resolver
from cir.sync.customers import Sync
from sandbox.machine.cache_server import Cache as CacheServer
from tests.conftest import new_cache
from tests.support.identity_world import World, email, phone
from tests.support.sync_plane import MAPPING, account

LONG_AGO = "2020-01-01T00:00:00.000Z"
NUMBER = phone(1)


def known(world: World, *identifiers: Identifier, source: str = "conversation", at: str = LONG_AGO) -> Contact:
    """A contact that was last seen then."""
    today, world.store = world.store, IdentityStore(world.call, world.tables, now=lambda: at)
    contact = world.customer(*identifiers, source=source)
    world.store = today
    return contact


def link(world: World, contact: Contact, assurance: Assurance = Assurance.ATTESTED) -> LinkOutcome:
    linking = Linking(world.client, world.store, world.sources)
    return linking.link(contact.contact_id, Presented(NUMBER, assurance), conversation_id="conv-1").outcome


def test_a_recycled_number_goes_to_who_has_it_now(world: World) -> None:
    former, caller = known(world, NUMBER, phone(2)), world.customer(email("ann"))
    assert link(world, caller) is LinkOutcome.LINKED
    assert world.leads_to(NUMBER) == {caller.contact_id} == {world.holder(NUMBER)}
    assert world.leads_to(phone(2)) == {former.contact_id}
    assert world.shown(world.client.contacts.get(former.contact_id)) == {phone(2)}
    (entry,) = [each for each in world.store.history(former.contact_id) if each["kind"] == "detach"]
    assert (entry["details"]["identifier"], entry["details"]["now_of"]) == (NUMBER.key, caller.contact_id)
    assert open_cases(world.store) == []


@pytest.mark.parametrize(
    ("source", "at", "assurance"),
    [
        pytest.param("conversation", LONG_AGO, Assurance.CLAIMED, id="anybody can set a caller id"),
        pytest.param("salesforce", LONG_AGO, Assurance.ATTESTED, id="the CRM still says so"),
        pytest.param("conversation", "2999-01-01T00:00:00.000Z", Assurance.VERIFIED, id="it was seen of late"),
    ],
)
def test_otherwise_it_stays_and_somebody_has_to_look(world: World, source: str, at: str, assurance: Assurance) -> None:
    former, caller = known(world, NUMBER, source=source, at=at), world.customer(email("ann"))
    assert link(world, caller, assurance) is LinkOutcome.CONFLICT
    assert world.leads_to(NUMBER) == {former.contact_id} == {world.holder(NUMBER)}
    assert [set(case.contacts) for case in open_cases(world.store)] == [{former.contact_id, caller.contact_id}]


@pytest.mark.slow
def test_a_link_that_died_while_it_took_the_number_over_is_finished_by_the_next(world: World) -> None:
    for step in range(1, 30):
        former, caller = known(world, NUMBER), world.customer(email(f"ann{step}"))
        with world.fate.dies_after(step):
            link(world, caller)
        finished = world.fate.calls < step
        assert link(world, caller) in {LinkOutcome.LINKED, LinkOutcome.ALREADY_LINKED}
        assert world.leads_to(NUMBER) == {caller.contact_id} == {world.holder(NUMBER)}
        assert world.head(former.contact_id).identifiers == ()
        if finished:
            break
        for each in (former, caller):
            world.client.contacts.delete(each.contact_id)
            world.store.remove(world.head(each.contact_id), decision=world.store.decision("test", "deletion", "over"))
    assert step > 6


def detached(world: World, contact: Contact) -> list[str]:
    return [each["details"]["now_of"] for each in world.store.history(contact.contact_id) if each["kind"] == "detach"]


def create(world: World, assurance: Assurance, *others: Identifier) -> Creation:
    given = [Presented(NUMBER, assurance), *(Presented(each, Assurance.CLAIMED) for each in others)]
    return Creating(world.client, world.store, world.sources).create(given)


def test_a_newcomer_with_somebody_elses_old_number_is_somebody_else(world: World) -> None:
    former = known(world, NUMBER, phone(2))
    made = create(world, Assurance.ATTESTED, email("new"))
    assert (made.outcome, made.contact_id == former.contact_id) == (CreateOutcome.CREATED, False)
    assert world.leads_to(NUMBER) == {made.contact_id} == {world.holder(NUMBER)}
    assert (world.leads_to(phone(2)), detached(world, former)) == ({former.contact_id}, [""])


def test_a_number_alone_does_not_say_that_it_is_somebody_else(world: World) -> None:
    former = known(world, NUMBER)
    for made in (create(world, Assurance.ATTESTED), create(world, Assurance.CLAIMED, email("new"))):
        assert (made.outcome, made.contact_id) == (CreateOutcome.EXISTS, former.contact_id)


def test_a_number_that_the_crm_has_of_somebody_else_is_theirs(world: World) -> None:
    former = known(world, NUMBER, phone(2))
    sync = Sync(world.client, world.store, prepare(world.client, MAPPING), MAPPING)
    (synced,) = sync.records([account(1, MobilePhone=NUMBER.value)])
    assert world.leads_to(NUMBER) == {synced.contact_id}
    assert world.shown(world.client.contacts.get(former.contact_id)) == {phone(2)}
    assert detached(world, former) == [synced.contact_id]


@pytest.mark.parametrize("told_by", ["event", "lookup"])
def test_a_number_that_an_agent_gives_to_somebody_else_is_theirs(world: World, told_by: str) -> None:
    former, other = known(world, NUMBER), world.in_genesys({}, email("ann"))
    change: Any = {"field": "$.cellPhone", "action": "Update", "value": {"display": NUMBER.value}}
    world.client.contacts.patch(other, [change])
    parts = (world.client, world.store, world.sources)
    if told_by == "event":
        Events(*parts).follow(other)
    else:
        Backfill(*parts).look_up(email("ann"))
    assert (world.leads_to(NUMBER), detached(world, former)) == ({other}, [other])


@pytest.fixture
def resolver(world: World, cache_server: CacheServer) -> Resolver:
    cache = new_cache(cache_server)
    return Resolver(store=world.store, cache=cache, defaults=Profile(), budget_seconds=5, default_region="US")


def test_an_old_number_contradicts_nothing_and_proposes_no_merge(world: World, resolver: Resolver) -> None:
    former, ann = known(world, NUMBER), world.customer(email("ann"))
    for cache_status in ("miss", "hit"):
        resolution = resolver.resolve({"ani": NUMBER.value, "attestation": "A", "email": email("ann").value})
        answer = resolution.answer
        assert (answer["outcome"], answer["contactId"], answer["assurance"], answer["cacheStatus"]) == (
            "RESOLVED", ann.contact_id, "claimed", cache_status,
        )  # fmt: skip
        assert resolution.trace["ignored"] == [{"what": "phone", "why": "not seen with that contact for long"}]
    assert open_cases(world.store) == []
    alone = resolver.resolve({"ani": NUMBER.value, "attestation": "A"}).answer
    assert (alone["contactId"], alone["assurance"]) == (former.contact_id, "claimed")


def test_who_was_seen_with_a_number_since_is_its_only_candidate(world: World, resolver: Resolver) -> None:
    known(world, NUMBER)
    ann = world.customer(NUMBER)
    answer = resolver.resolve({"ani": NUMBER.value}).answer
    assert (answer["outcome"], answer["contactId"]) == ("RESOLVED", ann.contact_id)


def test_a_number_used_together_with_something_else_of_theirs_is_fresh_again(world: World, resolver: Resolver) -> None:
    ann = known(world, NUMBER, email("ann"))
    resolver.resolve({"ani": NUMBER.value, "attestation": "A"})
    (claim,) = world.store.identifiers([NUMBER], consistent=True)[NUMBER].claims.values()
    assert claim.last_confirmed == LONG_AGO  # it may be the next owner of the number who has called
    resolver.resolve({"ani": NUMBER.value, "attestation": "A", "email": email("ann").value})
    bob = world.customer(email("bob"))
    assert link(world, bob) is LinkOutcome.CONFLICT
    assert world.leads_to(NUMBER) == {ann.contact_id}
