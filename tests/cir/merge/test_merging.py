"""Merging: the plan, what it refuses, both sides afterwards, and a process that dies at any step."""

import pytest

from cir.genesys.errors import UnavailableError
from cir.identity.records import Contact
from cir.index.review import Step, candidate, cases, dismiss, open_cases
from cir.merge.merging import MergeRefusedError
from tests.support.identity_world import World, crm_id, email, loyalty, phone


def two_of_one_person(world: World) -> tuple[Contact, Contact]:
    one = world.customer(phone(1), email("ann"), crm_id(1), source="salesforce", firstName="Ann", lastName="Lee")
    other = world.customer(phone(2), phone(1), loyalty(7), firstName="Annie", title="Dr")
    return one, other


def test_the_plan_says_which_value_survives_and_why(world: World) -> None:
    one, other = two_of_one_person(world)
    plan = world.merging.plan([one.contact_id, other.contact_id])
    chosen = {each.field: (each.value, each.rule) for each in plan.combined.survivors}
    assert plan.refusals == ()
    assert chosen["firstName"] == ("Ann", "from the CRM")
    assert chosen["lastName"] == ("Lee", "only value")
    assert chosen["title"] == ("Dr", "only value")
    assert chosen["workPhone"] == ({"display": "+19175550001"}, "keeps its field")
    assert chosen["cellPhone"] == ({"display": "+19175550002"}, "moved here from workPhone")
    assert [(each.field, each.value) for each in plan.combined.losses] == [("firstName", "Annie")]
    assert plan.overflow == ()
    assert cases(world.store) == {}  # nothing was done


def test_a_plan_is_the_same_whatever_order_the_contacts_are_named_in(world: World) -> None:
    one, other = two_of_one_person(world)
    third = world.customer(phone(3), phone(4), phone(5), firstName="Anna")
    ids = [each.contact_id for each in (one, other, third)]
    plan, turned = world.merging.plan(ids), world.merging.plan(ids[::-1])
    assert plan.combined == turned.combined
    assert (
        plan.overflow == turned.overflow == (min(phone(3), phone(4), phone(5), key=lambda _: 0).key,) or plan.overflow
    )


def test_after_a_merge_every_id_and_identifier_leads_to_the_new_contact(world: World) -> None:
    one, other = two_of_one_person(world)
    merged = world.merging.merge(world.merging.plan([one.contact_id, other.contact_id]), by="ada", because="reviewed")
    assert merged not in {one.contact_id, other.contact_id}
    for each in (*one.identifiers, *other.identifiers):
        assert world.leads_to(each) == {merged}
        assert world.holder(each) == merged
    for old in (one.contact_id, other.contact_id):
        assert world.head(old).contact_id == world.client.contacts.get(old)["id"] == merged
    assert world.head(merged).profile.display_name == "Ann Lee"
    (entry,) = [each for each in world.store.history(merged) if each["kind"] == "merge"]
    assert (entry["because"], entry["details"]["by"]) == ("reviewed", "ada")
    assert entry["details"]["survivors"]["firstName"] == "from the CRM"


@pytest.mark.slow
def test_a_merge_writes_as_many_items_for_90_identifiers_as_for_three(world: World) -> None:
    def writes(first: int, count: int) -> list[int]:
        one = world.customer(*(phone(first + number) for number in range(count)))
        other = world.customer(loyalty(first))
        world.writes.clear()
        world.merging.merge(world.merging.plan([one.contact_id, other.contact_id]), by="ada", because="reviewed")
        return list(world.writes)

    assert writes(100, 2) == writes(200, 89) == [5]


def test_numbers_that_no_field_has_room_for_stay_in_the_index(world: World) -> None:
    one = world.customer(phone(1), phone(2), phone(3), source="salesforce")
    other = world.customer(phone(4), phone(5), phone(6))
    plan = world.merging.plan([one.contact_id, other.contact_id])
    merged = world.merging.merge(plan, by="ada", because="reviewed")
    assert len(plan.overflow) == len(plan.combined.losses) == 2
    assert all(world.leads_to(phone(number)) == {merged} for number in range(1, 7))
    assert world.shown(world.client.contacts.get(merged)) < set(world.head(merged).identifiers)


def test_what_must_not_be_merged(world: World) -> None:
    europe = world.division(1)
    one = world.customer(loyalty(1), phone(1))
    different = world.customer(loyalty(2), phone(2))
    abroad = world.customer(phone(3), division=europe)
    stranger = world.in_genesys({}, phone(4))

    def refused(*ids: str) -> set[str]:
        plan = world.merging.plan(ids)
        with pytest.raises(MergeRefusedError):
            world.merging.merge(plan, by="ada", because="reviewed")
        return {each.code for each in plan.refusals}

    assert refused(one.contact_id, one.contact_id) == {"same-contact"}
    assert refused(one.contact_id, different.contact_id) == {"different-ids:loyalty"}
    assert refused(one.contact_id, abroad.contact_id) == {"divisions"}
    assert refused(one.contact_id, stranger) == {"unknown"}
    other = world.customer(phone(5))
    world.cloud.merge_by_itself(True)
    assert refused(one.contact_id, other.contact_id) == {"automatic-merging"}
    world.cloud.merge_by_itself(False)
    world.merging.merge(world.merging.plan([one.contact_id, other.contact_id]), by="ada", because="reviewed")
    assert refused(one.contact_id, different.contact_id) >= {"merged"}


@pytest.mark.slow
def test_a_merge_tree_is_not_grown_to_where_it_could_never_be_merged_again(world: World) -> None:
    def people(count: int) -> list[str]:
        return [world.customer().contact_id for _ in range(count)]

    one, other = (
        world.merging.merge(world.merging.plan(people(count)), by="ada", because="reviewed") for count in (25, 24)
    )
    assert {each.code for each in world.merging.plan([one, other]).refusals} == {"merge-set"}


def test_two_ids_of_one_system_need_the_consent_of_whoever_has_looked(world: World) -> None:
    one, other = world.customer(loyalty(1)), world.customer(loyalty(2))
    plan = world.merging.plan([one.contact_id, other.contact_id], differing=["loyalty"])
    merged = world.merging.merge(plan, by="ada", because="he has two cards")
    assert world.leads_to(loyalty(1)) == world.leads_to(loyalty(2)) == {merged}


@pytest.mark.slow
def test_a_process_that_dies_anywhere_is_followed_by_one_that_finishes(world: World) -> None:
    for step in range(1, 100):
        one = world.customer(phone(10 * step), loyalty(step))
        other = world.customer(phone(10 * step + 1), email(f"x{step}"))
        identifiers = (*one.identifiers, *other.identifiers)
        plan = world.merging.plan([one.contact_id, other.contact_id])
        with world.fate.dies_after(step):
            world.merging.merge(plan, by="ada", because="reviewed")
        finished = world.fate.calls < step
        for each in identifiers:
            assert len(world.leads_to(each)) == 1  # never lost, not even in between
        world.merging.resume()
        world.merging.resume()
        started = any(case.key == "+".join(sorted(plan.contacts)) for case in cases(world.store).values())
        heads = {world.head(each).contact_id for each in plan.contacts}
        assert heads == {world.client.contacts.get(each)["id"] for each in plan.contacts}
        assert len(heads) == (1 if started else 2)
        for each in identifiers:
            assert world.leads_to(each) == {world.holder(each)} <= heads
        if finished:
            break
    assert step > 3  # it died at each call there is
    assert {case.state for case in cases(world.store).values()} == {Step.MERGED}


def test_a_lost_answer_is_looked_into_instead_of_merging_twice(world: World) -> None:
    one, other = two_of_one_person(world)
    plan = world.merging.plan([one.contact_id, other.contact_id])
    world.fault(status=503, operation="contacts/merge", after=True)
    merged = world.merging.merge(plan, by="ada", because="reviewed")
    assert world.client.contacts.get(one.contact_id)["id"] == merged == world.head(one.contact_id).contact_id


def test_a_merge_that_genesys_could_not_be_asked_for_is_done_by_the_next_run(world: World) -> None:
    one, other = two_of_one_person(world)
    plan = world.merging.plan([one.contact_id, other.contact_id])
    world.fault(status=503, operation="contacts/merge")
    with pytest.raises(UnavailableError):
        world.merging.merge(plan, by="ada", because="reviewed")
    (merged,) = world.merging.resume().values()
    assert world.head(one.contact_id).contact_id == world.head(other.contact_id).contact_id == merged
    assert world.merging.resume() == {}


def test_only_what_detection_is_sure_of_is_merged_without_a_person(world: World) -> None:
    sure = [world.customer(phone(number)).contact_id for number in (1, 2)]
    unsure = [world.customer(phone(number)).contact_id for number in (3, 4)]
    contradicted = [world.customer(loyalty(number)).contact_id for number in (5, 6)]
    known_better = [world.customer(phone(number)).contact_id for number in (7, 8)]
    for pair, proposal in ((sure, "merge"), (unsure, "review"), (contradicted, "merge"), (known_better, "merge")):
        world.store.record(candidate(world.store, pair, "alike", proposal=proposal, probability=0.99))
    dismiss(world.store, known_better, by="ada", because="father and son")
    merged = world.merging.merge_automatically(open_cases(world.store))
    assert list(merged) == ["+".join(sorted(sure))]
    waiting = {case.contacts: case for case in open_cases(world.store)}
    assert waiting.keys() == {tuple(sorted(unsure)), tuple(sorted(contradicted))}
    left = waiting[tuple(sorted(contradicted))]
    assert left.state is Step.MERGE_REFUSED
    assert "under different ids" in left.latest["because"]
    assert world.merging.merge_automatically([left]) == {}


def test_what_genesys_merges_by_itself_is_no_reason_against_a_case(world: World) -> None:
    sure = [world.customer(phone(number)).contact_id for number in (1, 2)]
    world.store.record(candidate(world.store, sure, "alike", proposal="merge", probability=0.99))
    world.cloud.merge_by_itself(True)
    assert world.merging.merge_automatically(open_cases(world.store)) == {}
    world.cloud.merge_by_itself(False)
    assert len(world.merging.merge_automatically(open_cases(world.store))) == 1
