"""What would have changed an answer, worked out from its evidence."""

from hypothesis import given
from hypothesis import strategies as st

from cir.identity.counterfactual import counterfactuals
from cir.identity.rules import Assurance
from cir.identity.verdict import Evidence, Outcome, decide
from tests.cir.identity.test_verdict import any_evidence, evidence


def told(*given: Evidence) -> dict[str, tuple[Outcome, str]]:
    return {each.difference: (each.verdict.outcome, each.verdict.contact_id) for each in counterfactuals(given)}


def test_a_conflict_ends_by_a_merge_or_by_leaving_one_of_them_out() -> None:
    otherwise = told(evidence("email", "ann"), evidence("phone", "bob"))
    assert otherwise["were bob merged with ann"] == (Outcome.RESOLVED, "ann")
    assert otherwise["without the email"] == (Outcome.RESOLVED, "bob")
    assert otherwise["without the phone"] == (Outcome.RESOLVED, "ann")
    assert otherwise["had the phone been vouched for by the network"] == (Outcome.CONFLICT, "bob")


def test_a_shared_number_is_settled_by_the_answer_to_the_question() -> None:
    assert told(evidence("phone", "ann", "bob"))["had they given what 'email' asks for"] == (Outcome.RESOLVED, "ann")
    generic = told(evidence("phone", generic=20))
    assert generic["had they given what 'email' asks for"] == (Outcome.RESOLVED, "that contact")
    assert generic["without the phone"] == (Outcome.NOT_FOUND, "")
    assert told(evidence("email"))["had the email been linked to a contact"] == (Outcome.RESOLVED, "that contact")


@given(st.lists(any_evidence(), max_size=4))
def test_every_difference_makes_one_and_evidence_survives_the_trace(given: list[Evidence]) -> None:
    assert [Evidence.from_plain(each.to_plain()) for each in given] == given
    before = decide(given)
    for each in counterfactuals(given):
        after = each.verdict
        assert (after.outcome, after.contact_id, after.assurance) != (
            before.outcome, before.contact_id, before.assurance,
        )  # fmt: skip
    if before.outcome is Outcome.RESOLVED and before.assurance < Assurance.VERIFIED:
        alone = any(each.single and each.contact_ids == (before.contact_id,) and not each.faded for each in given)
        assert not alone or any(each.verdict.assurance is Assurance.VERIFIED for each in counterfactuals(given))
