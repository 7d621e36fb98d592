"""A rules file in which something means nothing is refused, with what was probably meant."""

import json
from pathlib import Path
from typing import Any

import pytest

from cir.identity import rules
from cir.identity.rules import RulesError, load_rules, read_rules
from cir.identity.spelling import nearest

SHIPPED: dict[str, Any] = json.loads(Path(rules.__file__).with_name("rules.json").read_text(encoding="utf-8"))
PHONE = SHIPPED["identifiers"]["phone"]
LOYALTY = SHIPPED["external_sources"]["loyalty"]


def test_the_shipped_rules_are_read() -> None:
    assert read_rules(json.dumps(SHIPPED)) == load_rules()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"withheldCallers": []}, "the rules: an entry 'withheldCallers' that means nothing; did you mean 'withheld_c"),
        (
            {"phone_life": {"half_life": 1, "faded_at": 0.5}},
            "phone_life: .*'half_life' .* mean 'half_life_days'",
        ),
        ({"phone_life": {"faded_at": 0.5}}, "phone_life: 'half_life_days' is missing"),
        ({"phone_life": []}, "phone_life must be an object"),
        ({"identifiers": SHIPPED["identifiers"] | {"fone": PHONE}}, "identifiers: an entry 'fone' .* mean 'phone'"),
        (
            {"identifiers": SHIPPED["identifiers"] | {"phone": PHONE | {"sharing": "Exclusive"}}},
            r"identifiers\.phone\.sharing is 'Exclusive', not exclusive or shareable; did you mean 'exclusive'",
        ),
        ({"external_sources": {"loyalty": LOYALTY | {"known_to_customers": True}}}, "did you mean 'known_to_customer'"),
        ({"mail_providers": [{"domain": ["gmail.com"]}]}, "mail_providers, entry 1: .* did you mean 'domains'"),
    ],
)
def test_an_entry_that_means_nothing_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(RulesError, match=complaint):
        read_rules(json.dumps(SHIPPED | changes))


def test_the_nearest_name_does_not_mind_case_and_separators() -> None:
    names = ("optOut", "onDelete", "object")
    assert [nearest(text, names) for text in ("opt_out", "OPT-OUT", "on delete", "objekt", "zebra", "")] == [
        "optOut", "optOut", "onDelete", "object", "", "",
    ]  # fmt: skip
