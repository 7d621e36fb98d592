"""A customer as a Genesys External Contact, and back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from cir.crm import CrmRecord
from cir.genesys.models import Contact as GenesysContact
from cir.genesys.models import ExternalId, SchemaReference
from cir.identifiers import Identifier
from cir.mapping import EMAIL_SLOTS, NAME_FIELDS, PHONE_SLOTS
from cir.parsing import parse
from cir.records import Profile
from cir.rules import IdentifierType

SCHEMA_NAME = "Customer identity"
CUSTOM_FIELDS = ("customerTier", "accountStatus", "preferredLanguage", "assignedQueueId")
SCHEMA_FIELDS: dict[str, dict[str, Any]] = {
    "customerTier": {"title": "Customer tier"},
    "accountStatus": {"title": "Account status"},
    "preferredLanguage": {"title": "Preferred language"},
    "assignedQueueId": {"title": "Assigned queue"},
}
for _field in SCHEMA_FIELDS.values():
    _field |= {"allOf": [{"$ref": "#/definitions/text"}], "minLength": 0, "maxLength": 100}


@dataclass(frozen=True, slots=True)
class Organization:
    """What contacts refer to in one Genesys organization."""

    source_ids: Mapping[str, str]
    """Our key of an external source → its id."""
    schema: SchemaReference
    queue_ids: Mapping[str, str]
    """Customer tier → id of its queue."""

    @property
    def source_keys(self) -> dict[str, str]:
        """Id of an external source → our key."""
        return {source_id: key for key, source_id in self.source_ids.items()}


def profile_of(record: CrmRecord, organization: Organization) -> Profile:
    """What routing needs to know of a CRM customer."""
    texts = record.texts
    tier = texts.get("customerTier", "")
    return Profile(
        display_name=_display_name(texts.get("firstName", ""), texts.get("lastName", "")),
        first_name=texts.get("firstName", ""),
        customer_tier=tier,
        account_status=texts.get("accountStatus", ""),
        preferred_language=texts.get("preferredLanguage", ""),
        assigned_queue_id=organization.queue_ids.get(tier, ""),
    )


def to_external_contact(
    record: CrmRecord, external: Sequence[Identifier], organization: Organization
) -> GenesysContact:
    """The contact body of a CRM customer. `external` are the ids that it may have: its own first."""
    profile = profile_of(record, organization)
    body: dict[str, Any] = {field: record.texts[field] for field in NAME_FIELDS if field in record.texts}
    for slot, identifier in record.slots.items():
        body |= _slot(slot, identifier)
    body["externalIds"] = [
        ExternalId(value=each.value, externalSource={"id": organization.source_ids[each.source]}) for each in external
    ]
    body["schema"] = organization.schema
    body["customFields"] = {
        name: value
        for name, value in (
            ("customerTier", profile.customer_tier),
            ("accountStatus", profile.account_status),
            ("preferredLanguage", profile.preferred_language),
            ("assignedQueueId", profile.assigned_queue_id),
        )
        if value
    }
    return cast(GenesysContact, body)


def profile_from_genesys(contact: GenesysContact) -> Profile:
    """The routing profile in a contact that Genesys holds."""
    fields = contact.get("customFields") or {}
    first_name = contact.get("firstName") or ""
    return Profile(
        display_name=_display_name(first_name, contact.get("lastName") or ""),
        first_name=first_name,
        customer_tier=fields.get("customerTier") or "",
        account_status=fields.get("accountStatus") or "",
        preferred_language=fields.get("preferredLanguage") or "",
        assigned_queue_id=fields.get("assignedQueueId") or "",
    )


def identifiers_from_genesys(contact: GenesysContact, source_keys: Mapping[str, str]) -> tuple[Identifier, ...]:
    """Every identifier in the fields of a contact that Genesys holds; those of unknown sources are left out."""
    parsed = (
        parse(kind, text, source=source)
        for kind, text, source in _fields(cast(Mapping[str, Any], contact), source_keys)
    )
    return tuple(dict.fromkeys(each for each in parsed if isinstance(each, Identifier)))


def _slot(slot: str, identifier: Identifier) -> dict[str, Any]:
    if slot in PHONE_SLOTS:
        return {slot: {"display": identifier.value}}
    if slot == "whatsApp":
        return {"whatsAppId": {"phoneNumber": {"display": identifier.value.removeprefix("+")}}}
    if slot == "twitter":
        return {"twitterId": {"screenName": identifier.value}}
    return {slot: identifier.value}


def _fields(
    contact: Mapping[str, Any], source_keys: Mapping[str, str]
) -> Iterator[tuple[IdentifierType, str | None, str]]:
    def part(name: str) -> Mapping[str, Any]:
        return contact.get(name) or {}

    for slot in PHONE_SLOTS:
        yield IdentifierType.PHONE, part(slot).get("e164"), ""
    for slot in EMAIL_SLOTS:
        yield IdentifierType.EMAIL, contact.get(slot), ""
    for each in contact.get("externalIds") or []:
        yield IdentifierType.EXTERNAL, each.get("value"), source_keys.get(each["externalSource"]["id"], "")
    whatsapp = part("whatsAppId").get("phoneNumber") or {}
    yield IdentifierType.WHATSAPP, whatsapp.get("e164") or whatsapp.get("display"), ""
    yield IdentifierType.TWITTER, part("twitterId").get("screenName"), ""
    for each in part("facebookId").get("ids") or []:
        yield IdentifierType.FACEBOOK, each.get("scopedId"), ""
    for each in part("instagramId").get("ids") or []:
        yield IdentifierType.INSTAGRAM, each.get("scopedId"), ""
    for each in part("lineId").get("ids") or []:
        yield IdentifierType.LINE, each.get("userId"), ""
    for each in contact.get("appleOpaqueIds") or []:
        yield IdentifierType.APPLE, each.get("value"), ""


def _display_name(first_name: str, last_name: str) -> str:
    return f"{first_name} {last_name}".strip()
