"""Finding contacts: by identifier, by field, by keyword, and all of them."""

from collections.abc import Iterable, Sequence

from ...organization import models, phones
from ...organization.contacts import Record
from ...organization.errors import JSON, invalid_parameter
from ...organization.identifiers import Key
from .. import cursors, views
from ..calls import Call, Reply, numbered

SEARCH_WINDOW = 1000  # "pageNumber * pageSize must be <= 1,000"
MAX_REVERSE = 25  # "Maximum of 25 values returned"
_SORTABLE = ("firstName", "lastName", "middleName", "title")


def by_identifier(call: Call) -> Reply:
    expand = call.many("expand", allowed=views.EXPAND)
    return Reply(200, views.contact(call.world, call.world.service.lookup(call.body), expand))


def reverse_white_pages(call: Call) -> Reply:
    """Every contact with this e-mail address, E.164 number or Twitter screen name in one of its fields."""
    value = call.query.get("lookupVal", "").strip()
    if not value:
        raise invalid_parameter("lookupVal", "", "an e-mail address, an e164 phone number or a Twitter screen name")
    allowed = ("contacts.externalOrganization", "externalDataSources", "division")
    expand = call.many("expand", allowed=allowed)
    divisions = call.world.organization.divisions_to_read([call.query.get("divisionId") or "*"])
    found: dict[str, Record] = {}
    for key in _possible_keys(value):
        for record in call.world.contacts.holders(key):
            if record.division in divisions:
                found[record.id] = record
    contacts = [views.contact(call.world, record, expand) for record in list(found.values())[:MAX_REVERSE]]
    return Reply(200, {"contacts": contacts})


def _possible_keys(value: str) -> Iterable[Key]:
    if value.startswith("+") and (parsed := phones.parse(value)):
        return (Key("Phone", parsed.e164),)
    if "@" in value[1:]:
        return (Key("Email", value.lower()),)
    return (Key("SocialTwitter", value.removeprefix("@").lower()),)


def search(call: Call) -> Reply:
    expand = call.many("expand", allowed=views.EXPAND)
    found = _found(
        call,
        query=call.query.get("q", ""),
        order=call.many("sortOrder"),
        divisions=call.many("divisionIds", maximum=50),
    )
    size = call.number("pageSize", default=20, high=SEARCH_WINDOW)
    return Reply(200, _listing(call, found, expand, size=size, number=call.number("pageNumber", default=1)))


def search_by_body(call: Call) -> Reply:
    request = models.SearchRequest.read(call.body)
    simple = request.operation.simple_search
    found = _found(
        call, query=simple.query, order=simple.sort_order, divisions=request.division_ids, ids=frozenset(simple.ids)
    )
    return Reply(
        200,
        _listing(call, found, request.expand, size=request.page_size, number=request.page_number, linked=False),
    )


def _listing(
    call: Call, found: Sequence[Record], expand: Sequence[str], *, size: int, number: int, linked: bool = True
) -> JSON:
    listing = numbered(
        call, [{"record": record} for record in found], size=size, number=number, window=SEARCH_WINDOW, linked=linked
    )
    listing["entities"] = [views.contact(call.world, entry["record"], expand) for entry in listing["entities"]]
    return listing


def _found(
    call: Call, *, query: str, order: Sequence[str], divisions: Sequence[str], ids: frozenset[str] = frozenset()
) -> list[Record]:
    """Curated canonical contacts in which every word of the query begins a word."""
    allowed = call.world.organization.divisions_to_read(divisions)
    words = [f" {word}" for word in query.lower().split()]
    found = [
        record
        for record in call.world.contacts
        if record.type == "Curated"
        and record.division in allowed
        and (not ids or record.id in ids)
        and all(word in record.text for word in words)
    ]
    for field, descending in reversed([_sort_key(entry) for entry in order]):
        found.sort(key=lambda record: str(record.fields.get(field, "")).lower(), reverse=descending)
    return found


def _sort_key(entry: str) -> tuple[str, bool]:
    field, _, direction = entry.partition(":")
    if field not in _SORTABLE or direction not in {"", "asc", "desc"}:
        raise invalid_parameter("sortOrder", entry, f"{', '.join(_SORTABLE)} with :asc or :desc")
    return field, direction == "desc"


def scan(call: Call) -> Reply:
    """All canonical contacts, oldest first, a page at a time. A page costs as much as it is long."""
    limit = call.number("limit", default=100, low=10, high=200)
    division = call.query.get("divisionId") or "*"
    divisions = call.world.organization.divisions_to_read([division])
    store, now, scope = call.world.contacts, call.world.clock.now(), (call.path, division)
    given = call.query.get("cursor")
    position = cursors.position(given, scope=scope, now=now) if given else 0
    page: list[JSON] = []
    while position < len(store.order) and len(page) < limit:
        record = store.stored(store.order[position])
        position += 1
        if record and not record.merged_to and record.division in divisions:
            page.append(views.contact(call.world, record))
    listing: JSON = {"entities": page, "selfUri": call.uri()}
    if position < len(store.order):
        after = cursors.encode(scope=scope, position=position, now=now)
        listing |= {"cursors": {"after": after}, "nextUri": call.uri(cursor=after)}
    return Reply(200, listing)
