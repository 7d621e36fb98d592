"""The fields of an External Contact that a CRM column can feed, under the names that a mapping uses."""

from cir.identity.rules import IdentifierType

NAME_FIELDS = ("firstName", "lastName", "salutation", "title")
PROFILE_FIELDS = ("customerTier", "accountStatus", "preferredLanguage")
PHONE_SLOTS = ("workPhone", "cellPhone", "homePhone", "otherPhone")
EMAIL_SLOTS = ("workEmail", "personalEmail", "otherEmail")
IDENTIFIER_TARGETS: dict[str, IdentifierType] = {
    **dict.fromkeys(PHONE_SLOTS, IdentifierType.PHONE),
    **dict.fromkeys(EMAIL_SLOTS, IdentifierType.EMAIL),
    "whatsApp": IdentifierType.WHATSAPP,
    "twitter": IdentifierType.TWITTER,
}
