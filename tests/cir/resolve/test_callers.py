"""Rows of a CRM, brought to Genesys and the index, and what those who call are answered then."""

from typing import Any

import pytest

from cir.contacts.reading import identifiers_from_genesys
from cir.identity.records import Profile
from cir.resolve.resolver import Resolver
from cir.sync.customers import Change
from cir.sync.deletion import Deletion
from sandbox.machine.cache_server import Cache as CacheServer
from tests.conftest import new_cache
from tests.support.sync_plane import SyncPlane, account, crm_id, email, mobile, phone

HOUSE = phone("+12125550188")
DESK = phone("(212) 555-0188 x4401")
ATTESTED = {"attestation": "A"}


class Callers:
    """Ask the resolver as a flow does: each question twice, which the tables answer and then the cache."""

    def __init__(self, plane: SyncPlane, cache_server: CacheServer) -> None:
        self._plane, self._cache_server = plane, cache_server

    def answer(self, **event: str) -> dict[str, Any]:
        cache = new_cache(self._cache_server)
        resolver = Resolver(
            store=self._plane.store, cache=cache, defaults=Profile(), budget_seconds=5, default_region="US"
        )
        first, second = (resolver.resolve(event).answer for _ in range(2))
        passing = {"resolutionId", "latencyMs", "cacheStatus"}
        assert {name: first[name] for name in first.keys() - passing} == {
            name: second[name] for name in second.keys() - passing
        }
        return second

    def told(self, **event: str) -> tuple[str, str, int]:
        answer = self.answer(**event)
        return answer["outcome"], answer["displayName"], answer["candidateCount"]


@pytest.fixture
def callers(plane: SyncPlane, cache_server: CacheServer) -> Callers:
    return Callers(plane, cache_server)


def test_a_number_with_an_extension_is_a_switchboard_and_the_extension_is_one_persons(
    plane: SyncPlane, callers: Callers
) -> None:
    plane.sync(account(1, Phone="(212) 555-0188 x4401", Email="ann@example.com"))
    (ann,) = plane.owners(crm_id(1))
    assert plane.owners(DESK) == plane.owners(HOUSE) == {ann}
    assert callers.told(ani=HOUSE.value, **ATTESTED) == ("AMBIGUOUS", "", 1)
    assert callers.answer(ani=HOUSE.value)["askFor"] == "email"
    for written in ("tel:+12125550188;ext=4402", "sip:+12125550188;ext=17@pbx.example.com;user=phone"):
        assert callers.told(ani=written, **ATTESTED) == ("AMBIGUOUS", "", 1)
    for written in ("tel:+12125550188;ext=4401;verstat=TN-Validation-Passed-A", "212 555 0188 ext. 04401"):
        answer = callers.answer(ani=written, **ATTESTED)
        assert (answer["outcome"], answer["contactId"], answer["assurance"]) == ("RESOLVED", ann, "claimed")
    both = callers.answer(ani=HOUSE.value, email="ann@example.com", **ATTESTED)
    assert (both["contactId"], both["assurance"]) == (ann, "claimed")
    mobile_too = callers.answer(ani=mobile(1).value, **ATTESTED)
    assert (mobile_too["contactId"], mobile_too["assurance"]) == (ann, "attested")


def test_colleagues_under_one_number_are_told_apart_by_their_extensions(plane: SyncPlane, callers: Callers) -> None:
    plane.sync(*(account(number, Phone=f"+1 212 555 0188 x440{number}") for number in (1, 2)))
    assert callers.told(ani=HOUSE.value, **ATTESTED)[::2] == ("AMBIGUOUS", 2)
    for number in (1, 2):
        assert callers.answer(ani=f"{HOUSE.value};ext=440{number}")["contactId"] in plane.owners(crm_id(number))


def test_an_operators_extension_makes_a_switchboard(plane: SyncPlane, callers: Callers) -> None:
    plane.sync(account(1, Phone="(212) 555-0188 x0"))
    (synced,) = plane.sync(account(1, Phone="(212) 555-0188 x0"))
    assert (synced.change, callers.told(ani=HOUSE.value)) == (Change.UNCHANGED, ("AMBIGUOUS", "", 1))
    assert plane.genesys.contact(synced.contact_id)["workPhone"]["e164"] == HOUSE.value


def test_genesys_is_given_the_extension_and_what_it_shows_leads_to_the_same(plane: SyncPlane) -> None:
    plane.sync(account(1, Phone="(212) 555-0188 x4401"))
    (ann,) = plane.owners(crm_id(1))
    shown = plane.genesys.client().contacts.get(ann)
    assert (shown["workPhone"]["e164"], shown["workPhone"]["extension"]) == (HOUSE.value, 4401)
    read = identifiers_from_genesys(shown, plane.organization.source_ids)
    assert set(read) == set(plane.contact(ann).identifiers)


def test_the_number_identifies_again_when_the_crm_takes_the_extension_back(plane: SyncPlane, callers: Callers) -> None:
    plane.sync(account(1, Phone="(212) 555-0188"))
    assert callers.told(ani=HOUSE.value)[0] == "RESOLVED"
    plane.sync(account(1, Phone="(212) 555-0188 x4401"))
    assert callers.told(ani=HOUSE.value)[0] == "AMBIGUOUS"
    plane.sync(account(1, Phone="(212) 555-0188"))
    assert callers.told(ani=HOUSE.value)[0] == "RESOLVED"
    assert plane.owners(DESK) == set()
    (ann,) = plane.owners(crm_id(1))
    assert "extension" not in plane.genesys.client().contacts.get(ann)["workPhone"]


def test_a_linked_extension_takes_nobodys_number_away(plane: SyncPlane, callers: Callers) -> None:
    plane.sync(account(1, Phone=HOUSE.value), account(2))
    (ann,), (bob,) = plane.owners(crm_id(1)), plane.owners(crm_id(2))
    assert plane.link(ann, DESK).outcome == "LINKED"
    plane.link(bob, phone(f"{HOUSE.value};ext=7"))
    assert callers.answer(ani=HOUSE.value)["contactId"] == ann
    assert callers.answer(ani=f"{HOUSE.value};ext=7")["contactId"] == bob
    plane.sync(account(1, Phone=HOUSE.value, Email="ann@example.com"))
    assert callers.answer(ani=HOUSE.value)["contactId"] == ann
    assert plane.owners(DESK) == {ann}
    holder = plane.genesys.client().contacts.find({"type": "Phone", "value": HOUSE.value})
    assert holder is not None
    assert holder["id"] == ann


def test_a_mobile_has_no_extension(plane: SyncPlane, callers: Callers) -> None:
    record = account(1, Phone="+44 7400 123456 x12")
    assert [str(each) for each in record.problems] == [
        "Phone: a mobile with an extension; the number is taken without it (••••••12)"
    ]
    plane.sync(record)
    assert callers.told(ani="+447400123456;ext=99", **ATTESTED)[::2] == ("RESOLVED", 1)
    assert callers.told(ani="+447400123456", **ATTESTED)[::2] == ("RESOLVED", 1)


def test_what_a_caller_writes_after_the_number_hides_nobody(plane: SyncPlane, callers: Callers) -> None:
    plane.sync(account(1, Email="ann@example.com"))
    answer = callers.answer(ani=f"{mobile(1).value};ext=1", **ATTESTED)
    assert (answer["outcome"], answer["assurance"]) == ("RESOLVED", "attested")
    assert callers.answer(email=email("ann@example.com").value)["outcome"] == "RESOLVED"


LOYALTY = {"externalId": "GLD-98765", "externalSource": "loyalty"}


def test_an_id_that_the_crm_has_on_two_records_identifies_nobody_by_itself(plane: SyncPlane, callers: Callers) -> None:
    plane.sync(account(1, Loyalty_Number__c="GLD-98765"))
    (ann,) = plane.owners(crm_id(1))
    assert callers.answer(**LOYALTY)["contactId"] == ann
    plane.sync(account(2, Loyalty_Number__c="GLD-98765"))
    (bob,) = plane.owners(crm_id(2))
    assert callers.told(**LOYALTY) == ("AMBIGUOUS", "", 2)
    for number, contact_id in ((1, ann), (2, bob)):
        both = callers.answer(ani=mobile(number).value, **LOYALTY, **ATTESTED)
        assert (both["outcome"], both["contactId"], both["assurance"]) == ("RESOLVED", contact_id, "attested")
    plane.sync(account(1))
    assert callers.answer(**LOYALTY)["contactId"] == bob
    plane.sync(account(2, Loyalty_Number__c="GLD-98765"))
    (held,) = (
        contact["id"]
        for contact in plane.genesys.contacts()
        if "GLD-98765" in {each["value"] for each in contact["externalIds"]}
    )
    assert held == bob


def test_a_record_that_takes_its_contested_id_back_leaves_it_to_the_first(plane: SyncPlane, callers: Callers) -> None:
    plane.sync(*(account(number, Loyalty_Number__c="GLD-98765") for number in (1, 2)))
    plane.sync(account(2))
    assert callers.answer(**LOYALTY)["contactId"] in plane.owners(crm_id(1))


def test_a_contested_id_narrows_what_a_shared_number_leads_to(plane: SyncPlane, callers: Callers) -> None:
    office = {"Phone": HOUSE.value}
    plane.sync(account(1, Loyalty_Number__c="GLD-98765", **office), account(2, **office))
    plane.sync(account(3, Loyalty_Number__c="GLD-98765"))
    assert callers.answer(ani=HOUSE.value, **LOYALTY)["contactId"] in plane.owners(crm_id(1))


def test_a_contested_id_of_a_deleted_record_goes_to_the_other(plane: SyncPlane, callers: Callers) -> None:
    plane.sync(*(account(number, Loyalty_Number__c="GLD-98765") for number in (1, 2)))
    (bob,) = plane.owners(crm_id(2))
    client = plane.genesys.client()
    Deletion(client, plane.store, plane.organization, plane.mapping.on_delete).follow(crm_id(1))
    assert callers.answer(**LOYALTY)["contactId"] == bob
    plane.sync(account(2, Loyalty_Number__c="GLD-98765"))
    assert "GLD-98765" in [each["value"] for each in plane.genesys.contact(bob)["externalIds"]]


NEW = phone("+1 646 555 0177")


def test_a_linked_number_is_proven_when_the_crm_has_it_too_and_stays_when_the_crm_drops_it(
    plane: SyncPlane, callers: Callers
) -> None:
    plane.sync(account(1))
    (ann,) = plane.owners(crm_id(1))
    plane.link(ann, NEW)
    assert callers.answer(ani=NEW.value, **ATTESTED)["assurance"] == "claimed"
    plane.sync(account(1, Phone=NEW.value))
    assert callers.answer(ani=NEW.value, **ATTESTED)["assurance"] == "attested"
    plane.sync(account(1))
    answer = callers.answer(ani=NEW.value, **ATTESTED)
    assert (answer["contactId"], answer["assurance"]) == (ann, "claimed")


def test_a_deleted_record_takes_its_word_back_and_leaves_what_a_caller_has_said(
    plane: SyncPlane, callers: Callers
) -> None:
    plane.sync(account(1))
    (ann,) = plane.owners(crm_id(1))
    plane.link(ann, NEW)
    plane.sync(account(1, Phone=NEW.value))
    client = plane.genesys.client()
    Deletion(client, plane.store, plane.organization, plane.mapping.on_delete).follow(crm_id(1))
    assert (plane.owners(mobile(1)), plane.owners(NEW)) == (set(), {ann})
    assert callers.answer(ani=NEW.value, **ATTESTED)["assurance"] == "claimed"


def test_one_of_two_records_of_a_contact_takes_back_nothing_that_the_other_may_say(
    plane: SyncPlane, callers: Callers
) -> None:
    plane.sync(account(1))
    (ann,) = plane.owners(crm_id(1))
    plane.link(ann, NEW)
    plane.link(ann, crm_id(2))
    plane.sync(account(2, Phone=NEW.value))
    plane.sync(account(1, Email="ann@example.com"))
    assert plane.owners(crm_id(2)) == {ann}
    assert callers.answer(ani=NEW.value, **ATTESTED)["assurance"] == "attested"
