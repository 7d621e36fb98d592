"""Enrich: whom it finds, and how the fields combine."""

from typing import Any

import pytest

from sandbox.genesys import Control
from tests.sandbox.genesys.conftest import Api

JSON = dict[str, Any]
PATH = "/externalcontacts/contacts/enrich"
BULK = "/externalcontacts/bulk/contacts/enrich"


def request(*emails: str, action: str = "Upsert", contact: JSON | None = None, **more: object) -> JSON:
    identifiers = [{"type": "Email", "value": email} for email in emails]
    return {"action": action, "matchingIdentifiers": identifiers, "contact": contact or {}, **more}


@pytest.mark.parametrize("action", ["Insert", "Upsert", "Merge"])
def test_without_a_match_a_curated_contact_is_created(api: Api, action: str) -> None:
    response = api.send("POST", PATH, request("a@x.example", action=action, contact={"firstName": "A"}))
    assert (response.status_code, response.json()["type"]) == (201, "Curated")
    assert api.find("Email", "a@x.example") is None  # identifiers match; they are not data


def test_without_a_match_there_is_nothing_to_update(api: Api) -> None:
    assert api.refused("POST", PATH, request("a@x.example", action="Update")) == (404, "matching.contact.not.found")


def test_with_a_match_nothing_is_inserted(api: Api) -> None:
    api.contact(workEmail="a@x.example")
    assert api.refused("POST", PATH, request("a@x.example", action="Insert")) == (409, "matching.contact.found")


@pytest.mark.parametrize("action", ["Upsert", "Update"])
def test_the_first_match_in_the_order_of_the_identifiers_is_updated(api: Api, action: str) -> None:
    api.contact(workEmail="a@x.example")
    second = api.contact(workEmail="b@x.example")
    response = api.send("POST", PATH, request("none@x.example", "b@x.example", "a@x.example", action=action))
    assert (response.status_code, response.json()["id"]) == (200, second["id"])


def test_merge_puts_all_matches_into_a_new_contact(api: Api) -> None:
    ids = [api.contact(workEmail=f"{name}@x.example")["id"] for name in "ab"]
    response = api.send(
        "POST", PATH, request("a@x.example", "b@x.example", action="Merge", contact={"lastName": "Vale"})
    )
    merged = response.json()
    assert response.status_code == 200
    assert sorted(source["id"] for source in merged["mergedFrom"]) == sorted(ids)
    assert merged["id"] not in ids
    assert merged["lastName"] == "Vale"
    assert {merged["workEmail"], merged["personalEmail"]} == {"a@x.example", "b@x.example"}


STORED = {"firstName": "Old", "middleName": "Mid", "address": {"city": "Rome", "state": "RM"}}
GIVEN = {"firstName": "New", "title": "Dr", "address": {"city": "Oslo"}}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (
            {},
            {"firstName": "New", "middleName": "Mid", "title": "Dr", "address": {"city": "Oslo", "state": "RM"}},
        ),
        (
            {"defaultAction": "PreferExisting"},
            {"firstName": "Old", "middleName": "Mid", "title": "Dr", "address": {"city": "Rome", "state": "RM"}},
        ),
        (
            {"defaultAction": "AlwaysUseProvided"},
            {"firstName": "New", "middleName": None, "title": "Dr", "address": {"city": "Oslo"}},
        ),
        (
            {"defaultAction": "PreferExisting", "rules": [{"field": "$.address.city", "action": "PreferProvided"}]},
            {"firstName": "Old", "address": {"city": "Oslo", "state": "RM"}},
        ),
        (
            {
                "rules": [
                    {"field": "$.address", "action": "AlwaysUseProvided"},
                    {"field": "$.firstName", "action": "PreferExisting"},
                ]
            },
            {"firstName": "Old", "middleName": "Mid", "address": {"city": "Oslo"}},
        ),
    ],
)
def test_field_rules(api: Api, rules: JSON, expected: JSON) -> None:
    api.contact(**STORED, workEmail="a@x.example")
    given = {**GIVEN, "workEmail": "a@x.example"}
    enriched = api.ok("POST", PATH, request("a@x.example", contact=given, fieldRules=rules))
    assert {name: enriched.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("rule", "values"),
    [("Replace", ["9", "10"]), ("Fill", ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]), ("Extend", None)],
)
def test_array_rules(api: Api, rule: str, values: list[str] | None) -> None:
    source = api.source()

    def ids(*numbers: int) -> list[JSON]:
        return [{"externalSource": {"id": source}, "value": str(number)} for number in numbers]

    api.contact(workEmail="a@x.example", externalIds=ids(*range(9)))
    body = request(
        "a@x.example",
        contact={"externalIds": ids(9, 10)},
        fieldRules={"rules": [{"field": "$.externalIds", "arrayAction": rule}]},
    )
    if values is None:
        assert api.refused("POST", PATH, body) == (422, "validation.failed")
    else:
        assert [entry["value"] for entry in api.ok("POST", PATH, body)["externalIds"]] == values


@pytest.mark.parametrize("field", ["$.externalIds[0]", "$['firstName']", "$.*", "firstName"])
def test_rules_name_fields_by_dots_only(api: Api, field: str) -> None:
    rules = {"rules": [{"field": field, "action": "PreferExisting"}]}
    assert api.refused("POST", PATH, request("a@x.example", fieldRules=rules)) == (422, "validation.failed")


@pytest.mark.parametrize(("promote", "kind"), [(True, "Curated"), (False, "Ephemeral")])
def test_promotion_of_a_match(api: Api, control: Control, promote: bool, kind: str) -> None:
    control.call("POST", "/interactions", {"identifier": {"type": "Email", "value": "a@x.example"}})
    body = request("a@x.example", contact={"firstName": "A"}, options={"promote": promote})
    assert api.ok("POST", PATH, body)["type"] == kind


def test_a_dry_run_shows_the_result_and_changes_nothing(api: Api) -> None:
    one = api.contact(firstName="A", workEmail="a@x.example")
    api.contact(firstName="B", workEmail="b@x.example")

    def everything() -> list[JSON]:
        return list(api.ok("GET", "/externalcontacts/scan/contacts")["entities"])

    before = everything()
    both, data = ("a@x.example", "b@x.example"), {"lastName": "Vale"}
    updated = api.ok("POST", PATH, request(*both, contact=data), dryRun="true")
    assert (updated["id"], updated["lastName"]) == (one["id"], "Vale")
    merged = api.ok("POST", PATH, request(*both, action="Merge", contact=data), dryRun="true")
    assert (len(merged["mergedFrom"]), "id" in merged) == (2, False)
    response = api.send("POST", PATH, request("c@x.example", contact=data), dryRun="true")
    assert (response.status_code, "id" in response.json()) == (201, False)
    assert everything() == before


def test_bulk_fails_item_by_item_and_keeps_no_order(api: Api, control: Control) -> None:
    operations = [request(f"{n}@x.example", contact={"workEmail": f"{n}@x.example"}, id=f"op-{n}") for n in range(8)]
    operations.append(request("x@x.example", contact={"workEmail": "no address"}, id="bad"))
    answer = api.ok("POST", BULK, {"entities": operations})
    assert (answer["errorCount"], len(answer["results"])) == (1, 9)
    [failed] = [answer["results"][index] for index in answer["errorIndexes"]]
    assert (failed["id"], failed["success"], failed["status"]) == ("bad", False, 422)
    assert failed["error"]["entity"] == operations[-1]
    assert [result["id"] for result in answer["results"]] != [operation["id"] for operation in operations]
    control.configure(shuffle_bulk_results=False)
    answer = api.ok("POST", BULK, {"entities": operations})
    assert [result["id"] for result in answer["results"]] == [operation["id"] for operation in operations]


def test_bulk_requests_that_are_refused_whole(api: Api) -> None:
    good = request("a@x.example", contact={"firstName": "A"})
    malformed = {**good, "action": "Delete"}
    assert api.refused("POST", BULK, {"entities": [good] * 11}) == (422, "validation.failed")
    assert api.refused("POST", BULK, {"entities": []}) == (422, "validation.failed")
    assert api.refused("POST", BULK, {"entities": [good, malformed]}) == (400, "invalid.value")
    assert api.ok("GET", "/externalcontacts/scan/contacts")["entities"] == []
