"""The review queue: what becomes a case, in which order cases wait, and what becomes of them."""

from cir.identity.records import Profile
from cir.index.cache import Cache
from cir.index.review import Step, cases, dismiss, open_cases
from cir.resolve.resolver import Resolver
from tests.support.identity_world import World, loyalty, phone, propose


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


def put(world: World, contact_id: str) -> None:
    """A contact that only the index has to know."""
    from cir.identity.records import Contact
    from cir.identity.rules import Assurance

    decision = world.store.decision(contact_id, "sync", "made for a test")
    world.store.put_contact(
        Contact(contact_id).changed(), decision=decision, source="genesys", assurance=Assurance.CLAIMED
    )
