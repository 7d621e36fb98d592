"""What can be done with contacts: each operation of the API as one function, or the error that it answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from . import errors, models, phones
from .contacts import ContactStore, Record
from .enrich import combined, rules_of
from .errors import JSON, ApiError
from .identifiers import PHONE_SLOTS, Key, key_of, keys_in, placed, without
from .merging import check_mergeable, merged_fields
from .organization import UNASSIGNED, Organization
from .patch import patched
from .schemas import Schemas
from .sources import ExternalSources

_INVALID = "The provided contact was not valid"


@dataclass(frozen=True, slots=True)
class Enriched:
    """`record` is what there is now, or in a dry run what there would be (without an id if it would be a new one)."""

    status: int
    record: Record


class Service:
    def __init__(
        self, *, contacts: ContactStore, sources: ExternalSources, schemas: Schemas, organization: Organization
    ) -> None:
        self._contacts = contacts
        self._sources = sources
        self._schemas = schemas
        self._organization = organization

    def create(self, body: object, *, dry_run: bool = False) -> Record:
        given = models.Contact.read(body, invalid=_INVALID)
        division = self._organization.division_to_write(given.division)
        fields = self._fields(given, before={})
        self._check(fields, before={})
        if dry_run:
            return self._sketch(fields, division=division)
        return self._contacts.insert(fields, division=division, kind="Curated")

    def put(self, contact_id: str, body: object) -> Record:
        given = models.Contact.read(body, invalid=_INVALID)
        record = self._contacts.canonical(contact_id)
        if given.division and given.division.id != record.division:
            raise errors.invalid_division(given.division.id)
        fields = self._fields(given, before=record.fields)
        self._check(fields, before=record.fields)
        self._contacts.update(record, fields)
        return record

    def patch(self, contact_id: str, body: object) -> Record:
        request = models.PatchRequest.read(body, invalid=_INVALID)
        record = self._contacts.canonical(contact_id)
        changed, touched = patched(record.fields, request.changes)
        given = models.Contact.read({name: changed[name] for name in touched if name in changed}, invalid=_INVALID)
        untouched = {name: value for name, value in changed.items() if name not in touched}
        fields = untouched | self._fields(given, before=record.fields)
        self._check(fields, before=record.fields)
        self._contacts.update(record, fields)
        return record

    def delete(self, contact_id: str) -> None:
        self._contacts.delete(self._contacts.canonical(contact_id))

    def promote(self, contact_id: str) -> Record:
        record = self._contacts.canonical(contact_id)
        if record.type == "Curated":
            raise errors.bad_request(
                "The contact is a curated contact and cannot be promoted", code="promotion.of.curated.contact.failed"
            )
        self._contacts.promote(record)
        return record

    # Identifiers

    def lookup(self, body: object) -> Record:
        identifier = models.Identifier.read(body, invalid="The provided identifier is not valid.")
        divisions = self._organization.divisions_to_read([identifier.division.id] if identifier.division else [])
        if record := self._contacts.claimant(key_of(identifier), divisions):
            return record
        raise errors.generic(404)

    def claim_or_release(self, contact_id: str, body: object) -> tuple[Record, Key, float]:
        """The contact, the identifier, and since when it is (or was) claimed."""
        operation = body.get("operation") if isinstance(body, dict) else None
        if isinstance(operation, str) and operation not in {"Claim", "Release"}:
            raise errors.bad_request("Invalid operation type", "operation", code="invalid.operation.type")
        request = models.ClaimRequest.read(body, invalid="Field operation is not valid")
        record = self._contacts.canonical(contact_id)
        division = request.identifier.division
        if division and division.id not in {record.division, UNASSIGNED}:
            raise errors.invalid_division(division.id)
        key = key_of(request.identifier)
        if request.operation == "Claim":
            return record, key, self._claim(record, key, request.identifier.value)
        since = record.claims.get(key)
        if since is None:
            raise ApiError(
                404,
                "identifier.cannot.be.released",
                "Identifier cannot be released because it is not claimed by the contact",
                ("identifier",),
                entity_id=record.id,
            )
        self._contacts.release(record, key, without(record.fields, key))
        return record, key, since

    def _claim(self, record: Record, key: Key, value: str) -> float:
        holder = self._contacts.claimant(key, [record.division])
        if holder is record:
            return record.claims[key]
        if holder:
            raise ApiError(409, "identifier.claim.conflict", "Identifier is already claimed", ("identifier",))
        change = placed(record.fields, key, value)
        if change is None:
            raise ApiError(
                422,
                "identifier.cannot.be.claimed",
                "Identifier cannot be claimed as there's no empty field on the contact to place the identifier",
                ("identifier",),
                entity_id=record.id,
            )
        fields = record.fields | change
        self._check(fields, before=record.fields)
        self._contacts.claim(record, key, fields)
        return record.claims[key]

    # Merging

    def merge(self, body: object) -> Record:
        request = models.MergeRequest.read(body, invalid="User supplied an invalid merge request")
        records = self._to_merge(request.contact_ids)
        override = self._fields(request.value_override, before={}) if request.value_override else {}
        fields = merged_fields(records, override)
        self._check(fields, before=merged_fields(records))
        return self._contacts.merge(records, fields)

    def merge_two(self, body: object) -> Record:
        """The deprecated operation: two contacts, not both curated."""
        request = models.TwoContactMergeRequest.read(body, invalid="User supplied an invalid merge request")
        records = self._to_merge([request.source_contact_id, request.target_contact_id])
        if all(record.type == "Curated" for record in records):
            raise errors.validation_failed(
                "User supplied an invalid merge request", [("sourceContactId", "and targetContactId are both curated")]
            )
        return self._contacts.merge(records, merged_fields(records), two_way=True)

    def merge_records(self, records: Sequence[Record]) -> Record:
        check_mergeable(records)
        return self._contacts.merge(records, merged_fields(records))

    def _to_merge(self, contact_ids: Iterable[str]) -> list[Record]:
        records: dict[str, Record] = {}
        for contact_id in contact_ids:
            record = self._contacts.stored(contact_id)
            if record is None:
                message = "One of the contacts in the merge request was not found by ID."
                raise errors.entity_not_found("Contact", contact_id, message)
            head = self._contacts.head(record)
            records[head.id] = head
        check_mergeable(list(records.values()))
        return list(records.values())

    # Enrich

    def enrich(self, request: models.EnrichRequest, *, dry_run: bool, max_identifiers: int) -> Enriched:
        division = self._organization.division_to_write(request.division)
        provided = self._fields(request.contact, before={}) if request.contact else {}
        rules = rules_of(request.field_rules)
        matches = self._matches(request)
        if request.action == "Insert" and matches:
            raise ApiError(
                409,
                "matching.contact.found",
                "Another contact was found by `matchingIdentifiers`; will not insert duplicate.",
                entity_id=matches[0].id,
                entity_name="Contact",
            )
        if request.action == "Update" and not matches:
            message = "No matching contact was found by `matchingIdentifiers`; can not update."
            raise ApiError(404, "matching.contact.not.found", message)
        if not matches:
            self._check(provided, before={})
            if dry_run:
                return Enriched(201, self._sketch(provided, division=division))
            return Enriched(201, self._contacts.insert(provided, division=division, kind="Curated"))
        inputs = matches if request.action == "Merge" else matches[:1]
        before = inputs[0].fields if len(inputs) == 1 else self._fields_of_merge(inputs, max_identifiers)
        fields = combined(before, provided, rules)
        self._check(fields, before=before)
        if dry_run:
            return Enriched(200, self._would_be(inputs, fields, promote=request.options.promote))
        if len(inputs) > 1:
            record = self._contacts.merge(inputs, fields, promote=request.options.promote)
        else:
            record = inputs[0]
            self._contacts.update(record, fields, kind="Curated" if request.options.promote else None)
        return Enriched(200, record)

    def _matches(self, request: models.EnrichRequest) -> list[Record]:
        """Contacts that claim one of the identifiers, in the identifiers' order."""
        found: dict[str, Record] = {}
        for identifier in request.matching_identifiers:
            division = identifier.division or request.division
            divisions = [self._organization.home.id]
            if division:
                divisions = list(self._organization.divisions_to_read([division.id]))
            if record := self._contacts.claimant(key_of(identifier), divisions):
                found[record.id] = record
        return list(found.values())

    def _fields_of_merge(self, records: Sequence[Record], max_identifiers: int) -> JSON:
        check_mergeable(records)
        if sum(len(record.claims) for record in records) > max_identifiers:
            message = "Tried to merge, but at least one Contact involved has too many identifiers"
            raise ApiError(409, "too.many.identifiers", message)
        return merged_fields(records)

    def _would_be(self, inputs: Sequence[Record], fields: JSON, *, promote: bool) -> Record:
        if len(inputs) == 1:
            record = inputs[0]
            return replace(record, fields=fields, type="Curated" if promote else record.type)
        merged_from = tuple(record.id for record in inputs)
        return replace(self._sketch(fields, division=inputs[0].division), merged_from=merged_from)

    def _sketch(self, fields: JSON, *, division: str) -> Record:
        """A record that is not in the store, to show what a dry run would insert."""
        now = self._contacts.clock.now()
        return Record("", division, "Curated", fields, now, now, 0, now, claims=dict.fromkeys(keys_in(fields), now))

    # Fields

    def _fields(self, given: models.Contact, *, before: JSON) -> JSON:
        """A request's contact in stored form: numbers read, ids unique, the schema's version filled in."""
        fields = given.wire()
        fields.pop("id", None)
        fields.pop("division", None)
        for slot in PHONE_SLOTS:
            if slot in fields and (phone := phones.stored(fields.pop(slot))):
                old = before.get(slot, {})
                same = old.get("display") == phone["display"] == phone["userInput"]
                fields[slot] = phone | ({"userInput": old["userInput"]} if same else {})
        if whatsapp := fields.get("whatsAppId"):
            fields["whatsAppId"] = whatsapp | {"phoneNumber": phones.stored_whatsapp(whatsapp["phoneNumber"])}
        for name in ("externalIds", "appleOpaqueIds"):
            if name in fields:
                fields[name] = _unique(fields[name])
        if (schema := fields.get("schema")) and "version" not in schema:
            fields["schema"] = schema | {"version": self._schemas.latest_version(schema["id"]) or 1}
        return fields

    def _check(self, fields: JSON, *, before: JSON) -> None:
        self._sources.check(fields, before=before)
        self._schemas.check(fields, before=before)


def _unique(entries: list[JSON]) -> list[JSON]:
    return [entry for position, entry in enumerate(entries) if entry not in entries[:position]]
