"""Privacy requests: whose contacts a subject means, and what exporting, updating or deleting them does."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from ..organization import errors, phones
from ..organization.clock import iso
from ..organization.contacts import ContactStore, Record
from ..organization.errors import JSON
from ..organization.identifiers import EMAIL_SLOTS, PHONE_SLOTS, Key
from ..organization.models import Reference, Wire
from .jobs import Pace

URI = "/api/v2/gdpr/requests"

TermType = Literal[
    "NAME",
    "ADDRESS",
    "PHONE",
    "EMAIL",
    "TWITTER",
    "INSTAGRAM",
    "FACEBOOK",
    "APPLE_MESSAGES",
    "EXTERNAL_ID",
    "WHATSAPP",
]
SEARCH_TYPES = (
    "NAME",
    "ADDRESS",
    "PHONE",
    "EMAIL",
    "TWITTER",
    "INSTAGRAM",
    "FACEBOOK",
    "APPLE_MESSAGES",
    "EXTERNAL_ID",
)
_SOCIAL = {
    "TWITTER": "SocialTwitter",
    "INSTAGRAM": "SocialInstagram",
    "FACEBOOK": "SocialFacebook",
    "APPLE_MESSAGES": "AppleOpaqueId",
    "WHATSAPP": "SocialWhatsapp",
}
Status = Literal["INITIATED", "SEARCHING", "UPDATING", "DELETING", "COMPLETED", "ERROR", "FINALIZING"]


class ReplacementTerm(Wire):
    type: TermType
    existing_value: str
    updated_value: str = ""


class SocialHandle(Wire):
    type: Literal["TWITTER", "INSTAGRAM", "FACEBOOK", "APPLE_MESSAGES", "WHATSAPP"]
    value: str


class DialerContact(Wire):
    id: str | None = None
    contact_list_id: str | None = None


class JourneyCustomer(Wire):
    type: str | None = None
    id: str | None = None


class Subject(Wire):
    name: str | None = None
    user_id: str | None = None
    external_contact_id: str | None = None
    dialer_contact_id: DialerContact | None = None
    journey_customer: JourneyCustomer | None = None
    social_handle: SocialHandle | None = None
    external_id: str | None = None
    addresses: tuple[str, ...] = ()
    phone_numbers: tuple[str, ...] = ()
    email_addresses: tuple[str, ...] = ()


class PrivacyRequestBody(Wire):
    name: str | None = None
    request_type: Literal["GDPR_EXPORT", "GDPR_UPDATE", "GDPR_DELETE"]
    subject: Subject
    replacement_terms: tuple[ReplacementTerm, ...] = ()
    created_by: Reference | None = None  # required by the description, but set by the system


@dataclass(slots=True)
class PrivacyRequest:
    id: str
    body: PrivacyRequestBody
    created: float
    creator: str
    pace: Pace
    status: Status = "INITIATED"
    results_url: str | None = None

    def wire(self) -> JSON:
        given = self.body.wire()
        view: JSON = {
            "id": self.id,
            "createdBy": {"id": self.creator, "selfUri": f"/api/v2/oauth/clients/{self.creator}"},
            "requestType": self.body.request_type,
            "createdDate": iso(self.created),
            "status": self.status,
            "subject": given.get("subject", {}),
            "selfUri": f"{URI}/{self.id}",
        }
        view |= {name: given[name] for name in ("name", "replacementTerms") if name in given}
        if self.results_url:
            view |= {"resultsUrl": self.results_url, "resultsUrls": [self.results_url]}
        return view


@dataclass(slots=True)
class PrivacyRequests:
    by_id: dict[str, PrivacyRequest] = field(default_factory=dict)

    def get(self, request_id: str) -> PrivacyRequest:
        if request := self.by_id.get(request_id):
            return request
        raise errors.entity_not_found("GDPRRequest", request_id, "The requested resource was not found.")


def contacts_of(store: ContactStore, subject: Subject) -> list[Record]:
    """Every canonical contact that the subject's identifiers lead to; its name counts where nothing else is given."""
    found: dict[str, Record] = {}
    if subject.external_contact_id and (record := store.stored(subject.external_contact_id)):
        head = store.head(record)
        found[head.id] = head
    terms = [("PHONE", value) for value in subject.phone_numbers]
    terms += [("EMAIL", value) for value in subject.email_addresses]
    terms += [("ADDRESS", value) for value in subject.addresses]
    if subject.external_id:
        terms.append(("EXTERNAL_ID", subject.external_id))
    if subject.social_handle:
        terms.append((subject.social_handle.type, subject.social_handle.value))
    if not terms and not subject.external_contact_id and subject.name:
        terms.append(("NAME", subject.name))
    for kind, value in terms:
        found |= {record.id: record for record in search(store, kind, value)}
    return list(found.values())


def search(store: ContactStore, kind: str, value: str) -> Iterable[Record]:
    match kind:
        case "PHONE":
            parsed = phones.parse(value)
            return store.holders(Key("Phone", parsed.e164)) if parsed else []
        case "EMAIL":
            return store.holders(Key("Email", value.strip().lower()))
        case "EXTERNAL_ID":
            return [
                record
                for record in store
                if value in (entry["value"] for entry in record.fields.get("externalIds", ()))
            ]
        case "NAME":
            return [record for record in store if full_name(record).lower() == " ".join(value.lower().split())]
        case "ADDRESS":
            return [record for record in store if value.lower() in _address(record).lower()]
        case _:
            return store.holders(Key(_SOCIAL[kind], _social_value(kind, value)))


def _social_value(kind: str, value: str) -> str:
    if kind == "TWITTER":
        return value.removeprefix("@").lower()
    return value.removeprefix("+") if kind == "WHATSAPP" else value


def full_name(record: Record) -> str:
    names = (record.fields.get(name) for name in ("firstName", "middleName", "lastName"))
    return " ".join(name for name in names if name)


def _address(record: Record) -> str:
    return ", ".join(record.fields.get("address", {}).values())


def subject_view(record: Record) -> JSON:
    fields = record.fields
    view: JSON = {"name": full_name(record), "externalContactId": record.id}
    lists = {
        "addresses": [_address(record)] if "address" in fields else [],
        "phoneNumbers": [fields[slot].get("e164", fields[slot]["display"]) for slot in PHONE_SLOTS if slot in fields],
        "emailAddresses": [fields[slot] for slot in EMAIL_SLOTS if slot in fields],
    }
    return view | {name: values for name, values in lists.items() if values}


def replaced(fields: JSON, terms: Iterable[ReplacementTerm]) -> JSON:
    """A contact's fields with the terms replaced; a term without a new value removes the old one."""
    result = fields
    for term in terms:
        result = {name: value for name, value in _replaced(result, term) if value not in (None, "", {})}
    return result


def _replaced(fields: JSON, term: ReplacementTerm) -> Iterator[tuple[str, Any]]:
    old, new = term.existing_value.strip(), term.updated_value.strip()
    for name, value in fields.items():
        if term.type == "EMAIL" and name in EMAIL_SLOTS and value.lower() == old.lower():
            yield name, new
        elif term.type == "PHONE" and name in PHONE_SLOTS and _same_number(value, old):
            yield name, phones.stored({"display": new})
        elif term.type == "NAME" and name in {"firstName", "middleName", "lastName"} and value.lower() == old.lower():
            yield name, new
        elif term.type == "ADDRESS" and name == "address":
            yield name, {part: text for part, given in value.items() if (text := new if given == old else given)}
        elif term.type == "EXTERNAL_ID" and name == "externalIds":
            yield name, [{**entry, "value": new} if entry["value"] == old else entry for entry in value]
        else:
            yield name, value


def _same_number(phone: JSON, text: str) -> bool:
    parsed = phones.parse(text)
    return bool(parsed and phone.get("e164") == parsed.e164) or phone["display"] == text
