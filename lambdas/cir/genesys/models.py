"""The shapes of the public API that the engine reads and writes, under Genesys' own names.

What Genesys defines stays a plain dictionary: a contact that was read can be changed and written back without losing a
field. What this client makes of answers is a named tuple: 0.2 ms each to define at a cold start, a dataclass takes 0.9.
"""

from typing import Any, Literal, NamedTuple, NotRequired, Required, TypedDict

EPHEMERAL = "Ephemeral"
"""The `type` of the contact that Genesys makes of every stranger who calls or writes: nobody who is known."""


class Reference(TypedDict):
    id: str


class SchemaReference(TypedDict):
    """The version of the custom-field schema that a contact follows."""

    id: str
    version: int


class PhoneNumber(TypedDict, total=False):
    """Written as `display` (E.164, else North America is assumed); Genesys works out the rest."""

    display: str
    e164: str
    extension: int
    acceptsSMS: bool
    normalizationCountryCode: str


class ExternalId(TypedDict):
    value: str
    externalSource: Reference


class ContactIdentifier(TypedDict, total=False):
    """A claimed identifier; `cir.genesys.identifiers.to_genesys` makes them."""

    type: Required[str]
    value: Required[str]
    externalSource: Reference
    division: Reference
    dateCreated: str


class Contact(TypedDict, total=False):
    """An External Contact: 4 phones, 3 e-mail addresses, 10 external ids."""

    id: str
    division: Reference
    type: Literal["Ephemeral", "Identified", "Curated"]
    firstName: str
    middleName: str
    lastName: str
    salutation: str
    title: str
    workPhone: PhoneNumber
    cellPhone: PhoneNumber
    homePhone: PhoneNumber
    otherPhone: PhoneNumber
    workEmail: str
    personalEmail: str
    otherEmail: str
    address: dict[str, str]
    twitterId: dict[str, Any]
    lineId: dict[str, Any]
    whatsAppId: dict[str, Any]
    facebookId: dict[str, Any]
    instagramId: dict[str, Any]
    appleOpaqueIds: list[dict[str, str]]
    externalIds: list[ExternalId]
    identifiers: list[ContactIdentifier]
    externalOrganization: dict[str, Any]
    externalSystemUrl: str
    surveyOptOut: bool
    schema: SchemaReference
    customFields: dict[str, Any]
    createDate: str
    modifyDate: str
    canonicalContact: Reference
    mergeSet: list[Reference]
    mergedFrom: list[Reference]
    mergedTo: Reference


def merged_ids(contact: Contact) -> tuple[str, ...]:
    """The ids of the contacts that were merged into this one, its own among them; none if nothing was."""
    return tuple(each["id"] for each in contact.get("mergeSet") or ())


class PatchChange(TypedDict):
    """One change of a contact; `field` is a path such as `$.address.city`."""

    field: str
    action: Literal["UpdateIfEmpty", "UpdateIfExists", "Update", "AppendToCollection", "Remove", "RemoveFromCollection"]
    value: NotRequired[Any]


class FieldRule(TypedDict, total=False):
    field: Required[str]
    action: Literal["AlwaysUseProvided", "PreferExisting", "PreferProvided"]
    arrayAction: Literal["Replace", "Extend", "Fill"]


class FieldRules(TypedDict, total=False):
    """Survivorship as enrich understands it."""

    defaultAction: Literal["AlwaysUseProvided", "PreferExisting", "PreferProvided"]
    defaultArrayAction: Literal["Replace", "Extend", "Fill"]
    rules: list[FieldRule]


class EnrichRequest(TypedDict, total=False):
    """Find a contact by the first identifier that is claimed, and combine data with it.

    Identifiers only match: those that the contact shall have must be in `contact` as well.
    """

    id: str
    action: Required[Literal["Merge", "Upsert", "Update", "Insert"]]
    matchingIdentifiers: Required[list[ContactIdentifier]]
    contact: Contact
    fieldRules: FieldRules
    options: dict[Literal["promote"], bool]
    division: Reference


class Enriched(NamedTuple):
    contact: Contact
    """As it is now; on a dry run as it would be."""
    created: bool


class EnrichError(NamedTuple):
    """Why one request of a bulk was not carried out; masked."""

    status: int
    code: str
    message: str
    retryable: bool
    fields: tuple[str, ...]


class EnrichResult(NamedTuple):
    """The outcome of one request of a bulk: a contact or an error."""

    id: str
    contact: Contact | None = None
    created: bool = False
    error: EnrichError | None = None


class ScanPage(NamedTuple):
    contacts: list[Contact]
    cursor: str | None
    """Where to go on, for 24 hours; None after the last page."""


class ExternalSource(NamedTuple):
    """A system that issues ids, as registered in Genesys Cloud."""

    id: str
    name: str
    active: bool


class Queue(NamedTuple):
    id: str
    name: str


class Export(NamedTuple):
    """A file of contacts that Genesys Cloud writes in the background."""

    id: str
    status: Literal["RUNNING", "SUCCEEDED", "FAILED"]
    rows: int | None
    download_url: str | None
