"""An identifier as Genesys writes it."""

from typing import Any

import pytest

from cir.genesys.identifiers import from_genesys
from cir.identity.identifiers import Identifier, Reason, Refusal
from cir.identity.rules import IdentifierType, load_rules

SOURCE_NAMES = {"7a1f": "salesforce"}


def test_whatsapp_numbers_come_without_the_plus_and_are_international_all_the_same() -> None:
    """An office in Oslo; as somebody in the United States dials it, it would be a mobile in North Carolina."""
    found = from_genesys({"type": "SocialWhatsapp", "value": "4722123456"}, {})
    assert isinstance(found, Identifier)
    assert found.value == "+4722123456"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": None},
        {"type": ["Phone"], "value": "+19175550142"},
        {"type": "SocialWhatsappBsuid", "value": "US.1234"},
    ],
)
def test_types_that_are_not_ours_are_passed_over(body: dict[str, Any]) -> None:
    assert from_genesys(body, {}) is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"type": "Phone"}, Reason.EMPTY),
        ({"type": "SocialWhatsapp", "value": None}, Reason.EMPTY),
        ({"type": "ExternalId", "value": "C-1"}, Reason.NO_SOURCE),
        ({"type": "ExternalId", "value": "C-1", "externalSource": "7a1f"}, Reason.NO_SOURCE),
        ({"type": "ExternalId", "value": "C-1", "externalSource": {"id": ["7a1f"]}}, Reason.NO_SOURCE),
    ],
)
def test_incomplete_genesys_identifiers_are_refused(body: dict[str, Any], reason: Reason) -> None:
    parsed = from_genesys(body, SOURCE_NAMES)
    assert isinstance(parsed, Refusal)
    assert parsed.reason is reason


def test_every_type_has_a_genesys_type_of_its_own() -> None:
    rules = load_rules().identifiers
    assert set(rules) == set(IdentifierType)
    assert len({rule.genesys_type for rule in rules.values()}) == len(rules)
