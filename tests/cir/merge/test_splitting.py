"""Undoing a merge: both contacts again, on both sides, whenever the process dies and however long ago the merge was."""

import pytest

from cir.identity.identifiers import Identifier
from cir.identity.records import Contact
from cir.identity.rules import Assurance
from cir.index.review import Step, candidate, cases, open_cases
from cir.index.tombstones import shorten
from cir.merge.splitting import SplitRefusedError, Splitting
from tests.support.identity_world import World, crm_id, email, loyalty, phone


@pytest.fixture
def splitting(world: World) -> Splitting:
    return Splitting(world.client, world.store, world.sources)


HOME = phone(1)
"""What father and son share."""


def father_and_son(world: World, number: int = 0, home: Identifier = HOME) -> tuple[Contact, Contact]:
    father = world.customer(
        home, phone(100 + number), crm_id(number), source="salesforce", firstName="John", lastName="Lee", title="Dr"
    )
    son = world.customer(home, phone(400 + number), loyalty(number), firstName="Johnny", lastName="Lee")
    return father, son


def merged(world: World, *contacts: Contact) -> str:
    plan = world.merging.plan([each.contact_id for each in contacts])
    return world.merging.merge(plan, by="ada", because="same name and number")


@pytest.mark.parametrize("shortened", [False, True], ids=["at once", "after the paths were shortened"])
@pytest.mark.slow
def test_both_are_what_they_were(world: World, splitting: Splitting, shortened: bool) -> None:
    father, son = father_and_son(world)
    one = merged(world, father, son)
    if shortened:
        assert shorten(world.store, [father.contact_id, son.contact_id]) == 5
    new = splitting.split(splitting.plan(son.contact_id), by="ada", because="father and son")
    assert set(world.head(new).identifiers) == set(son.identifiers)
    assert set(world.head(one).identifiers) == set(father.identifiers)
    assert (world.head(new).profile, world.head(one).profile) == (son.profile, father.profile)
    assert (world.head(son.contact_id).contact_id, world.head(father.contact_id).contact_id) == (new, one)
    for contact_id, was in ((new, son), (one, father)):
        shown = world.client.contacts.get(contact_id)
        assert world.shown(shown) == set(was.identifiers)
        own = [each for each in was.identifiers if each != HOME]
        assert [(world.leads_to(each), world.holder(each)) for each in own] == [({contact_id}, contact_id)] * len(own)
    assert world.leads_to(HOME) == {one, new}
    assert world.client.contacts.get(new)["firstName"] == "Johnny"
    assert "title" not in world.client.contacts.get(new)
    assert world.client.contacts.get(one)["title"] == "Dr"


def test_what_the_merge_took_from_the_part_is_put_back(world: World, splitting: Splitting) -> None:
    father, son = father_and_son(world)
    one = merged(world, father, son)
    new = splitting.split(splitting.plan(father.contact_id), by="ada", because="father and son")
    rest = world.client.contacts.get(one)
    assert (rest["firstName"], "title" in rest) == ("Johnny", False)
    assert world.client.contacts.get(new)["title"] == "Dr"
    assert (world.head(one).profile, world.head(new).profile) == (son.profile, father.profile)


def test_what_came_after_the_merge_stays(world: World, splitting: Splitting) -> None:
    father, son = father_and_son(world)
    one = merged(world, father, son)
    read = world.head(one)
    later = read.changed(identifiers=(*(each for each in read.identifiers if each != phone(400)), email("later")))
    world.store.put_contact(
        later,
        previous=read,
        decision=world.store.decision(one, "sync", "changed"),
        source="salesforce",
        assurance=Assurance.CLAIMED,
    )
    assert world.leads_to(phone(400)) == set()  # although it was claimed for the contact that was merged away
    plan = splitting.plan(son.contact_id)
    assert plan.cannot_be_restored[-1] == "1 identifier taken away since the merge will not come back."
    new = splitting.split(plan, by="ada", because="father and son")
    assert (world.leads_to(email("later")), world.leads_to(phone(400))) == ({one}, set())
    assert world.leads_to(loyalty(0)) == {new}


@pytest.mark.slow
def test_one_of_a_chain_of_merges_is_taken_out(world: World, splitting: Splitting) -> None:
    father, son = father_and_son(world)
    aunt = world.customer(email("aunt"), HOME, firstName="May")
    first = merged(world, father, son)
    last = merged(world, world.head(first), aunt)
    new = splitting.split(splitting.plan(son.contact_id), by="ada", because="father and son")
    heads = {
        name: world.head(each.contact_id).contact_id for name, each in zip("fsa", (father, son, aunt), strict=True)
    }
    assert heads == {"f": last, "s": new, "a": last}
    assert world.head(first).contact_id == last
    assert set(world.head(last).identifiers) == {*father.identifiers, *aunt.identifiers}
    assert world.leads_to(HOME) == {last, new}


def test_two_that_share_everything_come_apart_again(world: World, splitting: Splitting) -> None:
    one, other = world.customer(HOME, firstName="Ann"), world.customer(HOME, firstName="Bob")
    head = merged(world, one, other)
    plan = splitting.plan(other.contact_id)
    with world.fate.dies_after(7):
        splitting.split(plan, by="ada", because="a couple")
    (new,) = splitting.resume().values()
    assert world.leads_to(HOME) == {head, new}
    assert {found["firstName"] for found in world.client.contacts.find_all(HOME.value)} == {"Ann", "Bob"}
    assert len(world.client.contacts.find_all(HOME.value)) == 2


@pytest.mark.slow
def test_a_process_that_dies_anywhere_is_followed_by_one_that_finishes(world: World, splitting: Splitting) -> None:
    for step in range(1, 100):
        father, son = father_and_son(world, step, home=phone(800 + step))
        one = merged(world, father, son)
        plan = splitting.plan(son.contact_id)
        with world.fate.dies_after(step):
            splitting.split(plan, by="ada", because="father and son")
        finished = world.fate.calls < step
        splitting.resume()
        assert splitting.resume() == {}
        new = world.head(son.contact_id).contact_id
        assert world.head(father.contact_id).contact_id == one
        if new == one:  # it died before it had begun
            continue
        assert set(world.head(new).identifiers) == set(son.identifiers)
        assert world.holder(loyalty(step)) == new
        assert len(world.client.contacts.find_all(phone(400 + step).value)) == 1  # not made twice
        for each in set(father.identifiers) ^ set(son.identifiers):
            assert world.leads_to(each) == {new if each in son.identifiers else one}
        if finished:
            break
    assert step > 8


def test_it_is_told_why_a_merge_cannot_be_undone(world: World, splitting: Splitting) -> None:
    father, son = father_and_son(world)
    one = merged(world, father, son)
    plan = splitting.plan(one)
    assert [each.code for each in plan.refusals] == ["canonical"]
    with pytest.raises(SplitRefusedError, match=f"was not merged into another; merged into it were .*{son.contact_id}"):
        splitting.split(plan, by="ada", because="?")
    assert [each.code for each in splitting.plan("unknown").refusals] == ["unknown"]
    world.client.contacts.delete(one)
    assert [each.code for each in splitting.plan(son.contact_id).refusals] == ["deleted"]


def test_they_are_not_proposed_again(world: World, splitting: Splitting) -> None:
    father, son = father_and_son(world)
    one = merged(world, father, son)
    new = splitting.split(splitting.plan(son.contact_id), by="ada", because="father and son")
    for pair in ((father.contact_id, son.contact_id), (one, new)):
        world.store.record(candidate(world.store, pair, "alike", proposal="merge", probability=0.999))
    assert open_cases(world.store) == []
    assert {case.state for case in cases(world.store).values()} == {Step.MERGED, Step.SPLIT}
    assert [each["kind"] for each in world.store.history(new)] == ["split"]
    assert [each["kind"] for each in world.store.history(one)] == ["merge", "split"]


# Again and again


def test_what_was_brought_back_is_not_split_from_itself(world: World, splitting: Splitting) -> None:
    father, son = father_and_son(world)
    one = merged(world, father, son)
    new = splitting.split(splitting.plan(son.contact_id), by="ada", because="father and son")
    for part, whole in ((son.contact_id, new), (father.contact_id, one)):
        plan = splitting.plan(part)
        assert [(each.code, each.text) for each in plan.refusals] == [
            ("alone", f"contact {part} is all that {whole} was made of")
        ]


@pytest.mark.slow
def test_what_was_brought_back_and_merged_again_is_split_under_its_newest_id(
    world: World, splitting: Splitting
) -> None:
    father, son = father_and_son(world)
    grandson = world.customer(HOME, phone(700), firstName="Jon", lastName="Lee")
    three = merged(world, world.head(merged(world, son, grandson)), father)
    back = splitting.split(splitting.plan(son.contact_id), by="ada", because="father and son")
    again = merged(world, world.head(three), world.head(back))
    plan = splitting.plan(son.contact_id)
    assert (plan.part, plan.contact) == (back, again)
    new = splitting.split(plan, by="ada", because="father and son")
    assert {world.head(each).contact_id for each in (son.contact_id, back)} == {new}
    assert {world.head(each).contact_id for each in (father.contact_id, grandson.contact_id, three)} == {again}
    assert set(world.head(new).identifiers) == set(son.identifiers)
