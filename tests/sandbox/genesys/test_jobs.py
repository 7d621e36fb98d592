"""Work that takes a while: imports, exports, privacy requests, cluster scans."""

import csv
import io
from typing import Any

import pytest
import requests

from sandbox.genesys import Control
from tests.sandbox.genesys.conftest import Api

JSON = dict[str, Any]
IMPORT = "/externalcontacts/import"
EXPORTS = "/externalcontacts/contacts/exports"
PRIVACY = "/gdpr/requests"


def start_import(
    api: Api, content: bytes, *, merge: bool = False, criteria: tuple[str, ...] = ("Email", "Phone")
) -> str:
    """Upload a file with the columns first, mail, phone, id; the path of the job."""
    names = {"first": "$.firstName", "mail": "$.workEmail", "phone": "$.cellPhone.display", "id": "$.externalId"}
    settings = api.ok(
        "POST",
        f"{IMPORT}/settings",
        {
            "name": "CRM",
            "externalSourceId": api.source(),
            "mergeContacts": merge,
            "matchingCriteria": criteria,
            "importFields": [{"name": path[2:], "included": True} for path in names.values()],
        },
    )
    mappings = [{"sourceField": name, "targetField": path} for name, path in names.items()]
    csv_settings = api.ok(
        "POST", f"{IMPORT}/csv/settings", {"externalSettingsId": settings["id"], "mappings": mappings}
    )
    upload = api.ok("POST", f"{IMPORT}/csv/uploads", {"fileSize": len(content)})
    headers = {header["name"]: header["value"] for header in upload["uploadHeaders"]}
    assert requests.put(upload["uploadUrl"], content, headers=headers, timeout=10).ok
    body = {"uploadId": upload["uploadId"], "settingsId": csv_settings["id"]}
    job = api.ok("POST", f"{IMPORT}/csv/jobs", body)["job"]
    return str(job["selfUri"]).removeprefix("/api/v2")


def run_import(api: Api, content: bytes, **options: Any) -> JSON:
    path = start_import(api, content, **options)
    while api.ok("GET", path).get("executionStep") != "Validated":
        pass
    api.ok("PUT", path, {"jobId": path.rsplit("/", 1)[1], "status": "Continue"})
    return api.poll(path, until=("Completed",))[-1]


def test_an_import_waits_for_confirmation(api: Api) -> None:
    path = start_import(api, b"first,mail,phone,id\nIris,iris@example.com,,1\n")
    job_id = path.rsplit("/", 1)[1]
    early = {"jobId": job_id, "status": "Continue"}
    assert api.refused("PUT", path, early) == (409, "request.conflict")
    steps = []
    while "Validated" not in steps:
        steps.append(api.ok("GET", path).get("executionStep"))
    for _ in range(3):
        assert api.ok("GET", path)["executionStep"] == "Validated"
    assert api.find("Email", "iris@example.com") is None
    api.ok("PUT", path, {"jobId": job_id, "status": "Cancel"})
    assert api.ok("GET", path)["status"] == "Cancelled"
    assert api.find("Email", "iris@example.com") is None


def test_rows_update_the_first_match_or_merge_all(api: Api) -> None:
    by_mail = api.contact(workEmail="iris@example.com")["id"]
    by_phone = api.contact(homePhone={"display": "+12125550188"})["id"]
    row = b"first,mail,phone,id\nIris,iris@example.com,+1 212 555 0188,1\n"
    run_import(api, row)
    assert api.get(by_mail)["firstName"] == "Iris"
    assert "firstName" not in api.get(by_phone)


def test_rows_merge_all_matches(api: Api) -> None:
    ids = [api.contact(workEmail="iris@example.com")["id"], api.contact(homePhone={"display": "+12125550188"})["id"]]
    run_import(api, b"first,mail,phone,id\nIris,iris@example.com,+1 212 555 0188,1\n", merge=True)
    merged = api.get(ids[0])
    assert merged["id"] == api.get(ids[1])["id"]
    assert (merged["firstName"], merged["externalIds"][0]["value"]) == ("Iris", "1")


def test_bad_rows_are_reported_by_line_and_the_rest_goes_on(api: Api) -> None:
    content = b"first,mail,phone,id\nIris,not an address,,1\nUma\nOtto,otto@example.com,,3\n"
    job = run_import(api, content)
    assert (job["metadata"]["importSuccessCount"], job["metadata"]["importFailedCount"]) == (1, 2)
    report = requests.get(job["metadata"]["importReportDownloadUrl"], timeout=10).text
    lines = {row["lineNumber"]: row["result"] for row in csv.DictReader(io.StringIO(report))}
    assert lines == {"2": "Failed", "3": "Failed", "4": "Created"}
    assert "not an address" not in report


@pytest.mark.parametrize("content", [b"first;mail;phone;id\nIris;;;1\n", "first,mail\nÍris,x\n".encode("latin-1")])
def test_files_must_be_utf8_with_commas(api: Api, content: bytes) -> None:
    path = start_import(api, content)
    assert api.poll(path, until=("Failed", "Completed"))[-1]["status"] == "Failed"


def test_settings_that_cannot_work(api: Api) -> None:
    source = api.source()
    settings = {
        "name": "CRM",
        "externalSourceId": source,
        "mergeContacts": False,
        "importFields": [{"name": "firstName", "included": True}],
    }
    api.ok("POST", f"{IMPORT}/settings", settings)
    assert api.refused("POST", f"{IMPORT}/settings", settings) == (409, "name.already.exists")
    mapping = {"mappings": [{"sourceField": "tier", "targetField": "$.customFields.tier"}]}
    assert api.refused("POST", f"{IMPORT}/csv/settings", mapping) == (400, "settings.invalid")
    assert api.refused("POST", f"{IMPORT}/csv/uploads", {"fileSize": 52_428_801}) == (422, "validation.failed")
    job = {"uploadId": "none", "settingsId": "none"}
    assert api.refused("POST", f"{IMPORT}/csv/jobs", job) == (400, "invalid.parameter")


def exported(api: Api, **conditions: object) -> list[JSON]:
    started = api.ok("POST", EXPORTS, {"queryConditions": conditions})
    done = api.poll(f"{EXPORTS}/{started['id']}", until=("SUCCEEDED",))[-1]
    rows = list(csv.DictReader(io.StringIO(requests.get(done["downloadUrl"], timeout=10).text)))
    assert done["resultRowCount"] == len(rows)
    return rows


def test_exports_are_filtered(api: Api, control: Control) -> None:
    crm, loyalty = api.source("CRM"), api.source("Loyalty")
    one = api.contact(firstName="A", externalIds=[{"externalSource": {"id": crm}, "value": "1"}])
    api.contact(firstName="B", externalIds=[{"externalSource": {"id": loyalty}, "value": "1"}])
    control.call("POST", "/interactions", {"identifier": {"type": "Phone", "value": "+12125550188"}})
    assert len(exported(api)) == 3
    assert len(exported(api, limit=2)) == 2
    from_crm = {"eq": {"field": "ExternalSourceId", "value": crm}}
    assert [row["id"] for row in exported(api, filters=from_crm)] == [one["id"]]
    curated = {"in": {"field": "ContactClassification", "values": ["Curated", "Identified"]}}
    both = {"and": [curated, {"not": from_crm}]}
    assert [row["firstName"] for row in exported(api, filters=both)] == ["B"]
    until = {"lte": {"field": "CreateDate", "value": one["createDate"]}}
    since = {"gte": {"field": "ModifyDate", "value": one["modifyDate"]}}
    assert one["id"] in [row["id"] for row in exported(api, filters={"or": [until, from_crm]})]
    assert len(exported(api, filters=since)) == 3
    bad = {"queryConditions": {"filters": {"lte": {"field": "CreateDate", "value": "soon"}}}}
    assert api.refused("POST", EXPORTS, bad) == (400, "invalid.date")


def test_erasure_covers_every_contact_and_ancestor_of_the_subject(api: Api) -> None:
    ancestor, other = api.contact(workEmail="iris@example.com")["id"], api.contact(firstName="I")["id"]
    merged = api.merge(ancestor, other)["id"]
    by_phone = api.contact(workPhone={"display": "+12125550188"})["id"]
    stranger = api.contact(firstName="Otto")["id"]
    subject = {"emailAddresses": ["Iris@example.com"], "phoneNumbers": ["+1 212 555 0188"]}
    request = {"requestType": "GDPR_DELETE", "subject": subject}
    assert api.refused("POST", PRIVACY, request) == (400, "bad.request")
    started = api.ok("POST", PRIVACY, request, deleteConfirmed="true")
    states = [answer["status"] for answer in api.poll(f"{PRIVACY}/{started['id']}", until=("COMPLETED",))]
    assert list(dict.fromkeys(states)) == ["INITIATED", "SEARCHING", "DELETING", "COMPLETED"]
    for contact_id in (ancestor, other, merged, by_phone):
        assert api.refused("GET", f"/externalcontacts/contacts/{contact_id}/unresolved")[0] == 404
    assert api.get(stranger)["firstName"] == "Otto"


def test_update_and_export_of_a_subject(api: Api) -> None:
    contact_id = api.contact(firstName="Iris", workEmail="iris@old.example", workPhone={"display": "+12125550188"})[
        "id"
    ]
    subject = {"externalContactId": contact_id}
    terms = [{"type": "EMAIL", "existingValue": "iris@old.example", "updatedValue": "iris@new.example"}]
    update = {"requestType": "GDPR_UPDATE", "subject": subject, "replacementTerms": terms}
    started = api.ok("POST", PRIVACY, update)
    api.poll(f"{PRIVACY}/{started['id']}", until=("COMPLETED",))
    assert api.find("Email", "iris@new.example") == contact_id
    started = api.ok("POST", PRIVACY, {"requestType": "GDPR_EXPORT", "subject": subject})
    done = api.poll(f"{PRIVACY}/{started['id']}", until=("COMPLETED",))[-1]
    assert requests.get(done["resultsUrl"], timeout=10).json()["externalContacts"][0]["id"] == contact_id


def test_jobs_end_without_being_polled(api: Api, control: Control) -> None:
    control.configure(job_step_s=0)
    api.contact(workEmail="iris@example.com")
    request = {"requestType": "GDPR_DELETE", "subject": {"emailAddresses": ["iris@example.com"]}}
    api.ok("POST", PRIVACY, request, deleteConfirmed="true")
    while api.find("Email", "iris@example.com"):
        pass


def test_a_cluster_is_what_identifiers_connect_within_a_division(api: Api, control: Control) -> None:
    europe = api.ok("GET", "/authorization/divisions", name="Europe")["entities"][0]["id"]
    chain = [
        api.contact(workEmail="a@x.example")["id"],
        api.contact(otherEmail="A@x.example", workPhone={"display": "+12125550181"})["id"],
        api.contact(homePhone={"display": "+12125550181"})["id"],
    ]
    api.contact(workEmail="b@x.example")
    api.contact(workEmail="a@x.example", division={"id": europe})
    scan = control.call("POST", "/clusterscans")
    path = f"/externalcontacts/graphs/clusterscans/{scan['id']}/clusters"
    [cluster] = api.ok("GET", path)["entities"]
    vertices = cluster["graph"]["vertices"]
    assert {vertex["contact"]["id"] for vertex in vertices["contacts"]} == set(chain)
    assert {vertex["normalizedType"] for vertex in vertices["identifiers"]} == {"Email", "Phone"}


def test_automatic_merging_merges_what_a_scan_finds(api: Api, control: Control) -> None:
    ids = [api.contact(workEmail="a@x.example", firstName=name)["id"] for name in "ab"]
    api.ok("PUT", "/externalcontacts/graphs/settings", {"automaticMergingEnabled": True})
    statistics = control.call("POST", "/clusterscans")["statistics"]["aggregated"]
    assert statistics == {"totalClusters": 1, "totalAutomaticMergeSuccesses": 1, "totalAutomaticMergeFailures": 0}
    assert api.get(ids[0])["id"] == api.get(ids[1])["id"]
