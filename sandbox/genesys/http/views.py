"""Contacts and identifiers as responses show them."""

from collections.abc import Collection

from ..organization.clock import iso
from ..organization.contacts import Record
from ..organization.errors import JSON
from ..organization.identifiers import Key
from ..world import World

CONTACTS = "/api/v2/externalcontacts/contacts"
EXPAND = ("externalOrganization", "externalDataSources", "identifiers", "externalSources", "division")


def reference(contact_id: str) -> JSON:
    return {"id": contact_id, "selfUri": f"{CONTACTS}/{contact_id}"}


def contact(world: World, record: Record, expand: Collection[str] = ()) -> JSON:
    view: JSON = {"id": record.id} if record.id else {}  # what a dry run would insert has no id
    view["division"] = world.organization.division_reference(record.division, named="division" in expand)
    view |= record.fields
    if "externalIds" in view:
        view["externalIds"] = [
            {"externalSource": _source(world, entry["externalSource"]["id"], expand), "value": entry["value"]}
            for entry in view["externalIds"]
        ]
    if "schema" in view:
        view["schema"] = {**view["schema"], "selfUri": f"{CONTACTS}/schemas/{view['schema']['id']}"}
    if "identifiers" in expand:
        view["identifiers"] = [identifier(world, record, key, since, expand) for key, since in record.claims.items()]
    if "externalDataSources" in expand:
        view["externalDataSources"] = []
    view |= {"type": record.type, "createDate": iso(record.created), "modifyDate": iso(record.modified)}
    view |= _merge_tree(world, record)
    if record.id:
        view["selfUri"] = f"{CONTACTS}/{record.id}"
    return view


def _merge_tree(world: World, record: Record) -> JSON:
    tree: JSON = {}
    head = world.contacts.head(record)
    if head.merge_set:
        tree["canonicalContact"] = reference(head.id)
        tree["mergeSet"] = [reference(member) for member in head.merge_set]
    if record.merged_from:
        tree["mergedFrom"] = [reference(source) for source in record.merged_from]
    if record.merged_to:
        tree["mergedTo"] = reference(record.merged_to)
    if record.merge_operation:
        roles = ("sourceContact", "targetContact", "resultingContact")
        tree["mergeOperation"] = dict(zip(roles, map(reference, record.merge_operation), strict=True))
    return tree


def identifier(world: World, record: Record, key: Key, since: float, expand: Collection[str] = ()) -> JSON:
    view: JSON = {
        "division": world.organization.division_reference(record.division, named="division" in expand),
        "type": key.type,
        "value": key.value,
        "dateCreated": iso(since),
    }
    return view | ({"externalSource": _source(world, key.source, expand)} if key.source else {})


def _source(world: World, source_id: str, expand: Collection[str]) -> JSON:
    if "externalSources" in expand and (source := world.sources.find(source_id)):
        return source
    return {"id": source_id, "selfUri": f"/api/v2/externalcontacts/externalsources/{source_id}"}
