"""The policy file: what is told at which level, and whose identity is still to be proven."""

import json

import pytest

from cir.identity.records import Profile
from cir.identity.rules import Assurance
from cir.resolve.policy import PolicyError, load_policy, read_policy

NONE, CLAIMED, ATTESTED, VERIFIED = Assurance
GOLD = Profile("Ann Gold", "Ann", "Gold", "Active", "en-GB", "q-gold")
PLATINUM = Profile("Pat Platinum", "Pat", "Platinum", "Active", "en-GB", "q-platinum")


def policy(**entries: object) -> str:
    return json.dumps({"version": "test", **entries})


def test_the_shipped_policy_tells_name_and_tier_to_a_claim_and_nothing_sensitive() -> None:
    shipped = load_policy()
    assert shipped.withholds(NONE) == {"displayName", "firstName", "accountStatus"}
    assert shipped.withholds(CLAIMED) == {"accountStatus"}
    assert shipped.withholds(ATTESTED) == set()
    assert [shipped.wants_verification(GOLD, level) for level in Assurance] == [True, True, False, False]


def test_some_profiles_ask_for_more_than_others() -> None:
    own = read_policy(
        policy(
            verification={
                "below": "claimed",
                "profiles": [
                    {"customerTier": ["platinum", "Enterprise"], "below": "attested"},
                    {"customerTier": ["Platinum"], "accountStatus": ["Overdue"], "below": "verified"},
                ],
            }
        ),
        name="own.json",
    )
    assert not own.wants_verification(GOLD, CLAIMED)
    assert own.wants_verification(PLATINUM, CLAIMED)
    assert not own.wants_verification(PLATINUM, ATTESTED)
    assert own.wants_verification(Profile(customer_tier="Platinum", account_status="overdue"), ATTESTED)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "own.json is not JSON"),
        ("[]", "own.json must be an object"),
        (policy(field={}), "'field' that means nothing; did you mean 'fields'"),
        (policy(fields={"customertier": "none"}), "'customertier' that means nothing; did you mean 'customerTier'"),
        (policy(fields={"firstName": "atested"}), "fields.firstName is 'atested'.*did you mean 'attested'"),
        (policy(verification={"below": 2}), "verification.below is 2, not one of none, claimed"),
        (policy(verification={"profiles": {}}), "must be a list"),
        (policy(verification={"profiles": [{"below": "verified"}]}), "entry 1 needs `below` and at least one field"),
        (policy(verification={"profiles": [{"customerTier": "Gold", "below": "verified"}]}), "must be a list of texts"),
    ],
)
def test_what_means_nothing_is_refused_by_its_name(text: str, complaint: str) -> None:
    with pytest.raises(PolicyError, match=complaint):
        read_policy(text, name="own.json")


def test_a_policy_that_does_not_exist_is_told_with_those_that_do() -> None:
    with pytest.raises(PolicyError, match=r"There is no policy 'strict'; there are: .*default"):
        load_policy("strict")
