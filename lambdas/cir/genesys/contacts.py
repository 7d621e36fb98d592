"""External Contacts: find, read, write, claim, enrich, merge, scan."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal, cast

from cir.genesys.connection import Connection, Parameter
from cir.genesys.errors import (
    ConflictError,
    CursorExpiredError,
    IdentifierTakenError,
    InvalidRequestError,
    NotFoundError,
    scrub,
)
from cir.genesys.models import (
    Contact,
    ContactIdentifier,
    Enriched,
    EnrichError,
    EnrichRequest,
    EnrichResult,
    PatchChange,
    ScanPage,
    merged_ids,
)
from cir.identity.rules import load_rules

BULK_LIMIT = 10
MERGE_LIMIT = 25
SCAN_LIMIT = 200

Expand = Literal["externalOrganization", "externalDataSources", "identifiers", "externalSources", "division"]
_CONTACTS = ("externalcontacts", "contacts")
_ADDING = frozenset({"AppendToCollection", "RemoveFromCollection"})


class Contacts:
    """`client.contacts`. Each method says when it is repeated by itself after an unclear failure."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, identifier: ContactIdentifier, *, expand: Sequence[Expand] = ()) -> Contact | None:
        """The contact that has claimed the identifier, looked for in all divisions that the client may see."""
        try:
            answer = self._connection.request(
                "contacts.find",
                "POST",
                ("externalcontacts", "identifierlookup", "contacts"),
                repeatable=True,
                query=_expand(expand),
                body=identifier,
            )
        except NotFoundError:
            return None
        return cast(Contact, answer.body)

    def find_all(self, value: str, *, division_id: str | None = None) -> list[Contact]:
        """Up to 25 contacts on which a phone (E.164), e-mail address or Twitter name stands, claimed or not."""
        answer = self._connection.request(
            "contacts.find_all",
            "GET",
            ("externalcontacts", "reversewhitepageslookup"),
            repeatable=True,
            query={"lookupVal": value, "divisionId": division_id},
        )
        return cast(list[Contact], answer.body.get("contacts") or [])

    def get(self, contact_id: str, *, expand: Sequence[Expand] = ()) -> Contact:
        """The contact; of a merged one the canonical contact, so mind the returned `id`. Raises NotFoundError."""
        return self._contact("contacts.get", "GET", contact_id, repeatable=True, query=_expand(expand))

    def get_unresolved(self, contact_id: str, *, expand: Sequence[Expand] = ()) -> Contact:
        """The contact as stored under this very id, merged or not. Raises NotFoundError."""
        return self._contact(
            "contacts.get_unresolved", "GET", contact_id, "unresolved", repeatable=True, query=_expand(expand)
        )

    def patch(self, contact_id: str, changes: Sequence[PatchChange]) -> Contact:
        """Change single fields. Repeated, unless a change adds to or removes from a collection."""
        return self._contact(
            "contacts.patch",
            "PATCH",
            contact_id,
            repeatable=not any(change["action"] in _ADDING for change in changes),
            body={"changes": list(changes)},
        )

    def delete(self, contact_id: str) -> bool:
        """Delete the contact; False if there was none. Repeated, so after a repetition False can mean done."""
        try:
            self._connection.request("contacts.delete", "DELETE", (*_CONTACTS, contact_id), repeatable=True)
        except NotFoundError:
            return False
        return True

    def identifiers(self, contact_id: str) -> list[ContactIdentifier]:
        """What the contact has claimed."""
        answer = self._connection.request(
            "contacts.identifiers", "GET", (*_CONTACTS, contact_id, "identifiers"), repeatable=True
        )
        return cast(list[ContactIdentifier], answer.body.get("entities") or [])

    def claim(self, contact_id: str, identifier: ContactIdentifier) -> None:
        """Make the identifier lead to this contact. Repeated; nothing happens if it does already.

        Raises IdentifierTakenError (with the holder) if it leads to another contact, and InvalidRequestError (code
        `identifier.cannot.be.claimed`) if the contact has no free field for it.
        """
        conflict: ConflictError | None = None
        try:
            self._change_identifier("Claim", contact_id, identifier)
        except ConflictError as error:
            if error.code != "identifier.claim.conflict":
                raise
            conflict = error
        if conflict is None:
            return
        holder = self.find(identifier)
        if holder and contact_id in {holder["id"], *merged_ids(holder)}:
            return
        taken = IdentifierTakenError(
            str(conflict),
            operation=conflict.operation,
            status=conflict.status,
            code=conflict.code,
            message=conflict.message,
            correlation_id=conflict.correlation_id,
        )
        taken.holder = holder["id"] if holder else None
        raise taken

    def release(self, contact_id: str, identifier: ContactIdentifier) -> bool:
        """Undo a claim; False if the contact did not have it. Repeated."""
        try:
            self._change_identifier("Release", contact_id, identifier)
        except NotFoundError as error:
            if error.code != "identifier.cannot.be.released":
                raise
            return False
        return True

    def enrich(self, request: EnrichRequest, *, dry_run: bool = False) -> Enriched:
        """Create, update or merge in one atomic call. Repeated if `safe_to_repeat`.

        Raises NotFoundError (`matching.contact.not.found`) for an Update that matches nothing and ConflictError
        (`matching.contact.found`) for an Insert that matches.
        """
        answer = self._connection.request(
            "contacts.enrich",
            "POST",
            (*_CONTACTS, "enrich"),
            repeatable=dry_run or safe_to_repeat(request),
            query={"dryRun": dry_run or None},
            body=request,
        )
        return Enriched(answer.body, created=answer.status == 201)

    def enrich_many(self, requests: Sequence[EnrichRequest], *, dry_run: bool = False) -> list[EnrichResult]:
        """Up to ten enrich requests in one call; results in the order of the requests, failed ones with their error.

        A request without `id` gets its position as its id. Repeated if all of them are `safe_to_repeat`.
        """
        if not 1 <= len(requests) <= BULK_LIMIT:
            raise ValueError(f"{len(requests)} enrich requests in one call; Genesys Cloud takes 1 to {BULK_LIMIT}")
        numbered = [cast(EnrichRequest, {"id": str(index), **request}) for index, request in enumerate(requests)]
        if len({request["id"] for request in numbered}) < len(numbered):
            raise ValueError("enrich requests of one call need different ids: results come back in any order")
        answer = self._connection.request(
            "contacts.enrich_many",
            "POST",
            ("externalcontacts", "bulk", "contacts", "enrich"),
            repeatable=dry_run or all(map(safe_to_repeat, requests)),
            query={"dryRun": dry_run or None},
            body={"entities": numbered},
        )
        results = {str(result.get("id")): result for result in answer.body.get("results") or []}
        return [_enrich_result(request, results.get(request["id"])) for request in numbered]

    def merge(self, contact_ids: Sequence[str], *, value_override: Contact) -> Contact:
        """Merge 2 to 25 contacts into a new one, which is returned; the old ids lead to it.

        Fields that `value_override` leaves out are taken from the contact that was modified last. Not repeated after an
        unclear failure: if the error says `may_have_applied`, read one of the contacts and see whether its id changed.
        """
        if not 2 <= len(set(contact_ids)) == len(contact_ids) <= MERGE_LIMIT:
            raise ValueError(f"a merge takes 2 to {MERGE_LIMIT} different contacts, not {len(set(contact_ids))}")
        answer = self._connection.request(
            "contacts.merge",
            "POST",
            (*_CONTACTS, "merge"),
            repeatable=False,
            body={"contactIds": list(contact_ids), "valueOverride": value_override},
        )
        return cast(Contact, answer.body)

    def scan(
        self, *, cursor: str | None = None, division_id: str | None = None, limit: int = SCAN_LIMIT
    ) -> Iterator[ScanPage]:
        """All contacts, page by page (10 to 200 each). Keep a page's cursor to go on from there within 24 hours."""
        while True:
            try:
                body = self._connection.request(
                    "contacts.scan",
                    "GET",
                    ("externalcontacts", "scan", "contacts"),
                    repeatable=True,
                    query={"limit": limit, "cursor": cursor, "divisionId": division_id},
                ).body
            except InvalidRequestError as error:
                if cursor is None or error.code != "unprocessable.entity":
                    raise
                body = None
            if body is None:
                raise CursorExpiredError(
                    "contacts.scan: Genesys Cloud does not know the cursor (any more): it lives for 24 hours. "
                    "Start the scan again from the beginning.",
                    operation="contacts.scan",
                    status=422,
                    code="unprocessable.entity",
                )
            cursor = (body.get("cursors") or {}).get("after")
            yield ScanPage(body.get("entities") or [], cursor)
            if not cursor:
                return

    def _contact(
        self,
        operation: str,
        method: str,
        *path: str,
        repeatable: bool,
        query: Mapping[str, Parameter | None] | None = None,
        body: object = None,
    ) -> Contact:
        answer = self._connection.request(
            operation, method, (*_CONTACTS, *path), repeatable=repeatable, query=query, body=body
        )
        return cast(Contact, answer.body)

    def _change_identifier(
        self, change: Literal["Claim", "Release"], contact_id: str, identifier: ContactIdentifier
    ) -> None:
        self._connection.request(
            f"contacts.{change.lower()}",
            "PATCH",
            (*_CONTACTS, contact_id, "identifiers"),
            repeatable=True,
            body={"operation": change, "identifier": identifier},
        )


def safe_to_repeat(request: EnrichRequest) -> bool:
    """Whether doing it twice leaves what doing it once does.

    An Update creates nothing. An Upsert does, but finds its own contact the second time if that contact has claimed an
    identifier that belongs to one person only, which takes that the identifier is written as well as matched by.
    """
    rules = request.get("fieldRules") or {}
    extends = "Extend" in {
        rules.get("defaultArrayAction"),
        *(rule.get("arrayAction") for rule in rules.get("rules") or []),
    }
    if extends or request["action"] not in {"Update", "Upsert"}:
        return False
    if request["action"] == "Update":
        return True
    written = set(_strings(request.get("contact") or {}))
    return any(
        identifier["type"] in _exclusive_types() and identifier["value"] in written
        for identifier in request["matchingIdentifiers"]
    )


@cache
def _exclusive_types() -> frozenset[str]:
    return frozenset(rule.genesys_type for rule in load_rules().identifiers.values() if rule.exclusive)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str):
        yield value


def _enrich_result(request: EnrichRequest, result: Mapping[str, Any] | None) -> EnrichResult:
    if result is None:
        missing = EnrichError(
            status=0, code="no.result", message="Genesys Cloud told no outcome", retryable=True, fields=()
        )
        return EnrichResult(request["id"], error=missing)
    if result.get("success"):
        return EnrichResult(request["id"], contact=result.get("entity"), created=result.get("status") == 201)
    error = result.get("error") or {}
    return EnrichResult(
        request["id"],
        error=EnrichError(
            status=error.get("status") or result.get("status") or 0,
            code=error.get("code") or "",
            message=scrub(error.get("message") or "", request),
            retryable=bool(error.get("retryable")),
            fields=tuple(str(detail["fieldName"]) for detail in error.get("details") or [] if detail.get("fieldName")),
        ),
    )


def _expand(fields: Sequence[Expand]) -> dict[str, Parameter | None]:
    return {"expand": fields or None}
