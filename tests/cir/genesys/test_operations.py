"""What the Genesys Cloud client's operations do, on the emulator."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, cast

import pytest
import requests

from cir.genesys.client import GenesysClient
from cir.genesys.errors import (
    ConfigurationError,
    ConflictError,
    CredentialsError,
    CursorExpiredError,
    IdentifierTakenError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from cir.genesys.models import Contact, ContactIdentifier, EnrichRequest, ExternalId
from cir.genesys.transport import Call, Transport
from cir.http.oauth import Credentials
from cir.http.retries import Timing
from sandbox.genesys import Settings, running
from tests.support.genesys_cloud import GenesysCloud

_numbers = count(7_000_000)
TEXT_FIELD = {"title": "Tier", "allOf": [{"$ref": "#/definitions/text"}], "minLength": 0, "maxLength": 20}


@pytest.fixture
def url(genesys: GenesysCloud) -> str:
    return genesys.url


@pytest.fixture
def client(url: str) -> GenesysClient:
    return client_of(url)


def client_of(url: str, **transport: Any) -> GenesysClient:
    return GenesysClient(
        api_url=url,
        credentials=Credentials("sandbox", "sandbox"),
        transport=Transport(timing=Timing(uniform=lambda low, high: low), **transport),
    )


def fail(url: str, **fault: Any) -> None:
    requests.post(f"{url}/sandbox/faults", json=fault, timeout=5).raise_for_status()


def as_somebody_else(url: str, method: str, path: str, body: object) -> Any:
    """A call by another program."""
    form = {"grant_type": "client_credentials"}
    token = requests.post(f"{url}/oauth/token", data=form, auth=("sandbox", "sandbox"), timeout=5).json()
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    answer = requests.request(method, f"{url}/api/v2/externalcontacts/{path}", json=body, headers=bearer, timeout=5)
    answer.raise_for_status()
    return answer.json()


def phone() -> ContactIdentifier:
    return {"type": "Phone", "value": f"+4420{next(_numbers)}0"}


def insert(client: GenesysClient, **contact: Any) -> Contact:
    number = phone()
    body = cast(Contact, {"cellPhone": {"display": number["value"]}, **contact})
    return client.contacts.enrich({"action": "Insert", "matchingIdentifiers": [number], "contact": body}).contact


def upsert(client: GenesysClient, source: str, value: str, **contact: Any) -> EnrichRequest:
    external: ExternalId = {"value": value, "externalSource": {"id": source}}
    return {
        "action": "Upsert",
        "matchingIdentifiers": [{"type": "ExternalId", "value": value, "externalSource": {"id": source}}],
        "contact": cast(Contact, {"externalIds": [external], **contact}),
    }


@pytest.fixture
def source(client: GenesysClient) -> str:
    return client.organization.ensure_external_source("Salesforce")


# Contacts


def test_a_contact_is_found_by_what_it_claims(client: GenesysClient) -> None:
    number = phone()
    assert client.contacts.find(number) is None
    created = insert(client, cellPhone={"display": number["value"]}, personalEmail="ann@example.org")
    for identifier in (number, {"type": "Email", "value": "ANN@example.org"}):
        found = client.contacts.find(identifier)  # type: ignore[arg-type]
        assert found
        assert found["id"] == created["id"]
    assert [contact["id"] for contact in client.contacts.find_all(number["value"])] == [created["id"]]
    assert {identifier["value"] for identifier in client.contacts.identifiers(created["id"])} == {
        number["value"],
        "ann@example.org",
    }


def test_a_contact_is_changed_replaced_and_deleted(client: GenesysClient) -> None:
    contact_id = insert(client, firstName="Ann", lastName="Lee")["id"]
    patched = client.contacts.patch(contact_id, [{"field": "$.firstName", "action": "Update", "value": "Anna"}])
    assert (patched["firstName"], patched["lastName"]) == ("Anna", "Lee")
    assert client.contacts.delete(contact_id)
    assert not client.contacts.delete(contact_id)
    with pytest.raises(NotFoundError):
        client.contacts.get(contact_id)


def test_only_what_is_asked_for_is_expanded(client: GenesysClient) -> None:
    contact_id = insert(client)["id"]
    assert "identifiers" not in client.contacts.get(contact_id)
    expanded = client.contacts.get(contact_id, expand=["identifiers", "division"])
    assert expanded["identifiers"]
    assert "name" in expanded["division"]


def test_a_claim_can_be_repeated_and_tells_who_has_it(client: GenesysClient) -> None:
    ann, bob, number = insert(client)["id"], insert(client)["id"], phone()
    client.contacts.claim(ann, number)
    client.contacts.claim(ann, number)
    with pytest.raises(IdentifierTakenError) as caught:
        client.contacts.claim(bob, number)
    assert caught.value.holder == ann
    assert client.contacts.release(ann, number)
    assert not client.contacts.release(ann, number)
    client.contacts.claim(bob, number)
    found = client.contacts.find(number)
    assert found
    assert found["id"] == bob


def test_a_claim_without_a_free_field_is_refused(client: GenesysClient) -> None:
    contact_id = insert(client)["id"]
    for _ in range(3):
        client.contacts.claim(contact_id, phone())
    with pytest.raises(InvalidRequestError) as caught:
        client.contacts.claim(contact_id, phone())
    assert caught.value.code == "identifier.cannot.be.claimed"


# Enrich


def test_enrich_creates_then_updates(client: GenesysClient, source: str) -> None:
    request = upsert(client, source, "0010001", firstName="Ann")
    planned = client.contacts.enrich(request, dry_run=True)
    assert planned.created
    assert client.contacts.find(request["matchingIdentifiers"][0]) is None
    first = client.contacts.enrich(request)
    second = client.contacts.enrich(request)
    assert (first.created, second.created) == (True, False)
    assert first.contact["id"] == second.contact["id"]


def test_an_upsert_whose_answer_is_lost_creates_one_contact(client: GenesysClient, source: str, url: str) -> None:
    fail(url, status=503, operation="enrich", after=True)
    enriched = client.contacts.enrich(upsert(client, source, "0010002", lastName="Onlyonce"))
    assert not enriched.created  # the repetition found what the first attempt had created
    found = [c for page in client.contacts.scan() for c in page.contacts if c.get("lastName") == "Onlyonce"]
    assert [contact["id"] for contact in found] == [enriched.contact["id"]]


def test_enrich_says_why_it_did_nothing(client: GenesysClient) -> None:
    number = phone()
    with pytest.raises(NotFoundError) as missing:
        client.contacts.enrich({"action": "Update", "matchingIdentifiers": [number], "contact": {}})
    assert missing.value.code == "matching.contact.not.found"
    insert(client, cellPhone={"display": number["value"]})
    with pytest.raises(ConflictError) as found:
        client.contacts.enrich({"action": "Insert", "matchingIdentifiers": [number], "contact": {}})
    assert found.value.code == "matching.contact.found"


def test_bulk_results_come_in_the_order_of_the_requests_with_errors_among_them(
    client: GenesysClient, source: str
) -> None:
    requests_ = [upsert(client, source, f"B{number}", lastName=f"Bulk{number}") for number in range(10)]
    requests_[4]["action"] = "Update"
    results = client.contacts.enrich_many(requests_)
    assert [result.contact and result.contact["lastName"] for result in results] == [
        None if number == 4 else f"Bulk{number}" for number in range(10)
    ]
    failed = results[4].error
    assert failed
    assert (failed.status, failed.code, failed.retryable) == (404, "matching.contact.not.found", False)
    assert results[0].created
    assert not client.contacts.enrich_many(requests_[:1])[0].created


def test_threads_share_a_client(url: str, source: str) -> None:
    logins: list[Call] = []
    client = client_of(url, on_call=lambda call: logins.append(call) if call.operation == "login" else None)

    def batch(number: int) -> list[bool]:
        rows = [upsert(client, source, f"T{number}-{row}") for row in range(10)]
        return [result.created for result in client.contacts.enrich_many(rows)]

    with ThreadPoolExecutor(8) as pool:
        created = [row for rows in pool.map(batch, range(24)) for row in rows]
    assert created == [True] * 240
    assert len(logins) == 1


# Merging


def test_merged_contacts_lead_to_a_new_one_and_stay_readable(client: GenesysClient) -> None:
    ids = [insert(client, firstName=name)["id"] for name in ("Ann", "Anne", "Annie")]
    merged = client.contacts.merge(ids, value_override={"firstName": "Anna"})
    assert merged["id"] not in ids
    assert merged["firstName"] == "Anna"
    assert {member["id"] for member in merged["mergeSet"]} == {*ids, merged["id"]}
    assert client.contacts.get(ids[0])["id"] == merged["id"]
    ancestor = client.contacts.get_unresolved(ids[0])
    assert (ancestor["id"], ancestor["firstName"]) == (ids[0], "Ann")
    assert ancestor["mergedTo"]["id"] == merged["id"]
    number = phone()
    client.contacts.claim(merged["id"], number)
    client.contacts.claim(ids[1], number)  # the old id means the same contact


def test_a_merge_whose_answer_is_lost_is_not_done_again(client: GenesysClient, url: str) -> None:
    ids = [insert(client)["id"] for _ in range(2)]
    fail(url, status=504, operation="merge", after=True)
    with pytest.raises(UnavailableError) as caught:
        client.contacts.merge(ids, value_override={})
    assert caught.value.may_have_applied
    head = client.contacts.get(ids[0])
    assert head["id"] not in ids
    assert len(head["mergeSet"]) == 3


# Paging


def test_a_scan_sees_every_contact_and_resumes_from_any_page(client: GenesysClient, source: str) -> None:
    for start in range(0, 30, 10):
        client.contacts.enrich_many([upsert(client, source, f"S{start + row}") for row in range(10)])
    pages = list(client.contacts.scan(limit=10))
    everybody = [contact["id"] for page in pages for contact in page.contacts]
    assert len(set(everybody)) == len(everybody) >= 30
    assert pages[-1].cursor is None
    resumed = [c["id"] for page in client.contacts.scan(limit=10, cursor=pages[0].cursor) for c in page.contacts]
    assert resumed == everybody[len(pages[0].contacts) :]
    with pytest.raises(CursorExpiredError):
        next(client.contacts.scan(limit=10, cursor="bm90IG9uZQ"))


def test_an_export_holds_the_contacts_that_were_asked_for(client: GenesysClient) -> None:
    source = client.organization.ensure_external_source("Exported")
    created = client.contacts.enrich(upsert(client, source, "E1", firstName='Zoë "Zed"')).contact
    export = client.exports.create(filters={"eq": {"field": "ExternalSourceId", "value": source}})
    finished = client.within(20).exports.wait(export.id, every=0.01)
    assert finished.rows == 1
    (row,) = client.exports.rows(finished)
    assert (row["id"], row["firstName"]) == (created["id"], 'Zoë "Zed"')


# Organization


def test_an_external_source_is_created_once_and_activated_if_need_be(client: GenesysClient, url: str) -> None:
    first = client.organization.ensure_external_source("Loyalty programme")
    client.organization.ensure_external_source("Loyalty programme 2")
    assert client.organization.ensure_external_source("Loyalty programme") == first
    assert client.organization.ensure_external_source("loyalty programme") == first
    as_somebody_else(url, "PUT", f"externalsources/{first}", {"name": "Loyalty programme", "active": False})
    assert client.organization.ensure_external_source("Loyalty programme") == first
    sources = client.organization.external_sources(name_prefix="Loyalty")
    assert sorted((source.name, source.active) for source in sources) == [
        ("Loyalty programme", True),
        ("Loyalty programme 2", True),
    ]


def test_an_external_source_whose_creation_went_unanswered_is_found_again(client: GenesysClient, url: str) -> None:
    fail(url, status=503, operation="POST /api/v2/externalcontacts/externalsources", after=True)
    source_id = client.organization.ensure_external_source("Unanswered")
    assert [source.id for source in client.organization.external_sources(name_prefix="Unanswered")] == [source_id]


def test_external_sources_are_paged(client: GenesysClient) -> None:
    ids = [client.organization.ensure_external_source(f"Paged {number:03}") for number in range(60)]
    assert [source.id for source in client.organization.external_sources(name_prefix="Paged")] == ids


def test_a_schema_grows_by_the_fields_it_lacks(client: GenesysClient) -> None:
    first = client.organization.ensure_schema("Grows", {"tier": TEXT_FIELD})
    assert client.organization.ensure_schema("Grows", {"tier": TEXT_FIELD}) == first
    second = client.organization.ensure_schema("Grows", {"status": TEXT_FIELD})
    assert second["id"] == first["id"]
    assert second["version"] == first["version"] + 1
    contact = insert(client, schema=second, customFields={"tier": "Gold", "status": "Active"})
    assert contact["customFields"] == {"tier": "Gold", "status": "Active"}


def test_a_schema_field_of_another_type_is_named(client: GenesysClient) -> None:
    client.organization.ensure_schema("Typed", {"tier": TEXT_FIELD})
    integer = {"title": "Tier", "allOf": [{"$ref": "#/definitions/integer"}], "minimum": 1, "maximum": 5}
    with pytest.raises(ConfigurationError, match=r"'tier'.*text, not integer"):
        client.organization.ensure_schema("Typed", {"tier": integer})


@pytest.mark.parametrize("applied", [False, True])
def test_a_schema_that_was_saved_meanwhile_is_read_again(client: GenesysClient, url: str, applied: bool) -> None:
    name = f"Saved {applied}"
    client.organization.ensure_schema(name, {"tier": TEXT_FIELD})
    fail(url, status=409, operation="PUT /api/v2/externalcontacts/contacts/schemas", after=applied)
    assert client.organization.ensure_schema(name, {"status": TEXT_FIELD})["version"] == 2
    assert client.organization.ensure_schema(name, {"tier": TEXT_FIELD, "status": TEXT_FIELD})["version"] == 2


def test_a_queue_is_found_by_its_exact_name(client: GenesysClient) -> None:
    gold = client.organization.queue_named("Gold")
    assert gold
    assert gold.name == "Gold"
    assert client.organization.queue_named("Gol*") is None
    assert client.organization.queue_named("No such queue") is None


# The service's own limits


def test_an_unknown_client_is_told_what_to_check(url: str) -> None:
    client = GenesysClient(api_url=url, credentials=Credentials("sandbox", "not-the-secret"))
    with pytest.raises(CredentialsError, match="Check its id and secret") as caught:
        client.contacts.get(str(uuid.uuid4()))
    assert "not-the-secret" not in str(caught.value)


@pytest.mark.slow
def test_work_beyond_the_rate_limit_is_slowed_down_and_never_throttled() -> None:
    statuses: list[int | None] = []
    with running(Settings(rate_limit=40, rate_window_s=2.0)) as emulator:
        client = client_of(emulator.url, on_call=lambda call: statuses.append(call.status))
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: client.contacts.find(phone()), range(100)))
    assert found == [None] * 100
    assert 429 not in statuses
