"""The official SDK as a client: everything that it reads must be what Genesys' own models describe."""

from collections.abc import Callable
from inspect import signature
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from sandbox.genesys import Control
from sandbox.genesys.http.routes import OPERATIONS
from tests.sandbox.genesys.conftest import Coverage
from tests.support.conformance import violations

pytestmark = pytest.mark.slow

JSON = dict[str, Any]


@pytest.fixture
def genesys(sdk: Any, sdk_package: Any) -> SimpleNamespace:
    """The SDK's API classes over one checked client."""
    return SimpleNamespace(
        contacts=sdk_package.ExternalContactsApi(sdk),
        privacy=sdk_package.GeneralDataProtectionRegulationApi(sdk),
        routing=sdk_package.RoutingApi(sdk),
        tokens=sdk_package.TokensApi(sdk),
        organization=sdk_package.OrganizationApi(sdk),
        divisions=sdk_package.AuthorizationApi(sdk),
        refused=sdk_package.rest.ApiException,
    )


def poll(read: Callable[[], Any], *, until: Callable[[Any], bool]) -> Any:
    for _ in range(20):
        job = read()
        if until(job):
            return job
    raise AssertionError(f"still {job.status}")


PERSON: JSON = {
    "firstName": "Iris",
    "lastName": "Vale",
    "salutation": "Dr",
    "title": "Director",
    "workPhone": {"display": "+1 212 555 0188", "acceptsSMS": False},
    "cellPhone": {"display": "(917) 555-0142 x12"},
    "homePhone": {"display": "07700 900123", "normalizationCountryCode": "GB"},
    "otherPhone": {"display": "reception"},
    "workEmail": "iris.vale@work.example",
    "personalEmail": "iris@home.example",
    "address": {"address1": "1 Main Street", "city": "Springfield", "countryCode": "US"},
    "twitterId": {"id": "42", "name": "Iris", "screenName": "@irisvale"},
    "lineId": {"ids": [{"userId": "U1"}], "displayName": "Iris"},
    "whatsAppId": {"phoneNumber": {"display": "447700900123"}, "displayName": "Iris"},
    "facebookId": {"ids": [{"scopedId": "F1"}]},
    "instagramId": {"ids": [{"scopedId": "I1"}], "handle": "iris.vale"},
    "appleOpaqueIds": [{"value": "A1"}],
    "surveyOptOut": True,
    "externalSystemUrl": "https://crm.example/contacts/7",
}
EXPAND = ["externalOrganization", "externalDataSources", "identifiers", "externalSources", "division"]


def test_token_and_organization(genesys: SimpleNamespace, sdk: Any) -> None:
    info = genesys.tokens.get_tokens_me()
    assert info.o_auth_client.id == "sandbox"
    genesys.tokens.head_tokens_me()
    assert genesys.organization.get_organizations_me().id == info.organization.id
    limits = genesys.organization.get_organizations_limits_namespace("platform.api").entities
    assert {limit.key for limit in limits} >= {"token.rate.per.minute", "request.bytes.max"}
    assert genesys.organization.get_organizations_limits_namespace_defaults("external.contacts").entities == []
    genesys.tokens.delete_tokens_me()
    with pytest.raises(genesys.refused) as refused:
        genesys.tokens.get_tokens_me()
    assert refused.value.status == 401


def test_divisions_and_queues(genesys: SimpleNamespace) -> None:
    home = genesys.divisions.get_authorization_divisions_home()
    assert home.home_division
    listed = genesys.divisions.get_authorization_divisions().entities
    assert [division.name for division in listed] == ["Home", "Europe"]
    assert genesys.divisions.get_authorization_division(home.id).name == "Home"

    found = genesys.routing.get_routing_queues(name="Platinum").entities
    assert [queue.name for queue in found] == ["Platinum"]
    assert genesys.routing.get_routing_queue(found[0].id).division.id == home.id
    assert [queue.name for queue in genesys.routing.get_routing_queues(name="*d").entities] == ["Gold", "Standard"]
    second = genesys.routing.get_routing_queues(page_size=2, page_number=2)
    assert (len(second.entities), second.total, second.page_count) == (2, 5, 3)


def test_contact_life(genesys: SimpleNamespace) -> None:
    contacts = genesys.contacts
    source = contacts.post_externalcontacts_externalsources(
        {
            "name": "Salesforce",
            "active": True,
            "linkConfiguration": {"uriTemplate": "https://crm.example/{{externalId.value}}"},
        }
    )
    external = {"externalSource": {"id": source.id}, "value": "003A"}
    created = contacts.post_externalcontacts_contacts({**PERSON, "externalIds": [external]})
    assert created.type == "Curated"
    assert (created.cell_phone.e164, created.cell_phone.display) == ("+19175550142", "+1 917-555-0142")
    assert (created.cell_phone.user_input, created.cell_phone.extension) == ("(917) 555-0142 x12", 12)
    assert (created.home_phone.e164, created.home_phone.country_code) == ("+447700900123", "GB")
    assert (created.other_phone.display, created.other_phone.e164) == ("reception", None)

    for kind, value in (
        ("Phone", "+1 917 555 0142"),
        ("Email", "IRIS@home.example"),
        ("SocialWhatsapp", "447700900123"),
    ):
        identifier = {"type": kind, "value": value}
        assert (
            contacts.post_externalcontacts_identifierlookup_contacts(identifier, expand=["identifiers"]).id
            == created.id
        )
    by_id = {"type": "ExternalId", "value": "003A", "externalSource": {"id": source.id}}
    with pytest.warns(DeprecationWarning, match="deprecated"):
        assert contacts.post_externalcontacts_identifierlookup(by_id, expand=["externalSources"]).id == created.id

    read = contacts.get_externalcontacts_contact(created.id, expand=EXPAND)
    assert read.external_ids[0].external_source.name == "Salesforce"
    assert {"Phone", "Email", "ExternalId", "SocialTwitter", "AppleOpaqueId"} <= {i.type for i in read.identifiers}

    changed = contacts.patch_externalcontacts_contact(
        created.id, {"changes": [{"field": "$.address.city", "action": "Update", "value": "Shelbyville"}]}
    )
    assert (changed.address.city, changed.address.address1) == ("Shelbyville", "1 Main Street")
    replaced = contacts.put_externalcontacts_contact(
        created.id, {"firstName": "Iris", "workPhone": {"display": "+12125550188"}}
    )
    assert (replaced.last_name, replaced.work_phone.e164) == (None, "+12125550188")
    with pytest.raises(genesys.refused) as refused:
        contacts.post_externalcontacts_contact_promotion(created.id)
    assert refused.value.status == 400

    contacts.delete_externalcontacts_contact(created.id)
    with pytest.raises(genesys.refused) as refused:
        contacts.get_externalcontacts_contact(created.id)
    assert refused.value.status == 404


def test_observed_contact_is_promoted(genesys: SimpleNamespace, control: Control) -> None:
    met = control.call("POST", "/interactions", {"identifier": {"type": "Cookie", "value": "c-1"}})
    assert genesys.contacts.get_externalcontacts_contact(met["id"]).type == "Ephemeral"
    control.call("POST", "/interactions", {"identifier": {"type": "Cookie", "value": "c-1"}})
    assert genesys.contacts.get_externalcontacts_contact(met["id"]).type == "Identified"
    assert genesys.contacts.post_externalcontacts_contact_promotion(met["id"]).type == "Curated"


def test_external_sources(genesys: SimpleNamespace) -> None:
    contacts = genesys.contacts
    ids = [contacts.post_externalcontacts_externalsources({"name": f"Source {n:02}"}).id for n in range(12)]
    first = contacts.get_externalcontacts_externalsources(limit=10)
    rest = contacts.get_externalcontacts_externalsources(limit=10, cursor=first.cursors.after)
    assert [source.id for source in first.entities + rest.entities] == ids
    assert rest.next_uri is None

    contacts.put_externalcontacts_externalsource(ids[3], {"name": "Loyalty", "active": False})
    assert not contacts.get_externalcontacts_externalsource(ids[3]).active
    named = contacts.get_externalcontacts_externalsources(name="loy", active=False).entities
    assert [source.id for source in named] == [ids[3]]
    contacts.delete_externalcontacts_externalsource(ids[3])
    with pytest.raises(genesys.refused) as refused:
        contacts.get_externalcontacts_externalsource(ids[3])
    assert refused.value.status == 404


def test_identifiers_are_claimed_and_released(genesys: SimpleNamespace) -> None:
    contacts = genesys.contacts
    one, other = (contacts.post_externalcontacts_contacts({"firstName": name}).id for name in ("A", "B"))
    phone = {"type": "Phone", "value": "+1 917 555 0142"}
    claimed = contacts.patch_externalcontacts_contact_identifiers(one, {"operation": "Claim", "identifier": phone})
    assert (claimed.type, claimed.value) == ("Phone", "+19175550142")
    assert [i.value for i in contacts.get_externalcontacts_contact_identifiers(one).entities] == ["+19175550142"]
    with pytest.raises(genesys.refused) as refused:
        contacts.patch_externalcontacts_contact_identifiers(other, {"operation": "Claim", "identifier": phone})
    assert refused.value.status == 409
    contacts.patch_externalcontacts_contact_identifiers(one, {"operation": "Release", "identifier": phone})
    contacts.patch_externalcontacts_contact_identifiers(other, {"operation": "Claim", "identifier": phone})
    assert contacts.post_externalcontacts_identifierlookup_contacts(phone).id == other


def test_enrich_alone_and_in_bulk(genesys: SimpleNamespace) -> None:
    contacts = genesys.contacts

    def operation(number: int, action: str = "Upsert") -> JSON:
        email = f"p{number}@example.com"
        identifiers = [{"type": "Email", "value": email}]
        contact = {"firstName": f"P{number}", "workEmail": email}
        return {"id": str(number), "action": action, "matchingIdentifiers": identifiers, "contact": contact}

    assert contacts.post_externalcontacts_contacts_enrich(operation(1), dry_run=True).id is None
    inserted = contacts.post_externalcontacts_contacts_enrich(operation(1))
    assert contacts.post_externalcontacts_contacts_enrich(operation(1)).id == inserted.id

    entities = [operation(n) for n in range(9)] + [operation(99, "Update")]
    preview = contacts.post_externalcontacts_bulk_contacts_enrich({"entities": entities}, dry_run=True)
    assert sum(result.entity.id is None for result in preview.results if result.success) == 8
    answer = contacts.post_externalcontacts_bulk_contacts_enrich({"entities": entities})
    by_id = {result.id: result for result in answer.results}
    assert [by_id[str(n)].status for n in range(9)] == [201, 200, *[201] * 7]
    assert by_id["1"].entity.id == inserted.id
    failure = by_id["99"].error
    assert (failure.status, failure.code, failure.entity.id) == (404, "matching.contact.not.found", "99")
    assert answer.results[answer.error_indexes[0]].id == "99"


def test_bulk_operations(genesys: SimpleNamespace) -> None:
    contacts = genesys.contacts
    added = contacts.post_externalcontacts_bulk_contacts_add(
        {"entities": [{"firstName": "A"}, {"workEmail": "no address"}]}
    )
    assert added.error_count == 1
    [contact] = [result.entity for result in added.results if result.success]
    unknown = "00000000-0000-4000-8000-000000000000"
    entities = {"entities": [{"id": contact.id}, {"id": unknown}]}
    for fetch in (
        contacts.post_externalcontacts_bulk_contacts,
        contacts.post_externalcontacts_bulk_contacts_divisionviews,
        contacts.post_externalcontacts_bulk_contacts_unresolved,
    ):
        assert {result.id: result.status for result in fetch(entities).results} == {contact.id: 200, unknown: 404}
    contacts.post_externalcontacts_bulk_contacts_update({"entities": [{"id": contact.id, "firstName": "Z"}]})
    assert contacts.get_externalcontacts_contact(contact.id).first_name == "Z"
    removed = contacts.post_externalcontacts_bulk_contacts_remove(entities)
    assert {result.id: result.success for result in removed.results} == {contact.id: True, unknown: False}


def test_three_contacts_are_merged(genesys: SimpleNamespace) -> None:
    contacts = genesys.contacts
    ids = [
        contacts.post_externalcontacts_contacts({"firstName": f"N{n}", "workEmail": f"n{n}@example.com"}).id
        for n in range(3)
    ]
    merged = contacts.post_externalcontacts_contacts_merge({"contactIds": ids, "valueOverride": {"lastName": "Vale"}})
    assert merged.last_name == "Vale"
    assert {source.id for source in merged.merged_from} == set(ids)
    assert {member.id for member in merged.merge_set} == {*ids, merged.id}
    assert contacts.get_externalcontacts_contact(ids[0]).id == merged.id
    ancestor = contacts.get_externalcontacts_contact_unresolved(ids[0])
    assert (ancestor.id, ancestor.merged_to.id, ancestor.canonical_contact.id) == (ids[0], merged.id, merged.id)
    assert (
        contacts.post_externalcontacts_identifierlookup_contacts({"type": "Email", "value": "n2@example.com"}).id
        == merged.id
    )


def test_deprecated_merge_of_two(genesys: SimpleNamespace, control: Control) -> None:
    curated = genesys.contacts.post_externalcontacts_contacts({"firstName": "A"}).id
    observed = control.call("POST", "/interactions", {"identifier": {"type": "Phone", "value": "+12125550188"}})["id"]
    with pytest.warns(DeprecationWarning, match="deprecated"):
        merged = genesys.contacts.post_externalcontacts_merge_contacts(
            {"sourceContactId": observed, "targetContactId": curated}
        )
    assert merged.merge_operation.resulting_contact.id == merged.id


def test_search_scan_and_reverse_lookup(genesys: SimpleNamespace) -> None:
    contacts = genesys.contacts
    entities = [
        {"firstName": f"Person{n:02}", "lastName": "Vale", "workPhone": {"display": "+12125550188"}} for n in range(25)
    ]
    contacts.post_externalcontacts_bulk_contacts_add({"entities": entities})

    page = contacts.get_externalcontacts_contacts(q="vale", sort_order="firstName:desc", page_size=10, page_number=2)
    assert (page.entities[0].first_name, page.total, page.page_count) == ("Person14", 25, 3)
    with pytest.raises(genesys.refused) as refused:
        contacts.get_externalcontacts_contacts(q="vale", page_size=100, page_number=11)
    assert refused.value.status == 400
    search = {
        "operation": {"simpleSearch": {"query": "person07", "sortOrder": ["lastName:asc"]}},
        "expand": ["division"],
    }
    assert [c.first_name for c in contacts.post_externalcontacts_contacts_search(search).entities] == ["Person07"]

    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = contacts.get_externalcontacts_scan_contacts(limit=10, **cursor)
        seen += [contact.first_name for contact in page.entities]
        if not page.next_uri:
            break
        cursor = {"cursor": page.cursors.after}
    assert sorted(seen) == [f"Person{n:02}" for n in range(25)]
    assert len(contacts.get_externalcontacts_scan_contacts_divisionviews_all().entities) == 25
    assert len(contacts.get_externalcontacts_reversewhitepageslookup("+12125550188").contacts) == 25


def test_schemas(genesys: SimpleNamespace) -> None:
    contacts = genesys.contacts

    def schema(**properties: JSON) -> JSON:
        return {"title": "Routing", "properties": properties, "$schema": "http://json-schema.org/draft-04/schema#"}

    tier = {"allOf": [{"$ref": "#/definitions/enum"}], "title": "Tier", "enum": ["Gold", "Platinum"]}
    score = {"allOf": [{"$ref": "#/definitions/integer"}], "title": "Score", "minimum": 0, "maximum": 100}
    first = contacts.post_externalcontacts_contacts_schemas({"name": "Routing", "jsonSchema": schema(tier_enum=tier)})
    change = {"version": 1, "jsonSchema": schema(tier_enum=tier, score_integer=score)}
    second = contacts.put_externalcontacts_contacts_schema(first.id, change)
    assert (first.version, second.version) == (1, 2)
    with pytest.raises(genesys.refused) as refused:
        contacts.put_externalcontacts_contacts_schema(first.id, change)
    assert refused.value.status == 409

    reference = {"id": first.id, "version": 2}
    values = {"tier_enum": "Gold", "score_integer": 7}
    contact = contacts.post_externalcontacts_contacts({"firstName": "A", "schema": reference, "customFields": values})
    assert contact.custom_fields == values
    with pytest.raises(genesys.refused) as refused:
        contacts.post_externalcontacts_contacts({"schema": reference, "customFields": {"tier_enum": "Bronze"}})
    assert refused.value.status == 422

    assert contacts.get_externalcontacts_contacts_schemas().total == 1
    assert contacts.get_externalcontacts_contacts_schema(first.id).version == 2
    assert contacts.get_externalcontacts_contacts_schema_versions(first.id).total == 2
    assert contacts.get_externalcontacts_contacts_schema_version(first.id, "1").version == 1
    assert contacts.get_externalcontacts_contacts_schemas_limits().max_number_of_schemas_per_org == 20
    assert contacts.get_externalcontacts_contacts_schemas_coretypes().total == 10
    assert contacts.get_externalcontacts_contacts_schemas_coretype("tag").item_validation_limits.min_length.min == 1
    with pytest.raises(genesys.refused) as refused:
        contacts.delete_externalcontacts_contacts_schema(first.id)
    assert refused.value.status == 403


def test_export(genesys: SimpleNamespace) -> None:
    contacts = genesys.contacts
    contacts.post_externalcontacts_contacts({"firstName": "Iris", "workPhone": {"display": "+12125550188"}})
    conditions = {"filters": {"eq": {"field": "ContactClassification", "value": "Curated"}}}
    started = contacts.post_externalcontacts_contacts_exports({"divisionIds": ["*"], "queryConditions": conditions})
    assert started.status == "RUNNING"
    done = poll(
        lambda: contacts.get_externalcontacts_contacts_export(started.id), until=lambda e: e.status == "SUCCEEDED"
    )
    assert done.result_row_count == 1
    assert "+12125550188" in requests.get(done.download_url, timeout=10).text
    assert [export.id for export in contacts.get_externalcontacts_contacts_exports().entities] == [started.id]


def test_csv_import(genesys: SimpleNamespace) -> None:
    contacts = genesys.contacts
    source = contacts.post_externalcontacts_externalsources({"name": "CRM"}).id
    fields = [{"name": name, "included": True} for name in ("firstName", "workEmail", "cellPhone", "externalId")]
    settings = contacts.post_externalcontacts_import_settings(
        {
            "name": "CRM",
            "externalSourceId": source,
            "mergeContacts": False,
            "matchingCriteria": ["Email", "Phone"],
            "importFields": fields,
        }
    )
    mappings = {"Name": "$.firstName", "Mail": "$.workEmail", "Mobile": "$.cellPhone", "Id": "$.externalId"}
    csv_settings = contacts.post_externalcontacts_import_csv_settings(
        {
            "externalSettingsId": settings.id,
            "mappings": [{"sourceField": name, "targetField": path} for name, path in mappings.items()],
        }
    )
    content = (
        b"Name,Mail,Mobile,Id\nIris,iris@example.com,+12125550188,1\nOtto,not an address,,2\nUma,uma@example.com,,3\n"
    )
    upload = contacts.post_externalcontacts_import_csv_uploads({"fileName": "crm.csv", "fileSize": len(content)})
    headers = {header.name: header.value for header in upload.upload_headers}
    assert requests.put(upload.upload_url, content, timeout=10).status_code == 403
    assert requests.put(upload.upload_url, content, headers=headers, timeout=10).status_code == 200
    assert contacts.get_externalcontacts_import_csv_upload_details(upload.upload_id).validation_result.separator_valid
    preview = contacts.get_externalcontacts_import_csv_upload_preview(upload.upload_id)
    assert (preview.headers, len(preview.entries)) == (["Name", "Mail", "Mobile", "Id"], 3)

    job_id = contacts.post_externalcontacts_import_csv_jobs(
        {"uploadId": upload.upload_id, "settingsId": csv_settings.id}
    ).job.id

    def job() -> Any:
        return contacts.get_externalcontacts_import_job(job_id, expand=["division"])

    checked = poll(job, until=lambda answer: answer.execution_step == "Validated")
    assert (checked.metadata.dry_run_success_count, checked.metadata.dry_run_failed_count) == (2, 1)
    assert contacts.get_externalcontacts_scan_contacts().entities == []
    assert "workEmail" in requests.get(checked.metadata.dry_run_report_download_url, timeout=10).text
    contacts.put_externalcontacts_import_job(job_id, {"jobId": job_id, "status": "Continue"})
    done = poll(job, until=lambda answer: answer.status == "Completed")
    assert (done.metadata.import_success_count, done.metadata.import_failed_count) == (2, 1)
    identifier = {"type": "ExternalId", "value": "1", "externalSource": {"id": source}}
    assert contacts.post_externalcontacts_identifierlookup_contacts(identifier).cell_phone.e164 == "+12125550188"

    empty = contacts.post_externalcontacts_import_jobs({"settingsId": settings.id})
    contacts.put_externalcontacts_import_job(empty.id, {"jobId": empty.id, "status": "Cancel"})
    assert [j.id for j in contacts.get_externalcontacts_import_jobs(job_status="Completed").entities] == [job_id]
    contacts.put_externalcontacts_import_setting(settings.id, {**settings_body(settings), "mergeContacts": True})
    assert contacts.get_externalcontacts_import_setting(settings.id).merge_contacts
    assert len(contacts.get_externalcontacts_import_settings(name="crm").entities) == 1
    mapping = [{"sourceField": "Name", "targetField": "$.lastName"}]
    contacts.put_externalcontacts_import_csv_setting(csv_settings.id, {"mappings": mapping})
    assert contacts.get_externalcontacts_import_csv_setting(csv_settings.id).mappings[0].target_field == "$.lastName"
    assert len(contacts.get_externalcontacts_import_csv_settings().entities) == 1
    contacts.delete_externalcontacts_import_csv_setting(csv_settings.id)
    contacts.delete_externalcontacts_import_setting(settings.id)


def settings_body(settings: Any) -> JSON:
    fields = [{"name": field.name, "included": field.included} for field in settings.import_fields]
    return {"name": settings.name, "externalSourceId": settings.external_source_id, "importFields": fields}


def test_privacy_request(genesys: SimpleNamespace) -> None:
    contact = genesys.contacts.post_externalcontacts_contacts(
        {
            "firstName": "Iris",
            "lastName": "Vale",
            "workEmail": "iris@example.com",
            "workPhone": {"display": "+12125550188"},
        }
    )
    found = genesys.privacy.get_gdpr_subjects("EMAIL", "iris@example.com").entities
    assert [subject.external_contact_id for subject in found] == [contact.id]
    request = {"requestType": "GDPR_DELETE", "subject": {"emailAddresses": ["iris@example.com"]}}
    started = genesys.privacy.post_gdpr_requests(request, delete_confirmed=True)
    assert started.status == "INITIATED"
    poll(lambda: genesys.privacy.get_gdpr_request(started.id), until=lambda r: r.status == "COMPLETED")
    with pytest.raises(genesys.refused) as refused:
        genesys.contacts.get_externalcontacts_contact(contact.id)
    assert refused.value.status == 404
    assert genesys.privacy.get_gdpr_requests().total == 1


def test_graphs(genesys: SimpleNamespace, control: Control) -> None:
    contacts = genesys.contacts
    assert not contacts.get_externalcontacts_graphs_settings().automatic_merging_enabled
    for name in ("A", "B"):
        contacts.post_externalcontacts_contacts({"firstName": name, "workEmail": "same@example.com"})
    control.call("POST", "/clusterscans")
    latest = contacts.get_externalcontacts_graphs_clusterscans_latest(expand=["statistics"])
    assert latest.statistics.aggregated.total_clusters == 1
    assert contacts.get_externalcontacts_graphs_clusterscan(latest.id).id == latest.id
    assert [scan.id for scan in contacts.get_externalcontacts_graphs_clusterscans().entities] == [latest.id]
    assert contacts.get_externalcontacts_graphs_clusterscan_statistics(latest.id).aggregated.total_clusters == 1
    contacts.get_externalcontacts_graphs_clusterscans_latest_statistics()
    [cluster] = contacts.get_externalcontacts_graphs_clusterscan_clusters(latest.id).entities
    assert [vertex.normalized_value for vertex in cluster.graph.vertices.identifiers] == ["same@example.com"]
    assert len(cluster.graph.edges) == 2
    assert (
        contacts.get_externalcontacts_graphs_clusterscan_cluster(latest.id, cluster.id).merge_info.status == "NotMerged"
    )
    merged = contacts.put_externalcontacts_graphs_clusterscan_cluster_merge(latest.id, cluster.id)
    assert merged.merge_info.status == "ManualSucceeded"
    assert contacts.put_externalcontacts_graphs_settings({"automaticMergingEnabled": True}).automatic_merging_enabled


def test_conversation_association(genesys: SimpleNamespace, control: Control) -> None:
    contact = genesys.contacts.post_externalcontacts_contacts({"firstName": "A"})
    conversation = "7f6e8a52-6f2b-4b3a-9a3c-1f2e3d4c5b6a"
    association = {"conversationId": conversation, "communicationId": "c1", "mediaType": "CALL"}
    genesys.contacts.put_externalcontacts_conversation(conversation, {**association, "externalContactId": contact.id})
    assert control.call("GET", "/conversations")[conversation]["externalContactId"] == contact.id
    genesys.contacts.put_externalcontacts_conversation(conversation, association)
    assert control.call("GET", "/conversations")[conversation]["externalContactId"] is None


def test_the_sdk_recovers_from_the_rate_limit(genesys: SimpleNamespace, control: Control) -> None:
    """The SDK waits as long as `Retry-After` says and goes on by itself."""
    control.configure(rate_limit=3, rate_window_s=1)
    for _ in range(7):
        genesys.tokens.get_tokens_me()
    statuses = control.statuses("GET /api/v2/tokens/me")
    assert statuses["200"] == 7
    assert statuses["429"] >= 2  # seven calls need three windows


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"id": "1", "nickname": "x"}, "$.nickname is not a field of ExternalContact"),
        ({"id": 1}, "$.id should be str, is int"),
        ({"type": "curated"}, "$.type is not one of ['Ephemeral', 'Identified', 'Curated']"),
        ({"createDate": "yesterday"}, "$.createDate is not an ISO-8601 date in UTC"),
        ({"externalIds": [{"value": "1"}]}, "$.externalIds[0].externalSource of ExternalId is missing"),
        ({"workPhone": {"extension": True}}, "$.workPhone.extension should be int, is bool"),
        ({"mergeSet": {}}, "$.mergeSet should be an array, is dict"),
    ],
)
def test_the_checker_sees_what_is_wrong(sdk_package: Any, value: JSON, problem: str) -> None:
    assert violations(value, "ExternalContact") == [problem]


def test_every_operation_was_checked(coverage: Coverage) -> None:
    """Whatever the emulator offers, the SDK has called, and its answer had the form of the models."""
    tests = {name for name in globals() if name.startswith("test_")}
    users = {name for name in tests if "genesys" in signature(globals()[name]).parameters}
    if not users <= coverage.tests:
        pytest.skip("counts what the other tests of this module call, and not all of them ran in this process")
    refused_always = {"DELETE /api/v2/externalcontacts/contacts/schemas/{schemaId}"}
    assert {operation.name for operation in OPERATIONS} - refused_always - coverage.operations == set()
