"""Identifiers: what a contact's fields say, in the form in which two of them are the same or not."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from . import phones
from .errors import validation_failed
from .models import Identifier

PHONE_SLOTS = ("workPhone", "cellPhone", "homePhone", "otherPhone")
EMAIL_SLOTS = ("workEmail", "personalEmail", "otherEmail")
MAX_EXTERNAL_IDS = 10
MAX_APPLE_IDS = 10


class Key(NamedTuple):
    """An identifier's type and normalized value; `source` is the external source's id, empty for other types."""

    type: str
    value: str
    source: str = ""


def key_of(identifier: Identifier) -> Key:
    """Raises a 422 for a value that is not of the identifier's type."""
    value = identifier.value
    match identifier.type:
        case "Phone":
            parsed = phones.parse(value) if value.startswith("+") else None
            if not parsed:
                raise _not_valid("value", "must be a phone number with country code and a leading +")
            return Key("Phone", parsed.e164)
        case "SocialWhatsapp":
            digits = value.removeprefix("+")
            if not digits.isdecimal():
                raise _not_valid("value", "must be a phone number in E.164")
            return Key("SocialWhatsapp", digits)
        case "ExternalId":
            if not identifier.external_source:
                raise _not_valid("externalSource", "is needed for an identifier of type ExternalId")
            # That case counts is a guess: the documentation says that values are trimmed, and no more.
            return Key("ExternalId", value, identifier.external_source.id)
        case "Email":
            return Key("Email", value.lower())
        case "SocialTwitter":
            return Key("SocialTwitter", value.removeprefix("@").lower())
        case "SocialInstagramHandle":
            return Key("SocialInstagramHandle", value.removeprefix("@").lower())
        case other:
            return Key(other, value)


def _not_valid(field: str, reason: str) -> Exception:
    return validation_failed("The provided identifier is not valid", [(field, reason)])


def keys_in(fields: Mapping[str, Any]) -> Iterator[Key]:
    """Every identifier that a contact's stored fields carry. A phone that could not be read as E.164 carries none."""
    for slot in PHONE_SLOTS:
        if (phone := fields.get(slot)) and (e164 := phone.get("e164")):
            yield Key("Phone", e164)
    for slot in EMAIL_SLOTS:
        if email := fields.get(slot):
            yield Key("Email", email.lower())
    yield from _channel_keys(fields)
    for external in fields.get("externalIds", ()):
        yield Key("ExternalId", external["value"], external["externalSource"]["id"])
    for apple in fields.get("appleOpaqueIds", ()):
        yield Key("AppleOpaqueId", apple["value"])


def _channel_keys(fields: Mapping[str, Any]) -> Iterator[Key]:
    if whatsapp := fields.get("whatsAppId"):
        yield Key("SocialWhatsapp", whatsapp["phoneNumber"]["display"])
    if twitter := fields.get("twitterId"):
        for name in ("id", "screenName"):
            if value := twitter.get(name):
                yield Key("SocialTwitter", value.removeprefix("@").lower())
    for name, id_name, kind in _SCOPED:
        for scoped in fields.get(name, {}).get("ids", ()):
            yield Key(kind, scoped[id_name])
    if handle := fields.get("instagramId", {}).get("handle"):
        yield Key("SocialInstagramHandle", handle.removeprefix("@").lower())


_SCOPED = (
    ("lineId", "userId", "SocialLine"),
    ("facebookId", "scopedId", "SocialFacebook"),
    ("instagramId", "scopedId", "SocialInstagram"),
)


def placed(fields: Mapping[str, Any], key: Key, value: str) -> dict[str, Any] | None:
    """The top-level fields to set so that the contact carries the identifier; None when no slot is free.

    `value` is the identifier as the client wrote it. Cookies and WhatsApp business-scoped ids have no field.
    """
    if key in keys_in(fields) or key.type in {"Cookie", "SocialWhatsappBsuid"}:
        return {}
    match key.type:
        case "Phone":
            slot = free_slot(fields, PHONE_SLOTS)
            return {slot: phones.stored({"display": value})} if slot else None
        case "Email":
            slot = free_slot(fields, EMAIL_SLOTS)
            return {slot: value} if slot else None
        case "ExternalId":
            existing = fields.get("externalIds", [])
            entry = {"externalSource": {"id": key.source}, "value": key.value}
            return {"externalIds": [*existing, entry]} if len(existing) < MAX_EXTERNAL_IDS else None
        case "AppleOpaqueId":
            existing = fields.get("appleOpaqueIds", [])
            return {"appleOpaqueIds": [*existing, {"value": key.value}]} if len(existing) < MAX_APPLE_IDS else None
        case "SocialWhatsapp":
            number = {"phoneNumber": phones.stored_whatsapp({"display": key.value})}
            return None if "whatsAppId" in fields else {"whatsAppId": number}
        case "SocialTwitter":
            name = "id" if value.isdecimal() else "screenName"
            existing = fields.get("twitterId", {})
            return None if name in existing else {"twitterId": {**existing, name: value}}
        case "SocialInstagramHandle":
            existing = fields.get("instagramId")
            return {"instagramId": {**existing, "handle": value}} if existing and "handle" not in existing else None
    name, id_name, _ = next(scoped for scoped in _SCOPED if scoped[2] == key.type)
    return None if name in fields else {name: {"ids": [{id_name: key.value}]}}


def free_slot(fields: Mapping[str, Any], slots: tuple[str, ...]) -> str | None:
    return next((slot for slot in slots if slot not in fields), None)


def without(fields: Mapping[str, Any], key: Key) -> dict[str, Any]:
    """The contact's fields with the identifier taken out of them."""
    kept = dict(fields)
    for slot in (*PHONE_SLOTS, *EMAIL_SLOTS, "whatsAppId", "lineId", "facebookId"):
        if slot in kept and key in keys_in({slot: kept[slot]}):
            del kept[slot]
    for name in ("externalIds", "appleOpaqueIds"):
        if name in kept:
            kept[name] = [entry for entry in kept[name] if key not in keys_in({name: [entry]})]
    if "twitterId" in kept and key.type == "SocialTwitter":
        kept["twitterId"] = {
            name: value for name, value in kept["twitterId"].items() if key not in keys_in({"twitterId": {name: value}})
        }
    if (instagram := kept.get("instagramId")) and key in keys_in({"instagramId": instagram}):
        if key.type == "SocialInstagramHandle":
            kept["instagramId"] = {name: value for name, value in instagram.items() if name != "handle"}
        else:
            del kept["instagramId"]
    return {name: value for name, value in kept.items() if value not in ([], {})}
