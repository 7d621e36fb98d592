"""A CRM customer as an External Contact's body, and what is corrected on it afterwards."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from cir.contacts.organization import SCHEMA_FIELDS, Organization
from cir.contacts.reading import PROFILE_OF, display_name, shown_identifiers
from cir.crm.mapping import CrmMapping
from cir.crm.record import CrmRecord
from cir.genesys.fields import EMAIL_SLOTS, IDENTIFIER_TARGETS, NAME_FIELDS, PHONE_SLOTS
from cir.genesys.models import Contact as GenesysContact
from cir.genesys.models import ExternalId, FieldRule, FieldRules, PatchChange
from cir.identity.identifiers import EXTENSION, Identifier, with_switchboards
from cir.identity.records import Profile
from cir.identity.rules import IdentifierType

_SLOTS_OF = {IdentifierType.PHONE: PHONE_SLOTS, IdentifierType.EMAIL: EMAIL_SLOTS}
_FIELDS_OF = {"whatsApp": "whatsAppId", "twitter": "twitterId"}
"""Target → field, where they are not called the same."""
_LISTS = frozenset({"externalIds", "appleOpaqueIds"})
_PERSONAL_SLOTS = frozenset(PHONE_SLOTS + EMAIL_SLOTS)


def profile_of(record: CrmRecord, organization: Organization) -> Profile:
    """What routing needs to know of a CRM customer."""
    texts = record.texts
    tier = texts.get("customerTier", "")
    return Profile(
        display_name=display_name(texts.get("firstName", ""), texts.get("lastName", "")),
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
    """The rules by which enrich combines what the CRM gives with what Genesys has.

    Names are always the CRM's, an empty one included. Where the mapping lets Genesys keep its value, that stays if
    there is one. Other fields that the CRM leaves empty are not emptied by enrich: `corrections` does that.
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
    shown = shown_identifiers(cast(Mapping[str, Any], contact), source_ids) if fields else []
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
    """What is still to be changed on a contact after enrich, which does not empty a field that was not `given`.

    * Custom fields that the CRM is the master of and has left empty are removed, and so are `unwanted` values.
    * A value that the CRM has moved to another of the `slots` is removed from its old one.
    * A number or address to be `kept` whose slot the CRM has taken gets a free one, if there is any.
    * Fields that Genesys keeps stay as they are; if it keeps the tier, the queue becomes that of its tier.
    """
    source_ids = organization.source_ids
    untouched = _kept_fields(mapping.kept)
    fields = cast(Mapping[str, Any], contact)
    shown = shown_identifiers(fields, source_ids)
    given_elsewhere = with_switchboards(slots.values())
    leaving = {
        field
        for field, each in shown
        if field not in _LISTS
        and field not in untouched
        and (each in unwanted or (field in _PERSONAL_SLOTS and field not in slots and each in given_elsewhere))
    }
    staying = {each for field, each in shown if field not in leaving}
    values: dict[str, Any] = dict.fromkeys(leaving)
    kept = tuple(kept)
    # a number stands in the field of its extension
    in_fields = {each.switchboard for each in (*kept, *slots.values()) if each.extension}
    for identifier in (each for each in kept if each not in in_fields):
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
    changes += _without_ids(fields, unwanted, source_ids)
    custom = contact.get("customFields", {})
    left = (custom.keys() - given["customFields"].keys()) & _fed_fields(mapping.mastered)
    changes += ({"field": f"$.customFields.{name}", "action": "Remove"} for name in sorted(left))
    queue_id = organization.queue_ids.get(custom.get("customerTier", ""), "")
    if "customerTier" in mapping.kept and queue_id and queue_id != custom.get("assignedQueueId"):
        changes.append({"field": "$.customFields.assignedQueueId", "action": "Update", "value": queue_id})
    return changes


def removals(
    contact: GenesysContact, unwanted: Collection[Identifier], source_ids: Mapping[str, str]
) -> list[PatchChange]:
    """What takes identifiers off a contact whose fields show them; nothing else is changed."""
    fields = cast(Mapping[str, Any], contact)
    leaving = dict.fromkeys(
        field for field, each in shown_identifiers(fields, source_ids) if each in unwanted and field not in _LISTS
    )
    changes: list[PatchChange] = [{"field": f"$.{field}", "action": "Remove"} for field in leaving]
    return changes + _without_ids(fields, unwanted, source_ids)


def _without_ids(
    fields: Mapping[str, Any], unwanted: Collection[Identifier], source_ids: Mapping[str, str]
) -> list[PatchChange]:
    foreign = [
        {"value": entry["value"], "externalSource": {"id": entry["externalSource"]["id"]}}  # in the form that it has
        for entry in fields.get("externalIds") or []
        if any(each in unwanted for _, each in shown_identifiers({"externalIds": [entry]}, source_ids))
    ]
    return [{"field": "$.externalIds", "action": "RemoveFromCollection", "value": foreign}] if foreign else []


def _fed_fields(fed: Collection[str]) -> set[str]:
    """The custom fields of these targets; the queue follows from the tier."""
    return {name for name in SCHEMA_FIELDS if name in fed} | ({"assignedQueueId"} if "customerTier" in fed else set())


def _slot(slot: str, identifier: Identifier) -> dict[str, Any]:
    if slot in PHONE_SLOTS:
        number, _, extension = identifier.value.partition(EXTENSION)
        # 0, the operator's, is no number that Genesys would keep
        return {slot: {"display": number, **({"extension": int(extension)} if int(extension or 0) else {})}}
    if slot == "whatsApp":
        return {"whatsAppId": {"phoneNumber": {"display": identifier.value.removeprefix("+")}}}
    if slot == "twitter":
        return {"twitterId": {"screenName": identifier.value}}
    return {slot: identifier.value}


def _external_id(identifier: Identifier, source_ids: Mapping[str, str]) -> ExternalId:
    return {"value": identifier.value, "externalSource": {"id": source_ids[identifier.source]}}
