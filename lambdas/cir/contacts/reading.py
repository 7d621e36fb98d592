"""A customer as a Genesys External Contact, and back."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from cir.genesys.fields import EMAIL_SLOTS, NAME_FIELDS, PHONE_SLOTS
from cir.genesys.models import Contact as GenesysContact
from cir.identity.identifiers import EXTENSION, Identifier, with_switchboards
from cir.identity.parsing import parse
from cir.identity.records import Profile
from cir.identity.rules import IdentifierType

PROFILE_OF = {
    "firstName": ("first_name", "display_name"),
    "lastName": ("display_name",),
    "customerTier": ("customer_tier", "assigned_queue_id"),
    "accountStatus": ("account_status",),
    "preferredLanguage": ("preferred_language",),
}
"""Target → what of the routing profile comes from it, first what shows its value."""
_JSON_IN_ROWS = (
    "customFields", "externalIds", "whatsAppId", "twitterId", "facebookId", "instagramId", "lineId", "appleOpaqueIds",
)  # fmt: skip


def profile_from_genesys(contact: GenesysContact) -> Profile:
    """The routing profile in a contact that Genesys holds."""
    fields = contact.get("customFields") or {}
    first_name = contact.get("firstName") or ""
    return Profile(
        display_name=display_name(first_name, contact.get("lastName") or ""),
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
    return tuple(dict.fromkeys(each for _, each in shown_identifiers(cast(Mapping[str, Any], contact), source_ids)))


def shown_identifiers(contact: Mapping[str, Any], source_ids: Mapping[str, str]) -> list[tuple[str, Identifier]]:
    """The identifiers in a contact's fields, each with the field's name: of an extension itself and its number.

    `source_ids`: our key of a source → its id.
    """
    source_keys = {source_id: key for key, source_id in source_ids.items()}
    read = ((field, parse(kind, text, source=source)) for field, kind, text, source in _fields(contact, source_keys))
    return [(field, one) for field, each in read if isinstance(each, Identifier) for one in with_switchboards([each])]


def _fields(
    contact: Mapping[str, Any], source_keys: Mapping[str, str]
) -> Iterator[tuple[str, IdentifierType, str | None, str]]:
    def part(name: str) -> Mapping[str, Any]:
        return contact.get(name) or {}

    for slot in PHONE_SLOTS:
        yield slot, IdentifierType.PHONE, _phone(part(slot)), ""
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


def _phone(number: Mapping[str, Any]) -> str | None:
    e164, extension = number.get("e164"), number.get("extension")
    return f"{e164}{EXTENSION}{extension}" if e164 and extension else e164


def display_name(first_name: str, last_name: str) -> str:
    return f"{first_name} {last_name}".strip()
