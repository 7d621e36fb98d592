"""A customer as a Genesys External Contact, and back."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from cir.crm import MAX_PROFILE_TEXT, CrmRecord
from cir.genesys.models import Contact as GenesysContact
from cir.genesys.models import ExternalId, FieldRule, FieldRules, PatchChange, SchemaReference
from cir.identifiers import Identifier
from cir.mapping import EMAIL_SLOTS, IDENTIFIER_TARGETS, NAME_FIELDS, PHONE_SLOTS, CrmMapping
from cir.parsing import parse
from cir.records import Profile
from cir.rules import IdentifierType

SCHEMA_NAME = "Customer identity"
SCHEMA_FIELDS: dict[str, dict[str, Any]] = {
    "customerTier": {"title": "Customer tier"},
    "accountStatus": {"title": "Account status"},
    "preferredLanguage": {"title": "Preferred language"},
    "assignedQueueId": {"title": "Assigned queue"},
}
for _field in SCHEMA_FIELDS.values():
    _field |= {"allOf": [{"$ref": "#/definitions/text"}], "minLength": 0, "maxLength": MAX_PROFILE_TEXT}
_SLOTS_OF = {IdentifierType.PHONE: PHONE_SLOTS, IdentifierType.EMAIL: EMAIL_SLOTS}
_FIELDS_OF = {"whatsApp": "whatsAppId", "twitter": "twitterId"}
"""Target → field, where they are not called the same."""
PROFILE_OF = {
    "firstName": ("first_name", "display_name"),
    "lastName": ("display_name",),
    "customerTier": ("customer_tier", "assigned_queue_id"),
    "accountStatus": ("account_status",),
    "preferredLanguage": ("preferred_language",),
}
"""Target → what of the routing profile comes from it, first what shows its value."""
_LISTS = frozenset({"externalIds", "appleOpaqueIds"})
_JSON_IN_ROWS = (
    "customFields", "externalIds", "whatsAppId", "twitterId", "facebookId", "instagramId", "lineId", "appleOpaqueIds",
)  # fmt: skip
_PERSONAL_SLOTS = frozenset(PHONE_SLOTS + EMAIL_SLOTS)


@dataclass(frozen=True, slots=True)
class Organization:
    """What contacts refer to in one Genesys organization."""

    source_ids: Mapping[str, str]
    """Our key of an external source → its id."""
    schema: SchemaReference
    queue_ids: Mapping[str, str]
    """Customer tier → id of its queue."""


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
    body["externalIds"] = [_external_id(each, organization.source_ids) for each in external]
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


def survivorship(mapping: CrmMapping) -> FieldRules:
    """The CRM's word on names is final, an empty one included; what else it does not fill `corrections` looks after.

    On what the mapping lets Genesys keep, Genesys' value stays where there is one.
    """
    rules: list[FieldRule] = [
        {"field": f"$.{name}", "action": "AlwaysUseProvided"} for name in NAME_FIELDS if name in mapping.mastered
    ]
    rules += ({"field": f"$.{path}", "action": "PreferExisting"} for path in sorted(_kept_paths(mapping.kept)))
    return {"rules": rules}


def surviving(given: Profile, shown: Profile, kept: Collection[str]) -> Profile:
    """The CRM's profile, with what Genesys shows of the targets that it keeps."""
    names = {name for target in kept for name in PROFILE_OF.get(target, ())}
    return replace(given, **{name: getattr(shown, name) for name in names})


def kept_identifiers(
    contact: GenesysContact, kept: Collection[str], source_ids: Mapping[str, str]
) -> tuple[Identifier, ...]:
    """What stands in the fields that Genesys keeps."""
    fields = _kept_fields(kept)
    shown = _shown(cast(Mapping[str, Any], contact), source_ids) if fields else []
    return tuple(each for field, each in shown if field in fields)


def _kept_fields(kept: Collection[str]) -> frozenset[str]:
    return frozenset(_FIELDS_OF.get(target, target) for target in kept if target in IDENTIFIER_TARGETS)


def _kept_paths(kept: Collection[str]) -> set[str]:
    custom = {f"customFields.{name}" for name in _fed_fields(kept)}
    return custom | _kept_fields(kept) | {name for name in NAME_FIELDS if name in kept}


def corrections(
    contact: GenesysContact,
    given: GenesysContact,
    *,
    mapping: CrmMapping,
    slots: Mapping[str, Identifier],
    unwanted: Collection[Identifier],
    kept: Iterable[Identifier],
    organization: Organization,
) -> list[PatchChange]:
    """What is still to be changed on a contact after enrich, which does not empty what was not `given`.

    Custom fields that the CRM is the master of and has left empty leave; `unwanted` values leave; a value that has
    moved to another of the `slots` leaves its old one; a number or address to be `kept` that has lost its slot to the
    CRM gets a free one, if there is any. Fields that Genesys keeps stay as they are, and the queue is that of its tier.
    """
    source_ids = organization.source_ids
    untouched = _kept_fields(mapping.kept)
    fields = cast(Mapping[str, Any], contact)
    shown = _shown(fields, source_ids)
    leaving = {
        field
        for field, each in shown
        if field not in _LISTS
        and field not in untouched
        and (each in unwanted or (field in _PERSONAL_SLOTS and field not in slots and each in slots.values()))
    }
    staying = {each for field, each in shown if field not in leaving}
    values: dict[str, Any] = dict.fromkeys(leaving)
    for identifier in kept:
        candidates = _SLOTS_OF.get(identifier.type, ())
        free = next((slot for slot in candidates if values.get(slot, fields.get(slot)) is None), None)
        if free and identifier not in staying:
            values |= _slot(free, identifier)
    changes: list[PatchChange] = [
        {"field": f"$.{field}", "action": "Remove"}
        if value is None
        else {"field": f"$.{field}", "action": "Update", "value": value}
        for field, value in values.items()
    ]
    foreign = [_external_id(each, source_ids) for field, each in shown if field == "externalIds" and each in unwanted]
    if foreign:
        changes.append({"field": "$.externalIds", "action": "RemoveFromCollection", "value": foreign})
    custom = contact.get("customFields", {})
    left = (custom.keys() - given["customFields"].keys()) & _fed_fields(mapping.mastered)
    changes += ({"field": f"$.customFields.{name}", "action": "Remove"} for name in sorted(left))
    queue_id = organization.queue_ids.get(custom.get("customerTier", ""), "")
    if "customerTier" in mapping.kept and queue_id and queue_id != custom.get("assignedQueueId"):
        changes.append({"field": "$.customFields.assignedQueueId", "action": "Update", "value": queue_id})
    return changes


def _fed_fields(fed: Collection[str]) -> set[str]:
    """The custom fields of these targets; the queue follows from the tier."""
    return {name for name in SCHEMA_FIELDS if name in fed} | ({"assignedQueueId"} if "customerTier" in fed else set())


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


def contact_from_row(row: Mapping[str, str]) -> GenesysContact:
    """A row of an export as the API shows a contact, as far as it is looked at."""
    contact: dict[str, Any] = {name: row[name] for name in ("id", "modifyDate", *NAME_FIELDS) if row.get(name)}
    contact |= {slot: {"e164": row[f"{slot}.e164"]} for slot in PHONE_SLOTS if row.get(f"{slot}.e164")}
    contact |= {name: row[name] for name in EMAIL_SLOTS if row.get(name)}
    contact |= {name: json.loads(row[name]) for name in _JSON_IN_ROWS if row.get(name)}
    return cast(GenesysContact, contact)


def identifiers_from_genesys(contact: GenesysContact, source_ids: Mapping[str, str]) -> tuple[Identifier, ...]:
    """Every identifier in the fields of a contact that Genesys holds; those of unknown sources are left out."""
    return tuple(dict.fromkeys(each for _, each in _shown(cast(Mapping[str, Any], contact), source_ids)))


def _shown(contact: Mapping[str, Any], source_ids: Mapping[str, str]) -> list[tuple[str, Identifier]]:
    """The identifiers in a contact's fields, each with the field's name. `source_ids`: our key of a source → its id."""
    source_keys = {source_id: key for key, source_id in source_ids.items()}
    read = ((field, parse(kind, text, source=source)) for field, kind, text, source in _fields(contact, source_keys))
    return [(field, each) for field, each in read if isinstance(each, Identifier)]


def _fields(
    contact: Mapping[str, Any], source_keys: Mapping[str, str]
) -> Iterator[tuple[str, IdentifierType, str | None, str]]:
    def part(name: str) -> Mapping[str, Any]:
        return contact.get(name) or {}

    for slot in PHONE_SLOTS:
        yield slot, IdentifierType.PHONE, part(slot).get("e164"), ""
    for slot in EMAIL_SLOTS:
        yield slot, IdentifierType.EMAIL, contact.get(slot), ""
    for each in contact.get("externalIds") or []:
        yield (
            "externalIds",
            IdentifierType.EXTERNAL,
            each.get("value"),
            source_keys.get(each["externalSource"]["id"], ""),
        )
    whatsapp = part("whatsAppId").get("phoneNumber") or {}
    yield "whatsAppId", IdentifierType.WHATSAPP, whatsapp.get("e164") or whatsapp.get("display"), ""
    yield "twitterId", IdentifierType.TWITTER, part("twitterId").get("screenName"), ""
    for each in part("facebookId").get("ids") or []:
        yield "facebookId", IdentifierType.FACEBOOK, each.get("scopedId"), ""
    for each in part("instagramId").get("ids") or []:
        yield "instagramId", IdentifierType.INSTAGRAM, each.get("scopedId"), ""
    for each in part("lineId").get("ids") or []:
        yield "lineId", IdentifierType.LINE, each.get("userId"), ""
    for each in contact.get("appleOpaqueIds") or []:
        yield "appleOpaqueIds", IdentifierType.APPLE, each.get("value"), ""


def _slot(slot: str, identifier: Identifier) -> dict[str, Any]:
    if slot in PHONE_SLOTS:
        return {slot: {"display": identifier.value}}
    if slot == "whatsApp":
        return {"whatsAppId": {"phoneNumber": {"display": identifier.value.removeprefix("+")}}}
    if slot == "twitter":
        return {"twitterId": {"screenName": identifier.value}}
    return {slot: identifier.value}


def _external_id(identifier: Identifier, source_ids: Mapping[str, str]) -> ExternalId:
    return {"value": identifier.value, "externalSource": {"id": source_ids[identifier.source]}}


def _display_name(first_name: str, last_name: str) -> str:
    return f"{first_name} {last_name}".strip()
