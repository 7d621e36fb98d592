"""The service around the operations: identity, budget, sizes, cursors, time, failures on order."""

import re
import threading
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import genesys
from sandbox.genesys import Control, Emulator, Settings
from sandbox.genesys.organization.settings import latency_range, request_limit
from tests.sandbox.genesys.conftest import Api
from tests.support.conformance import check_json

JSON = dict[str, Any]
ME = "/tokens/me"
CONTACTS = "/externalcontacts/contacts"
SCAN = "/externalcontacts/scan/contacts"


@pytest.mark.parametrize(
    ("client", "secret", "grant", "answer"),
    [
        ("sandbox", "sandbox", "client_credentials", (200, None)),
        ("sandbox", "wrong", "client_credentials", (401, "invalid_client")),
        ("nobody", "sandbox", "client_credentials", (400, "invalid_client")),
        ("sandbox", "sandbox", "password", (400, "unsupported_grant_type")),
    ],
)
def test_client_credentials(
    emulator: Emulator, client: str, secret: str, grant: str, answer: tuple[int, str | None]
) -> None:
    form = {"grant_type": grant}
    by_header = requests.post(f"{emulator.url}/oauth/token", form, auth=(client, secret), timeout=10)
    in_form = {**form, "client_id": client, "client_secret": secret}
    by_form = requests.post(f"{emulator.url}/oauth/token", in_form, timeout=10)
    assert (by_header.status_code, by_header.json().get("error")) == answer
    assert (by_form.status_code, by_form.json().get("error")) == answer


def test_tokens_end(api: Api, control: Control) -> None:
    api.ok("GET", ME)
    control.days_pass(1.1)
    assert api.refused("GET", ME) == (401, "bad.credentials")
    del api.session.headers["Authorization"]
    assert api.refused("GET", ME) == (401, "authentication.required")


def test_the_budget_is_per_token_and_told_in_every_answer(api: Api, control: Control, emulator: Emulator) -> None:
    control.configure(rate_limit=2)
    counts = [api.send("GET", ME).headers["inin-ratelimit-count"] for _ in range(2)]
    assert counts == ["1", "2"]
    response = api.send("GET", ME)
    headers, error = response.headers, response.json()
    assert response.status_code == 429
    check_json(response.text, "ErrorBody")
    assert headers["inin-ratelimit-allowed"] == "2"
    assert headers["Retry-After"] == headers["inin-ratelimit-reset"]
    assert 50 < int(headers["Retry-After"]) <= 60
    assert error["code"] == "too.many.requests.retry.after"
    assert error["limit"] == {"key": "token.rate.per.minute", "namespace": "platform.api", "value": 2}

    form = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox"}
    other = requests.post(f"{emulator.url}/oauth/token", form, timeout=10).json()["access_token"]
    authorization = {"Authorization": f"Bearer {other}"}
    assert requests.get(f"{emulator.url}/api/v2{ME}", headers=authorization, timeout=10).ok
    control.configure(clock_offset_s=61)
    assert api.send("GET", ME).ok


def test_requests_that_cannot_be_read(api: Api) -> None:
    assert api.refused("POST", CONTACTS, {"firstName": "x" * 512_000}) == (413, "request.entity.too.large")
    url = f"{api.url}/api/v2{CONTACTS}"
    form = api.session.post(url, data="firstName=Iris", timeout=10)
    assert (form.status_code, form.json()["code"]) == (415, "unsupported.media.type")
    broken = api.session.post(url, data="{", headers={"Content-Type": "application/json"}, timeout=10)
    assert (broken.status_code, broken.json()["code"]) == (400, "bad.request")
    assert api.refused("GET", "/externalcontacts/nothing") == (404, "not.found")
    assert api.refused("DELETE", SCAN) == (405, "method.not.allowed")


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        (SCAN, {"limit": 9}, 400),
        (SCAN, {"limit": "many"}, 400),
        (SCAN, {"cursor": "made-up"}, 422),
        (SCAN, {"divisionId": "nowhere"}, 400),
        (CONTACTS, {"pageSize": 101, "pageNumber": 10}, 400),
        (CONTACTS, {"sortOrder": "age:asc"}, 400),
        (CONTACTS, {"expand": "everything"}, 400),
        ("/externalcontacts/reversewhitepageslookup", {}, 400),
        ("/gdpr/subjects", {"searchType": "SHOE_SIZE", "searchValue": "42"}, 400),
    ],
)
def test_query_parameters_are_checked(api: Api, path: str, query: JSON, status: int) -> None:
    assert api.refused("GET", path, **query)[0] == status


def test_a_scan_sees_each_contact_once_while_others_come_and_go(api: Api) -> None:
    ids = [api.contact(firstName=str(n))["id"] for n in range(25)]
    first = api.ok("GET", SCAN, limit=10)
    api.ok("DELETE", f"{CONTACTS}/{ids[0]}")
    api.ok("DELETE", f"{CONTACTS}/{ids[12]}")
    late = api.contact(firstName="late")["id"]
    seen = [contact["id"] for contact in first["entities"]]
    page = first
    while "nextUri" in page:
        page = api.ok("GET", page["nextUri"].removeprefix("/api/v2"))
        seen += [contact["id"] for contact in page["entities"]]
    assert seen == [*ids[:12], *ids[13:], late]


def test_cursors_live_for_a_day_and_for_their_own_query(api: Api, control: Control) -> None:
    control.configure(token_seconds=172_800)
    for n in range(11):
        api.contact(firstName=str(n))
    cursor = api.ok("GET", SCAN, limit=10)["cursors"]["after"]
    assert api.refused("GET", f"{SCAN}/divisionviews/all", cursor=cursor) == (422, "unprocessable.entity")
    form = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox"}
    control.days_pass(1.01)
    token = requests.post(f"{api.url}/oauth/token", form, timeout=10).json()["access_token"]
    api.session.headers["Authorization"] = f"Bearer {token}"
    assert api.refused("GET", SCAN, cursor=cursor) == (422, "unprocessable.entity")


def test_only_unknown_contacts_end_after_60_days_without_interaction(api: Api, control: Control) -> None:
    control.configure(token_seconds=100 * 86_400)
    form = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox"}
    token = requests.post(f"{api.url}/oauth/token", form, timeout=10).json()["access_token"]
    api.session.headers["Authorization"] = f"Bearer {token}"

    def meet(value: str) -> str:
        return str(control.call("POST", "/interactions", {"identifier": {"type": "Cookie", "value": value}})["id"])

    curated, forgotten, regular = api.contact(firstName="A")["id"], meet("1"), meet("2")
    merged = api.merge(meet("3"), meet("4"))["id"]
    control.days_pass(30)
    assert meet("2") == regular
    control.days_pass(61)
    assert {contact["id"] for contact in api.ok("GET", SCAN)["entities"]} == {curated, regular, merged}
    assert api.refused("GET", f"{CONTACTS}/{forgotten}") == (404, "entity.not.found")


def test_search_finds_beginnings_of_words_in_curated_contacts(api: Api, control: Control) -> None:
    iris = api.contact(firstName="Iris", lastName="Vale", workPhone={"display": "(212) 555-0188"})["id"]
    api.contact(firstName="Irma", lastName="Valentine")
    control.call("POST", "/interactions", {"identifier": {"type": "Phone", "value": "+12125550188"}})

    def found(words: str) -> list[str]:
        return [contact["id"] for contact in api.ok("GET", CONTACTS, q=words)["entities"]]

    assert len(found("val")) == 2
    assert found("vale iris") == [iris]
    assert found("ale") == []
    assert found("2125550188") == [iris]


def test_faults_hit_the_next_calls_of_an_operation(api: Api, control: Control) -> None:
    control.fail(status=503, count=2, operation="POST /api/v2/externalcontacts/contacts")
    api.ok("GET", ME)
    answers = [api.send("POST", CONTACTS, {"firstName": "A"}).status_code for _ in range(3)]
    assert answers == [503, 503, 200]
    control.fail(status=429)
    response = api.send("GET", ME)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "1")
    assert control.statuses("POST /api/v2/externalcontacts/contacts") == {"503": 2, "200": 1}


def test_a_fault_after_the_work_loses_only_the_answer(api: Api, control: Control) -> None:
    control.fail(status=504, after=True)
    assert api.refused("POST", CONTACTS, {"workEmail": "iris@example.com"}) == (504, "request.timeout")
    assert api.find("Email", "iris@example.com")


def test_an_error_rate_fails_that_share_of_the_calls(api: Api, control: Control) -> None:
    control.configure(error_rate=1.0, error_statuses=[500])
    assert api.refused("GET", ME) == (500, "internal.server.error")


def test_a_slow_call_does_not_hold_up_the_others(api: Api, control: Control) -> None:
    """The slow one is sent first and answered last."""
    control.fail(status=504, operation="organizations/me", hang_s=0.4)
    finished: list[str] = []

    def slow() -> None:
        requests.get(f"{api.url}/api/v2/organizations/me", headers=dict(api.session.headers), timeout=10)
        finished.append("slow")

    thread = threading.Thread(target=slow)
    thread.start()
    while control.call("POST", "/faults", [])["waiting"]:
        pass
    api.ok("GET", ME)
    finished.append("quick")
    thread.join()
    assert finished == ["quick", "slow"]


def test_missing_permissions(api: Api, control: Control) -> None:
    control.configure(denied_permissions=["externalContacts:identity:merge"])
    body = {"contactIds": ["a", "b"]}
    assert api.refused("POST", f"{CONTACTS}/merge", body) == (403, "missing.any.permissions")


def test_statistics_count_calls_by_operation(api: Api, control: Control) -> None:
    control.call("DELETE", "/stats")
    api.contact(firstName="A")
    api.find("Cookie", "none")
    stats = control.call("GET", "/stats")
    assert stats["total"] == 2
    assert stats["calls"]["POST /api/v2/externalcontacts/identifierlookup/contacts"] == 1


def test_queues_and_divisions_come_and_go_and_keep_their_ids(api: Api, control: Control) -> None:
    gold = api.ok("GET", "/routing/queues", name="Gold")["entities"]
    control.configure(queues=["Gold", "VIP"], divisions=["Home", "Asia"])
    assert api.ok("GET", "/routing/queues", name="Gold")["entities"] == gold
    assert [queue["name"] for queue in api.ok("GET", "/routing/queues")["entities"]] == ["Gold", "VIP"]
    assert [division["name"] for division in api.ok("GET", "/authorization/divisions")["entities"]] == ["Home", "Asia"]


def test_a_reset_forgets_everything(api: Api, control: Control) -> None:
    api.contact(firstName="A")
    control.configure(rate_limit=1, queues=["VIP"])
    after = control.call("POST", "/reset")
    assert after["contacts"] == 0
    assert control.call("GET", "/settings")["rate_limit"] is None
    assert api.refused("GET", ME) == (401, "bad.credentials")


def test_settings_are_checked_and_hide_the_secret(emulator: Emulator, control: Control) -> None:
    assert "client_secret" not in control.call("GET", "/settings")
    unusable: list[JSON] = [{"latency": 3}, {"latency_ms": [800, 300]}, {"rate_limit": "lots"}, {"divisions": []}]
    for bad in unusable:
        response = requests.put(f"{emulator.url}/sandbox/settings", json=bad, timeout=10)
        assert response.status_code == 400
        assert next(iter(bad)) in response.json()["error"]
    fault = requests.post(f"{emulator.url}/sandbox/faults", json={"status": 299}, timeout=10)
    assert fault.status_code == 400


def test_options_are_read() -> None:
    assert latency_range("300-800") == (300, 800)
    assert latency_range("50") == (50, 50)
    assert (request_limit("300"), request_limit("unlimited")) == (300, None)
    for read, text in ((latency_range, "fast"), (latency_range, "800-300"), (request_limit, "0"), (request_limit, "x")):
        with pytest.raises(ValueError, match=text):
            read(text)
    assert Settings().changed({"queues": ["VIP"]}).queues == ("VIP",)


def test_the_example_of_the_documentation(genesys_cloud: Emulator, sdk_package: Any) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "emulator.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```python\n([^`]*def test_.*?)```", page, re.DOTALL)
    names: JSON = {}
    exec(example, names)  # noqa: S102 - our own page
    [test] = [each for name, each in names.items() if name.startswith("test_")]
    test(genesys_cloud)


def test_the_package_offers_what_it_says() -> None:
    names: JSON = {}
    exec("from sandbox.genesys import *", names)  # noqa: S102 - as a user of the package would
    assert set(genesys.__all__) == names.keys() - {"__builtins__"}
    with pytest.raises(AttributeError, match="no attribute 'emulator'"):
        _ = genesys.emulator
