"""No request, however strange, makes the emulator fail: it answers, or refuses with an error of the API."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.genesys.http.routes import OPERATIONS, Operation
from tests.sandbox.genesys.conftest import Api
from tests.support.conformance import check_json

JSON = dict[str, Any]
EC = "/externalcontacts"
IDENTIFIER: JSON = {"type": "Phone", "value": "+12125550188", "division": {"id": "*"}}
CONTACT: JSON = {
    "firstName": "Iris",
    "workPhone": {"display": "+12125550188", "extension": 7, "normalizationCountryCode": "US"},
    "workEmail": "iris@example.com",
    "address": {"city": "Rome"},
    "twitterId": {"screenName": "@iris"},
    "whatsAppId": {"phoneNumber": {"display": "447700900123"}},
    "instagramId": {"ids": [{"scopedId": "I1"}], "handle": "iris"},
    "appleOpaqueIds": [{"value": "A1"}],
    "externalIds": [{"externalSource": {"id": "SOURCE"}, "value": "7"}],
    "schema": {"id": "SCHEMA", "version": 1},
    "customFields": {"text": "abc", "tag": ["a"]},
}
ENRICH: JSON = {
    "id": "1",
    "action": "Merge",
    "matchingIdentifiers": [IDENTIFIER],
    "contact": CONTACT,
    "fieldRules": {"defaultAction": "PreferExisting", "rules": [{"field": "$.address.city", "arrayAction": "Extend"}]},
    "options": {"promote": True},
}
SCHEMA: JSON = {
    "version": 1,
    "jsonSchema": {
        "title": "Profile",
        "properties": {
            "text": {"allOf": [{"$ref": "#/definitions/text"}], "minLength": 0, "maxLength": 9},
            "tag": {
                "allOf": [{"$ref": "#/definitions/tag"}],
                "items": {"minLength": 1, "maxLength": 9},
                "minItems": 0,
                "maxItems": 9,
            },
        },
        "required": ["text"],
    },
}
FILTER: JSON = {
    "and": [{"eq": {"field": "SchemaVersion", "value": "1"}}, {"gte": {"field": "CreateDate", "value": "2026-01-01"}}]
}
VALID: dict[str, JSON] = {
    f"POST {EC}/contacts": CONTACT,
    f"PUT {EC}/contacts/CONTACT": CONTACT,
    f"PATCH {EC}/contacts/CONTACT": {
        "changes": [
            {"field": "$.address.city", "action": "Update", "value": "Oslo"},
            {"field": "$.externalIds", "action": "RemoveFromCollection", "value": CONTACT["externalIds"]},
        ]
    },
    f"PATCH {EC}/contacts/CONTACT/identifiers": {"operation": "Release", "identifier": IDENTIFIER},
    f"POST {EC}/contacts/enrich": ENRICH,
    f"POST {EC}/bulk/contacts/enrich": {"entities": [ENRICH]},
    f"POST {EC}/bulk/contacts/update": {"entities": [{"id": "CONTACT", **CONTACT}]},
    f"POST {EC}/contacts/merge": {"contactIds": ["CONTACT", "OTHER"], "valueOverride": CONTACT},
    f"POST {EC}/contacts/search": {
        "pageNumber": 1,
        "expand": ["division"],
        "operation": {"simpleSearch": {"query": "iris", "sortOrder": ["firstName:asc"], "ids": ["CONTACT"]}},
    },
    f"POST {EC}/contacts/schemas": SCHEMA,
    f"PUT {EC}/contacts/schemas/SCHEMA": SCHEMA,
    f"POST {EC}/contacts/exports": {"divisionIds": ["*"], "queryConditions": {"filters": FILTER, "limit": 1}},
    f"POST {EC}/externalsources": {"name": "Loyalty", "linkConfiguration": {"uriTemplate": "https://x.example/{{id}}"}},
    f"POST {EC}/import/settings": {
        "name": "CRM",
        "externalSourceId": "SOURCE",
        "mergeContacts": True,
        "matchingCriteria": ["Email"],
        "importFields": [{"name": "firstName", "included": True}],
    },
    f"POST {EC}/import/csv/settings": {"mappings": [{"sourceField": "a", "targetField": "$.address.city"}]},
    f"POST {EC}/import/csv/uploads": {"fileName": "a.csv", "fileSize": 7},
    f"PUT {EC}/graphs/settings": {"automaticMergingEnabled": False},
    f"PUT {EC}/conversations/c1": {
        "conversationId": "c1",
        "communicationId": "c",
        "mediaType": "CALL",
        "externalContactId": "CONTACT",
    },
    "POST /gdpr/requests": {
        "requestType": "GDPR_UPDATE",
        "subject": {
            "externalContactId": "CONTACT",
            "phoneNumbers": ["+12125550188"],
            "socialHandle": {"type": "TWITTER", "value": "x"},
        },
        "replacementTerms": [{"type": "NAME", "existingValue": "Iris", "updatedValue": "I"}],
    },
}

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["*", "CONTACT", "$.address", "$.externalIds", "+12125550188", "\ud800", "\u0000", "x" * 2000]),
)
STRANGE = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["id", "value", "a"]), inner, max_size=3)
    ),
    max_leaves=6,
)
RELAXED = settings(deadline=None, max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in children:
        yield from places(item, (*path, name))


def with_changed(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_changed(copy[path[0]], path[1:], new)
    return copy


def named(value: Any, ids: dict[str, str]) -> Any:
    """The words CONTACT, OTHER, SOURCE and SCHEMA stand for ids of things that exist."""
    if isinstance(value, dict):
        return {name: named(item, ids) for name, item in value.items()}
    if isinstance(value, list):
        return [named(item, ids) for item in value]
    return ids.get(value, value) if isinstance(value, str) else value


@pytest.fixture
def ids(api: Api) -> dict[str, str]:
    schema = str(api.ok("POST", f"{EC}/contacts/schemas", SCHEMA)["id"])
    known = {"SOURCE": api.source(), "SCHEMA": schema}
    contact, other = (api.contact(**named(CONTACT, known))["id"] for _ in range(2))
    return {**known, "CONTACT": contact, "OTHER": other}


def send(api: Api, operation: str, ids: dict[str, str], body: object) -> int:
    method, path = operation.split(" ")
    for name, value in ids.items():
        path = path.replace(name, value)
    response = api.send(method, path, named(body, ids))
    if not response.ok:
        check_json(response.text, "ErrorBody")
    return response.status_code


@pytest.mark.parametrize("operation", VALID)
def test_the_valid_bodies_are_valid(api: Api, ids: dict[str, str], operation: str) -> None:
    assert send(api, operation, ids, VALID[operation]) < 300


@pytest.mark.slow
@RELAXED
@given(operation=st.sampled_from(list(VALID)), data=st.data())
def test_a_body_with_something_strange_in_it_is_answered(
    api: Api, ids: dict[str, str], operation: str, data: st.DataObject
) -> None:
    body = VALID[operation]
    place = data.draw(st.sampled_from(list(places(body))), "place")
    assert send(api, operation, ids, with_changed(body, place, data.draw(STRANGE, "strange"))) < 500


READS = [operation for operation in OPERATIONS if operation.method == "GET"]
PARAMETERS = [
    "cursor",
    "limit",
    "pageSize",
    "pageNumber",
    "q",
    "expand",
    "sortOrder",
    "divisionId",
    "after",
    "lookupVal",
]
PARAMETERS += ["name", "id", "searchType", "searchValue", "mergeInfo.status", "active", "jobStatus"]
VALUES = st.one_of(st.text(st.characters(codec="utf-8"), max_size=12), st.integers(-5, 300).map(str), st.just("NAME"))


@RELAXED
@given(operation=st.sampled_from(READS), query=st.dictionaries(st.sampled_from(PARAMETERS), VALUES, max_size=4))
@pytest.mark.slow
def test_any_query_is_answered(api: Api, operation: Operation, query: dict[str, str]) -> None:
    response = api.send("GET", operation.path.replace("{", "").replace("}", ""), **query)
    assert response.status_code < 500
    if not response.ok:
        check_json(response.text, "ErrorBody")
