"""Merging: what survives where, who answers for whom, and when it is refused."""

from typing import Any

from tests.sandbox.genesys.conftest import Api

JSON = dict[str, Any]
PATH = "/externalcontacts/contacts/merge"


def test_the_most_recently_modified_contact_wins_and_the_override_beats_it(api: Api) -> None:
    one = api.contact(firstName="One", middleName="Mid", title="Mr")
    other = api.contact(firstName="Two", title="Dr")
    api.ok("PUT", f"/externalcontacts/contacts/{one['id']}", {"firstName": "One", "middleName": "Mid", "title": "Mr"})
    merged = api.merge(one["id"], other["id"], title="Prof")
    assert (merged["firstName"], merged["middleName"], merged["title"]) == ("One", "Mid", "Prof")


def test_a_displaced_number_moves_to_a_free_slot(api: Api) -> None:
    old = api.contact(workPhone={"display": "+12125550181"}, cellPhone={"display": "+12125550183"})
    new = api.contact(workPhone={"display": "+12125550182"}, homePhone={"display": "212 555 0181"})
    merged = api.merge(old["id"], new["id"])
    slots = {
        slot: merged[slot]["e164"][-1]
        for slot in ("workPhone", "cellPhone", "homePhone", "otherPhone")
        if slot in merged
    }
    assert slots == {"workPhone": "2", "cellPhone": "3", "homePhone": "1"}  # ...181 has a slot already

    newer = api.contact(workPhone={"display": "+12125550184"})
    merged = api.merge(merged["id"], newer["id"])
    assert (merged["workPhone"]["e164"][-1], merged["otherPhone"]["e164"][-1]) == ("4", "2")


def test_what_finds_no_slot_still_leads_to_the_merged_contact(api: Api) -> None:
    contacts = [
        api.contact(workEmail=f"{n}a@x.example", personalEmail=f"{n}b@x.example", otherEmail=f"{n}c@x.example")
        for n in range(2)
    ]
    merged = api.merge(*(contact["id"] for contact in contacts))
    assert [merged[slot][0] for slot in ("workEmail", "personalEmail", "otherEmail")] == ["1", "1", "1"]
    assert api.find("Email", "0a@x.example") == merged["id"]


def test_every_ancestor_leads_to_the_head_and_is_kept_as_it_was(api: Api) -> None:
    a, b, c = (api.contact(firstName=name, workEmail=f"{name}@x.example") for name in "abc")
    first = api.merge(a["id"], b["id"])
    head = api.merge(first["id"], c["id"])
    tree = {a["id"], b["id"], c["id"], first["id"], head["id"]}
    for member in tree:
        assert api.get(member)["id"] == head["id"]
    assert {member["id"] for member in head["mergeSet"]} == tree
    ancestor = api.ok("GET", f"/externalcontacts/contacts/{a['id']}/unresolved")
    assert (ancestor["id"], ancestor["firstName"], ancestor["mergedTo"]["id"]) == (a["id"], "a", first["id"])
    assert ancestor["canonicalContact"]["id"] == head["id"]
    assert [contact["id"] for contact in api.ok("GET", "/externalcontacts/scan/contacts")["entities"]] == [head["id"]]

    api.ok("PUT", f"/externalcontacts/contacts/{b['id']}", {"firstName": "Changed"})
    assert api.get(head["id"])["firstName"] == "Changed"
    api.ok("DELETE", f"/externalcontacts/contacts/{c['id']}")
    for member in tree:
        assert api.refused("GET", f"/externalcontacts/contacts/{member}") == (404, "entity.not.found")


def test_a_tree_has_at_most_52_members(api: Api) -> None:
    def people(count: int) -> list[str]:
        return [api.contact(firstName="A")["id"] for _ in range(count)]

    one, same, smaller = (api.merge(*people(count))["id"] for count in (25, 25, 24))  # trees of 26, 26 and 25
    assert api.refused("POST", PATH, {"contactIds": [one, same]}) == (409, "mergeset.max.size")
    assert len(api.merge(one, smaller)["mergeSet"]) == 52


def test_merges_that_make_no_sense(api: Api) -> None:
    europe = api.ok("GET", "/authorization/divisions", name="Europe")["entities"][0]["id"]
    one, other = api.contact(firstName="A")["id"], api.contact(firstName="B", division={"id": europe})["id"]
    unknown = "00000000-0000-4000-8000-000000000000"
    assert api.refused("POST", PATH, {"contactIds": [one, other]}) == (422, "merge.across.divisions.disallowed")
    assert api.refused("POST", PATH, {"contactIds": [one, unknown]}) == (404, "entity.not.found")
    assert api.refused("POST", PATH, {"contactIds": [one]}) == (422, "validation.failed")
    assert api.refused("POST", PATH, {"contactIds": [one, one]}) == (422, "validation.failed")
    assert api.refused("POST", PATH, {"contactIds": [one] * 26}) == (422, "validation.failed")
    two_curated = {"sourceContactId": one, "targetContactId": api.contact(firstName="C")["id"]}
    assert api.refused("POST", "/externalcontacts/merge/contacts", two_curated) == (422, "validation.failed")


def test_custom_fields_of_one_schema_are_combined(api: Api) -> None:
    fields = {name: {"allOf": [{"$ref": "#/definitions/checkbox"}]} for name in ("vip", "blocked")}
    schema = {"id": api.ok("POST", "/externalcontacts/contacts/schemas", {"jsonSchema": {"properties": fields}})["id"]}
    old = api.contact(schema=schema, customFields={"vip": False, "blocked": True})
    new = api.contact(schema=schema, customFields={"vip": True})
    merged = api.merge(old["id"], new["id"])
    assert merged["customFields"] == {"vip": True, "blocked": True}
