"""The nightly search over a base in Genesys: what it proposes, what it merges, and what it leaves alone."""

import pytest

from cir.duplicates.nightly import Nightly
from cir.identity.records import Contact
from cir.index.review import Step, cases, dismiss, open_cases
from sandbox.bench import families
from tests.support.identity_world import World, crm_id, email, loyalty, phone

pytestmark = pytest.mark.slow


@pytest.fixture
def nightly(world: World) -> Nightly:
    return Nightly(world.client, world.store, world.merging, world.sources, default_region="US")


def searched(nightly: Nightly) -> None:
    export = nightly.start()
    while not nightly.is_ready(export):
        pass
    nightly.propose(export)


def twice(world: World, number: int, first: str, last: str) -> tuple[Contact, Contact]:
    """The CRM's record of somebody, and what a conversation has made of the same person."""
    known = world.customer(
        phone(number), email(first.lower()), crm_id(number), source="salesforce", firstName=first, lastName=last
    )
    met = world.customer(phone(number), email(first.lower()), firstName=first, lastName=last)
    return known, met


def test_one_person_with_two_contacts_is_merged_and_a_couple_is_not(world: World, nightly: Nightly) -> None:
    known, met = twice(world, 1, "Rosalind", "Thistlewood")
    couple = [
        world.customer(phone(2), email(name.lower()), loyalty(each), firstName=name, lastName="Oakhampton")
        for each, name in enumerate(("Bertram", "Philippa"))
    ]
    searched(nightly)
    (case,) = [case for case in open_cases(world.store) if case.evidence[-1]["proposal"] == "merge"]
    assert set(case.contacts) == {known.contact_id, met.contact_id}
    assert (case.probability or 0) > 0.99
    assert nightly.merge(at_most=10, seconds=60).merged == 1
    heads, _ = world.store.canonical([known.contact_id, met.contact_id, *(each.contact_id for each in couple)])
    assert heads[known.contact_id] == heads[met.contact_id]
    assert len({heads[each.contact_id].contact_id for each in couple}) == 2


def test_a_second_night_finds_nothing_new(world: World, nightly: Nightly) -> None:
    twice(world, 1, "Rosalind", "Thistlewood")
    searched(nightly)
    before = {key: len(case.evidence) for key, case in cases(world.store).items()}
    searched(nightly)
    assert {key: len(case.evidence) for key, case in cases(world.store).items()} == before


def test_what_somebody_has_dismissed_is_not_merged(world: World, nightly: Nightly) -> None:
    known, met = twice(world, 1, "Rosalind", "Thistlewood")
    dismiss(world.store, (known.contact_id, met.contact_id), by="eve", because="twins")
    searched(nightly)
    assert nightly.merge(at_most=10, seconds=60).merged == 0
    assert [case.state for case in cases(world.store).values()] == [Step.DISMISSED]


def test_two_records_of_the_crm_wait_for_somebody(world: World, nightly: Nightly) -> None:
    """Two ids of one CRM may be two people: that needs eyes, however alike they are."""
    for number in (1, 2):
        world.customer(
            phone(1), email("ros"), crm_id(number), source="salesforce", firstName="Rosalind", lastName="Thistlewood"
        )
    searched(nightly)
    assert len(open_cases(world.store)) == 1
    assert nightly.merge(at_most=10, seconds=60).merged == 0
    (case,) = open_cases(world.store)
    assert case.state is Step.MERGE_REFUSED
    assert (case.probability or 0) > 0.99
    entries = len(list(world.store.history("review")))
    nightly.merge(at_most=10, seconds=60)
    assert len(list(world.store.history("review"))) == entries


def test_a_case_whose_contacts_have_other_ids_by_now_is_refused_once(world: World, nightly: Nightly) -> None:
    known, met = twice(world, 1, "Rosalind", "Thistlewood")
    searched(nightly)
    other = world.customer(phone(3), crm_id(9), source="salesforce")
    plan = world.merging.plan([known.contact_id, other.contact_id], differing=["salesforce"])
    world.merging.merge(plan, by="ada", because="the same")
    third = world.customer(phone(4), crm_id(10), source="salesforce")
    plan = world.merging.plan([met.contact_id, third.contact_id])
    world.merging.merge(plan, by="ada", because="the same")
    assert nightly.merge(at_most=10, seconds=60).merged == 0
    (case,) = open_cases(world.store)
    assert case.state is Step.MERGE_REFUSED


def test_no_more_is_merged_in_a_night_than_is_allowed(world: World, nightly: Nightly) -> None:
    twice(world, 1, "Rosalind", "Thistlewood")
    twice(world, 2, "Bartholomew", "Quince")
    searched(nightly)
    assert nightly.merge(at_most=0, seconds=60).merged == 0
    first = nightly.merge(at_most=1, seconds=60)
    assert (first.merged, len(open_cases(world.store))) == (1, 1)
    out_of_time = nightly.merge(at_most=10, seconds=0)
    assert (out_of_time.merged, out_of_time.left) == (0, True)


def test_a_house_with_a_quoted_name_shifts_no_column(world: World, nightly: Nightly) -> None:
    """Two women of one name in one town, whose houses are called `"Rose Cottage"` and `"Ivy House"`."""
    for number, house in ((1, '"Rose Cottage", Mill Lane'), (2, '"Ivy House", Station Road')):
        world.customer(
            phone(number), loyalty(number), firstName="Jane", lastName="Smith",
            address={"address1": house, "city": "Ludlow", "postalCode": "SY8 1AA"},
        )  # fmt: skip
    for number in range(3, 12):
        world.customer(phone(number), loyalty(number), firstName=f"First{number}", lastName=f"Last{number}")
    searched(nightly)
    assert [case for case in open_cases(world.store) if case.evidence[0]["proposal"] == "merge"] == []


def test_a_couple_who_share_all_but_their_given_names_is_not_merged(world: World, nightly: Nightly) -> None:
    home = {"address1": "1 Oak Street", "city": "Carmel", "postalCode": "46032"}
    for first in ("John", "Mary"):
        world.customer(phone(1), email("family"), firstName=first, lastName="Okonkwo", address=home)
    for number in range(3, 30):  # whose names are a slip apart, and nothing else of them is alike
        world.customer(phone(number), firstName=f"First{number}", lastName=f"Last{number}")
    searched(nightly)
    assert [case for case in open_cases(world.store) if case.evidence[0]["proposal"] == "merge"] == []


def test_families_are_not_merged_by_night_and_persons_who_are_there_twice_are(world: World, nightly: Nightly) -> None:
    base = families.generate(records=80, doubled=0.3, seed=5)
    person_of = {}
    for row in base.rows:
        fields: dict[str, object] = {
            "firstName": row["FirstName"], "lastName": row["LastName"],
            "address": {
                slot: row[f"Mailing{name}"]
                for slot, name in (("address1", "Street"), ("city", "City"), ("postalCode", "PostalCode"))
            },
        }  # fmt: skip
        slots = {"homePhone": row["Phone"], "cellPhone": row["MobilePhone"]}
        fields |= {slot: {"display": number} for slot, number in slots.items() if number}
        fields |= {"personalEmail": row["Email"]} if row["Email"] else {}
        person_of[world.customer(**fields).contact_id] = base.person_of[row["Id"]]  # type: ignore[arg-type]
    searched(nightly)
    sure = [case.contacts for case in open_cases(world.store) if case.evidence[-1]["proposal"] == "merge"]
    assert [case for case in sure if len({person_of[each] for each in case}) > 1] == []
    assert len(sure) >= 5  # a base in Genesys knows no dates of birth
