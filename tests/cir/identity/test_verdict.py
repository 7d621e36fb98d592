"""The verdict on what each identifier led to."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cir.identity.identifiers import Identifier
from cir.identity.parsing import parse
from cir.identity.records import Contact
from cir.identity.rules import Assurance, IdentifierType, load_rules
from cir.identity.verdict import Evidence, Outcome, best_question, decide


def evidence(
    label: str,
    *contact_ids: str,
    generic: int = 0,
    assurance: Assurance = Assurance.CLAIMED,
    unproven: tuple[str, ...] = (),
    faded: bool = False,
    shared: bool = False,
) -> Evidence:
    rule = load_rules().identifiers[IdentifierType(label)]
    return Evidence(
        label=label,
        contact_ids=contact_ids,
        count=generic or len(contact_ids),
        generic=generic > 0,
        ask_for="email" if generic or len(contact_ids) > 1 else "",
        exclusive=rule.exclusive,
        assurance=assurance,
        priority=rule.priority,
        unproven=unproven,
        faded=faded,
        shared=shared,
    )


def contact_id(named: str) -> Evidence:
    """What Genesys Cloud has linked a conversation to; nobody vouches for it."""
    return Evidence(
        label="contactId",
        contact_ids=(named,),
        count=1,
        generic=False,
        ask_for="",
        exclusive=True,
        assurance=Assurance.CLAIMED,
        priority=0,
    )


FORGED, CLAIMED, ATTESTED, VERIFIED = Assurance


@st.composite
def any_evidence(draw: st.DrawFn) -> Evidence:
    generic = draw(st.sampled_from([0, 0, 0, 20]))
    owners = [] if generic else draw(st.lists(st.sampled_from("abc"), max_size=3, unique=True))
    kind, assurance = draw(st.sampled_from(IdentifierType)), draw(st.sampled_from(Assurance))
    unproven = tuple(each for each in owners if draw(st.booleans()))
    faded = kind is IdentifierType.PHONE and draw(st.booleans())
    shared = draw(st.booleans())
    return evidence(kind, *owners, generic=generic, assurance=assurance, unproven=unproven, faded=faded, shared=shared)


@pytest.mark.parametrize(
    ("presented", "outcome", "contact_id", "matched_by"),
    [
        pytest.param([], Outcome.NOT_FOUND, "", (), id="nothing"),
        pytest.param([evidence("phone")], Outcome.NOT_FOUND, "", (), id="unknown"),
        pytest.param([evidence("phone", "a")], Outcome.RESOLVED, "a", ("phone",), id="own phone"),
        pytest.param(
            [evidence("phone", "a"), evidence("email", "a")], Outcome.RESOLVED, "a", ("email", "phone"), id="both agree"
        ),
        pytest.param([evidence("phone", "a", "b")], Outcome.AMBIGUOUS, "", ("phone",), id="household"),
        pytest.param([evidence("phone", generic=40)], Outcome.AMBIGUOUS, "", ("phone",), id="switchboard"),
        pytest.param(
            [evidence("phone", "a", "b"), evidence("email", "b", "c")],
            Outcome.RESOLVED,
            "b",
            ("email", "phone"),
            id="two shared values meet",
        ),
        pytest.param(
            [evidence("phone", generic=40), evidence("email", "a")],
            Outcome.RESOLVED,
            "a",
            ("email",),
            id="own address on a switchboard",
        ),
        pytest.param(
            [evidence("phone", "a"), evidence("external", "b")],
            Outcome.CONFLICT,
            "b",
            ("external",),
            id="typed customer number against caller id",
        ),
        pytest.param(
            [evidence("phone", "a"), evidence("email", "b")],
            Outcome.CONFLICT,
            "b",
            ("email",),
            id="address against caller id",
        ),
        pytest.param(
            [evidence("phone", "a", "b"), evidence("email", "c")],
            Outcome.RESOLVED,
            "c",
            ("email",),
            id="calls from a friend's household",
        ),
    ],
)
def test_verdicts(presented: list[Evidence], outcome: Outcome, contact_id: str, matched_by: tuple[str, ...]) -> None:
    verdict = decide(presented)
    assert (verdict.outcome, verdict.contact_id, verdict.matched_by) == (outcome, contact_id, matched_by)


def test_an_attested_number_beats_a_typed_address() -> None:
    verdict = decide([evidence("email", "a"), evidence("phone", "b", assurance=Assurance.ATTESTED)])
    assert (verdict.contact_id, verdict.conflicting, verdict.assurance) == ("b", ("a",), Assurance.ATTESTED)


@given(st.lists(any_evidence(), max_size=4))
def test_the_order_of_the_evidence_does_not_matter(presented: list[Evidence]) -> None:
    assert len({decide(order) for order in permutations(presented)}) == 1


@given(st.lists(any_evidence(), max_size=5))
def test_nobody_is_named_whom_no_evidence_leads_to(presented: list[Evidence]) -> None:
    verdict = decide(presented)
    if verdict.contact_id:
        assert any(verdict.contact_id in each.contact_ids and not each.generic for each in presented)
    if verdict.outcome is Outcome.NOT_FOUND:
        assert not any(each.count for each in presented)


@given(st.lists(any_evidence(), max_size=4), any_evidence())
def test_evidence_of_another_person_never_raises_assurance(presented: list[Evidence], other: Evidence) -> None:
    before, after = decide(presented), decide([*presented, other])
    if before.contact_id and before.contact_id == after.contact_id and before.contact_id not in other.contact_ids:
        assert after.assurance <= before.assurance


@given(st.lists(any_evidence(), max_size=4))
@pytest.mark.slow
def test_assurance_is_what_the_evidence_of_its_level_alone_leads_to(presented: list[Evidence]) -> None:
    verdict = decide(presented)
    if verdict.assurance > Assurance.NONE:
        matched = (each for each in presented if not each.shared or verdict.assurance is CLAIMED)
        alone = [set(each.contact_ids) for each in matched if each.level(verdict.contact_id) >= verdict.assurance]
        assert set.intersection(*alone) == {verdict.contact_id}


@pytest.mark.parametrize(
    ("presented", "outcome", "contact_id", "count", "assurance"),
    [
        pytest.param(
            [evidence("phone", "a", shared=True, assurance=ATTESTED)],
            Outcome.AMBIGUOUS, "", 1, FORGED, id="the only known person behind a switchboard",
        ),
        pytest.param(
            [evidence("email", "a", "b", shared=True)], Outcome.AMBIGUOUS, "", 2, FORGED, id="two behind a mailbox"
        ),
        pytest.param(
            [evidence("phone", "a", shared=True), evidence("email", "a", shared=True)],
            Outcome.AMBIGUOUS, "", 1, FORGED, id="two shared values are no proof of one person",
        ),
        pytest.param(
            [evidence("phone", "a", shared=True, assurance=ATTESTED), evidence("email", "a")],
            Outcome.RESOLVED, "a", 1, CLAIMED, id="it agrees, and vouches for nothing",
        ),
        pytest.param(
            [evidence("phone", "a", shared=True), evidence("email", "b")],
            Outcome.RESOLVED, "b", 1, CLAIMED, id="it contradicts nothing",
        ),
        pytest.param(
            [evidence("phone", "a", shared=True), evidence("email", "a", "b")],
            Outcome.RESOLVED, "a", 1, CLAIMED, id="it tells candidates apart",
        ),
    ],
)  # fmt: skip
def test_what_others_share_never_decides(
    presented: list[Evidence], outcome: Outcome, contact_id: str, count: int, assurance: Assurance
) -> None:
    verdict = decide(presented)
    found = (verdict.outcome, verdict.contact_id, verdict.candidate_count, verdict.assurance)
    assert found == (outcome, contact_id, count, assurance)


@pytest.mark.parametrize(
    ("presented", "contact_id", "assurance"),
    [
        pytest.param(
            [evidence("phone", "victim", "colleague", assurance=ATTESTED), evidence("email", "victim")],
            "victim",
            CLAIMED,
            id="the office line is vouched for, the typed address is not",
        ),
        pytest.param(
            [evidence("phone", "victim", "colleague", assurance=ATTESTED), evidence("external", "victim")],
            "victim",
            CLAIMED,
            id="nor is a typed customer number",
        ),
        pytest.param(
            [evidence("phone", "a", assurance=ATTESTED), evidence("email", "a")], "a", ATTESTED, id="their own line is"
        ),
        pytest.param(
            [evidence("phone", "a", "b", assurance=ATTESTED), evidence("whatsapp", "b", "c", assurance=ATTESTED)],
            "b",
            ATTESTED,
            id="two shared values that the network vouches for meet in one person",
        ),
        pytest.param(
            [evidence("phone", "a", assurance=ATTESTED, unproven=("a",))],
            "a",
            CLAIMED,
            id="the caller has the number; that it is the customer's a caller has said",
        ),
        pytest.param(
            [evidence("phone", "a", assurance=VERIFIED), evidence("email", "a")], "a", VERIFIED, id="a second factor"
        ),
        pytest.param(
            [evidence("phone", "a", assurance=ATTESTED, faded=True)], "a", CLAIMED, id="who has an old number now"
        ),
        pytest.param([evidence("phone", "a", assurance=FORGED)], "a", FORGED, id="a forged number proves nothing"),
        pytest.param(
            [evidence("phone", "a", assurance=FORGED), evidence("email", "a", "b")],
            "",
            FORGED,
            id="a forged number does not tell the owners of an address apart",
        ),
        pytest.param(
            [evidence("phone", "a", assurance=FORGED), evidence("email", "b")], "b", CLAIMED, id="nor contradicts it"
        ),
        pytest.param(
            [evidence("phone", "a", assurance=ATTESTED), evidence("whatsapp", "b", assurance=ATTESTED)],
            "b",
            CLAIMED,
            id="what the network vouches for leads to two",
        ),
    ],
)
def test_how_far_an_answer_may_be_trusted(presented: list[Evidence], contact_id: str, assurance: Assurance) -> None:
    verdict = decide(presented)
    assert (verdict.contact_id, verdict.assurance) == (contact_id, assurance)


@pytest.mark.parametrize(
    ("presented", "answers"),
    [
        pytest.param(
            [contact_id("a"), evidence("phone", "b", assurance=ATTESTED), evidence("external", "b")],
            "b",
            id="a linked contact against the attested phone and customer number of somebody else",
        ),
        pytest.param(
            [
                evidence("whatsapp", "a", assurance=ATTESTED),
                evidence("email", "b"),
                evidence("phone", "b", assurance=ATTESTED),
            ],
            "b",
            id="one WhatsApp account against an address and an attested phone",
        ),
        pytest.param(
            [evidence("whatsapp", "a", assurance=ATTESTED), evidence("email", "b"), evidence("phone", "b")],
            "a",
            id="what callers choose to say never outweighs what is vouched for",
        ),
        pytest.param(
            [contact_id("a"), evidence("email", "b"), evidence("phone", "b"), evidence("external", "b")],
            "a",
            id="all that is typed is one voice",
        ),
        pytest.param(
            [contact_id("a"), evidence("phone", "b", assurance=ATTESTED), evidence("whatsapp", "b")],
            "a",
            id="two of one kind are one piece",
        ),
        pytest.param(
            [contact_id("a"), evidence("phone", "b", assurance=ATTESTED), evidence("email", "b", "c")],
            "a",
            id="what a household shares is no piece of its own",
        ),
        pytest.param(
            [
                contact_id("a"),
                evidence("phone", "b", assurance=ATTESTED, unproven=("b",)),
                evidence("email", "b"),
            ],
            "a",
            id="a number that a caller has linked is the caller's word",
        ),
    ],
)
def test_two_independent_pieces_outweigh_one(presented: list[Evidence], answers: str) -> None:
    for order in permutations(presented):
        verdict = decide(order)
        assert (verdict.outcome, verdict.contact_id) == (Outcome.CONFLICT, answers)
        assert verdict.conflicting == ({"a": "b", "b": "a"}[answers],) or "c" in {
            c for e in order for c in e.contact_ids
        }


def identifier(kind: IdentifierType, text: str, source: str = "") -> Identifier:
    parsed = parse(kind, text, source=source)
    assert isinstance(parsed, Identifier)
    return parsed


OFFICE = identifier(IdentifierType.PHONE, "+12125550188")


def person(number: int, *identifiers: Identifier) -> Contact:
    return Contact(f"c{number}", identifiers=(OFFICE, *identifiers))


def test_the_best_question_separates_the_most_candidates() -> None:
    def known(number: int, *more: Identifier) -> Contact:
        return person(number, identifier(IdentifierType.EMAIL, f"p{number}@x.com"), *more)

    loyal = [known(number, identifier(IdentifierType.EXTERNAL, f"GLD-{number}", "loyalty")) for number in range(3)]
    assert best_question(OFFICE, loyal) == "loyalty"
    assert best_question(OFFICE, [*loyal, known(9)]) == "email"


def test_nobody_is_asked_for_what_they_cannot_know_or_what_they_share() -> None:
    crm_only = [person(n, identifier(IdentifierType.EXTERNAL, f"00350000000000{n}", "salesforce")) for n in range(3)]
    assert best_question(OFFICE, crm_only) == ""
    family = identifier(IdentifierType.EMAIL, "family@x.com")
    assert best_question(OFFICE, [person(1, family), person(2, family)]) == ""
    assert best_question(OFFICE, [person(1, identifier(IdentifierType.PHONE, "+19175550142")), person(2)]) == "ani"
