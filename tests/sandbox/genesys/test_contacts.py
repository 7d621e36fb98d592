"""One contact: its slots, what the system makes of them, changes of single fields, custom fields, errors."""

from typing import Any

import pytest

from tests.sandbox.genesys.conftest import Api

JSON = dict[str, Any]
PATH = "/externalcontacts/contacts"


def change(field: str, action: str, value: object = None) -> JSON:
    return {"field": field, "action": action} | ({} if value is None else {"value": value})


@pytest.mark.parametrize(
    ("phone", "stored"),
    [
        ({"display": "2125550188"}, {"display": "+1 212-555-0188", "e164": "+12125550188", "countryCode": "US"}),
        (
            {"display": "07700 900123", "normalizationCountryCode": "+44"},
            {"e164": "+447700900123", "countryCode": "GB"},
        ),
        ({"display": "+44 20 7946 0123", "e164": "+1999"}, {"e164": "+442079460123"}),
        ({"display": "extension 12"}, {"display": "extension 12", "userInput": "extension 12", "e164": None}),
    ],
)
def test_phone_numbers_are_read_from_display(api: Api, phone: JSON, stored: JSON) -> None:
    answer = api.contact(workPhone=phone)["workPhone"]
    assert {name: answer.get(name) for name in stored} == stored
    assert answer["userInput"] == phone["display"]


def test_a_number_that_is_not_e164_is_kept_but_not_found(api: Api) -> None:
    contact = api.contact(workPhone={"display": "555"})
    assert "e164" not in contact["workPhone"]
    assert api.ok("GET", "/externalcontacts/reversewhitepageslookup", lookupVal="+1555") == {"contacts": []}


def test_what_is_read_can_be_written_back(api: Api) -> None:
    source = api.source()
    contact = api.contact(
        firstName="Iris",
        cellPhone={"display": "(917) 555-0142 x12"},
        whatsAppId={"phoneNumber": {"display": "447700900123"}},
        externalIds=[{"externalSource": {"id": source}, "value": "7"}],
    )
    again = api.ok("PUT", f"{PATH}/{contact['id']}", contact)
    system = {"modifyDate"}
    assert {k: v for k, v in again.items() if k not in system} == {k: v for k, v in contact.items() if k not in system}


def test_unknown_and_read_only_fields_are_ignored(api: Api) -> None:
    contact = api.contact(firstName="Iris", nickname="I", type="Ephemeral", mergeSet=[{"id": "x"}], lastName="  Vale ")
    assert "nickname" not in contact
    assert (contact["type"], contact["lastName"]) == ("Curated", "Vale")
    assert "mergeSet" not in contact


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"firstName": {"a": 1}}, (400, "invalid.value")),
        ({"workPhone": "+12125550188"}, (400, "invalid.value")),
        ({"surveyOptOut": "yes"}, (400, "invalid.value")),
        ({"externalIds": [{"value": "7"}]}, (400, "constraint.validation")),
        ([], (400, "bad.request")),
        ({"firstName": "x" * 1001}, (422, "validation.failed")),
        ({"workEmail": "iris at example"}, (422, "validation.failed")),
        ({"twitterId": {"name": "Iris"}}, (422, "validation.failed")),
        ({"twitterId": {"screenName": "iris vale"}}, (422, "validation.failed")),
        ({"facebookId": {"ids": [{"scopedId": "1"}, {"scopedId": "2"}]}}, (422, "validation.failed")),
        ({"whatsAppId": {"phoneNumber": {"display": "+447700900123"}}}, (422, "validation.failed")),
        ({"externalIds": [{"value": "7", "externalSource": {"id": "nowhere"}}]}, (422, "validation.failed")),
        ({"customFields": {"tier": "Gold"}}, (422, "custom.fields.validation.failed")),
        ({"division": {"id": "nowhere"}}, (400, "invalid.division.id")),
    ],
)
def test_bad_contacts_are_refused(api: Api, body: object, error: tuple[int, str]) -> None:
    assert api.refused("POST", PATH, body) == error
    assert api.ok("GET", "/externalcontacts/scan/contacts")["entities"] == []


def test_errors_name_the_field_and_keep_its_value_to_themselves(api: Api) -> None:
    response = api.send("POST", PATH, {"personalEmail": "iris at example"})
    assert response.json()["details"] == [{"errorCode": "validation.failed", "fieldName": "personalEmail"}]
    assert "iris" not in response.text


def test_at_most_ten_external_ids(api: Api) -> None:
    source = api.source()
    ids = [{"externalSource": {"id": source}, "value": str(n)} for n in range(11)]
    assert len(api.contact(externalIds=ids[:10] + ids[:1][:0])["externalIds"]) == 10
    assert api.refused("POST", PATH, {"externalIds": ids}) == (422, "validation.failed")


def test_an_inactive_source_takes_no_new_ids_but_keeps_the_old(api: Api) -> None:
    source = api.source()
    old = {"externalSource": {"id": source}, "value": "1"}
    contact = api.contact(externalIds=[old])
    api.ok("PUT", f"/externalcontacts/externalsources/{source}", {"name": "CRM", "active": False})
    new = {"externalSource": {"id": source}, "value": "2"}
    assert api.refused("PUT", f"{PATH}/{contact['id']}", {"externalIds": [old, new]}) == (422, "validation.failed")
    api.ok("PUT", f"{PATH}/{contact['id']}", {"firstName": "Iris", "externalIds": [old]})


@pytest.mark.parametrize(
    ("step", "field", "expected"),
    [
        (change("$.firstName", "Update", "Uma"), "firstName", "Uma"),
        (change("$.firstName", "UpdateIfEmpty", "Uma"), "firstName", "Iris"),
        (change("$.middleName", "UpdateIfEmpty", "M"), "middleName", "M"),
        (change("$.middleName", "UpdateIfExists", "M"), "middleName", None),
        (change("$.firstName", "UpdateIfExists", "Uma"), "firstName", "Uma"),
        (change("$.firstName", "Remove"), "firstName", None),
        (change("$.address.city", "Update", "Oslo"), "address", {"address1": "1 Main Street", "city": "Oslo"}),
        (change("$.address.address1", "Remove"), "address", None),
        (
            change("$.appleOpaqueIds", "AppendToCollection", [{"value": "A2"}]),
            "appleOpaqueIds",
            [{"value": "A1"}, {"value": "A2"}],
        ),
        (change("$.appleOpaqueIds", "AppendToCollection", [{"value": "A1"}]), "appleOpaqueIds", [{"value": "A1"}]),
        (change("$.appleOpaqueIds", "RemoveFromCollection", [{"value": "A1"}]), "appleOpaqueIds", None),
    ],
)
def test_patch_actions(api: Api, step: JSON, field: str, expected: object) -> None:
    contact = api.contact(firstName="Iris", address={"address1": "1 Main Street"}, appleOpaqueIds=[{"value": "A1"}])
    assert api.ok("PATCH", f"{PATH}/{contact['id']}", {"changes": [step]}).get(field) == expected


def test_patch_reads_a_changed_number_anew_and_leaves_the_others(api: Api) -> None:
    contact = api.contact(cellPhone={"display": "917-555-0142"}, workPhone={"display": "212 555 0188"})
    step = change("$.cellPhone.display", "Update", "+44 7700 900123")
    after = api.ok("PATCH", f"{PATH}/{contact['id']}", {"changes": [step]})
    assert after["cellPhone"]["e164"] == "+447700900123"
    assert after["workPhone"] == contact["workPhone"]
    assert api.find("Phone", "+447700900123") == contact["id"]
    assert api.find("Phone", "+19175550142") is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ([change("$.address", "Remove"), change("$.address.city", "Update", "Oslo")], (409, "request.conflict")),
        ([change("$.nickname", "Update", "I")], (400, "invalid.property")),
        ([change("$.type", "Update", "Curated")], (422, "validation.failed")),
        ([change("$['firstName']", "Update", "I")], (422, "validation.failed")),
        ([change("$.firstName", "AppendToCollection", "I")], (422, "validation.failed")),
        ([change("$.firstName", "Replace", "I")], (400, "invalid.value")),
        ([change("$.firstName", "Update", {"a": 1})], (400, "invalid.value")),
        ([], (422, "validation.failed")),
    ],
)
def test_bad_patches_change_nothing(api: Api, changes: list[JSON], error: tuple[int, str]) -> None:
    contact = api.contact(firstName="Iris", address={"city": "Rome"})
    assert api.refused("PATCH", f"{PATH}/{contact['id']}", {"changes": changes}) == error
    assert api.get(contact["id"]) == contact


def test_the_division_cannot_be_changed(api: Api) -> None:
    divisions = api.ok("GET", "/authorization/divisions")["entities"]
    europe = next(division["id"] for division in divisions if division["name"] == "Europe")
    contact = api.contact(firstName="Iris")
    assert api.refused("PUT", f"{PATH}/{contact['id']}", {"division": {"id": europe}}) == (400, "invalid.division.id")


FIELDS: dict[str, tuple[JSON, object, object]] = {  # definition, a valid value, an invalid one
    "text": ({"minLength": 1, "maxLength": 5}, "abc", "abcdef"),
    "longtext": ({"minLength": 0, "maxLength": 1000}, "x" * 1000, "x" * 1001),
    "enum": ({"enum": ["Gold"]}, "Gold", "Silver"),
    "identifier": ({"minLength": 0, "maxLength": 9}, "a-1", 7),
    "integer": ({"minimum": 0, "maximum": 9}, 9, 9.5),
    "number": ({"minimum": 0.5, "maximum": 9}, 0.5, 10),
    "date": ({}, "2026-02-28", "2026-02-30"),
    "datetime": ({}, "2026-02-28T10:00:00.000Z", "2026-02-28"),
    "checkbox": ({}, True, "true"),
    "tag": ({"items": {"minLength": 1, "maxLength": 3}, "minItems": 0, "maxItems": 2}, ["a", "b"], ["a", "b", "c"]),
}


def schema_of(**fields: JSON) -> JSON:
    properties = {name: {"allOf": [{"$ref": f"#/definitions/{name}"}], **given} for name, given in fields.items()}
    return {"jsonSchema": {"title": "Profile", "properties": properties}}


@pytest.mark.parametrize("core_type", FIELDS)
def test_custom_fields_follow_their_core_type(api: Api, core_type: str) -> None:
    definition, valid, invalid = FIELDS[core_type]
    schema = api.ok("POST", f"{PATH}/schemas", schema_of(**{core_type: definition}))
    reference = {"id": schema["id"], "version": 1}
    assert api.contact(schema=reference, customFields={core_type: valid})["customFields"] == {core_type: valid}
    body = {"schema": reference, "customFields": {core_type: invalid}}
    assert api.refused("POST", PATH, body) == (422, "custom.fields.validation.failed")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "constraint.validation"),
        (schema_of(text={"minLength": 0}), "dynamic.schema.validation.limit.missing"),
        (schema_of(text={"minLength": 0, "maxLength": 101}), "dynamic.schema.validation.limit.error"),
        (schema_of(colour={}), "dynamic.schema.invalid.json.schema"),
        ({"jsonSchema": {"title": "x" * 51}}, "dynamic.schema.length.limits.would.be.exceeded"),
        (
            {"jsonSchema": {"properties": {f"f{n}": {"allOf": [{"$ref": "#/definitions/date"}]} for n in range(26)}}},
            "dynamic.schema.limit.max.number.of.fields.per.schema.would.be.exceeded",
        ),
    ],
)
def test_bad_schemas_are_refused(api: Api, body: JSON, code: str) -> None:
    assert api.refused("POST", f"{PATH}/schemas", body) == (400, code)


def test_a_schema_only_grows(api: Api) -> None:
    schema = api.ok("POST", f"{PATH}/schemas", schema_of(date={}, checkbox={}))
    path = f"{PATH}/schemas/{schema['id']}"
    incompatible = (400, "dynamic.schema.incompatible.json.schema.update")
    assert api.refused("PUT", path, {"version": 1, **schema_of(date={})}) == incompatible
    contact = api.contact(schema={"id": schema["id"]}, customFields={"checkbox": True})
    disabled = {"version": 1, "enabled": False, **schema_of(date={}, checkbox={}, datetime={})}
    assert api.ok("PUT", path, disabled)["version"] == 2
    body = {"schema": {"id": schema["id"], "version": 2}}
    assert api.refused("POST", PATH, body) == (422, "custom.fields.validation.failed")
    step = change("$.customFields.checkbox", "Update", False)
    assert api.ok("PATCH", f"{PATH}/{contact['id']}", {"changes": [step]})["customFields"] == {"checkbox": False}
