"""The deployed system as its users meet it: Genesys calls it, an operator works on it, customers change.

`sandbox.deployed` says what is real here and what is not. When a test fails, `deployed.logs("resolver")` has what a
function wrote; when the deployment fails, the error names the log of the CDK command line.
"""

import csv
import json
import subprocess
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from botocore.exceptions import ClientError

from cir.webhooks.keys import sign
from infra.catalog import functions as catalog
from sandbox.crm.salesforce import Salesforce
from sandbox.customers import PERSONAS
from sandbox.customers.salesforce import contact_id as account_id
from sandbox.deployed import Deployed
from sandbox.genesys.organization.events import CONTACT_TOPIC
from tests.e2e.conftest import CUSTOMERS, SIGNING, cir, eventually
from tests.support.genesys_cloud import GenesysCloud
from tests.support.sync_plane import write_export

# The first test waits for the deployment: a minute on two idle processors, and they may be busy.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.usefixtures("imported")]

JOHN = PERSONAS.john_smith
KILLED, FIRST_KILLED = "Halley", 500_000
"""Family name and number of the first of the customers whose import is killed."""
PARTS = tuple(part.name for part in catalog.parts(crm=True))


def resolve(deployed: Deployed, **event: str) -> dict[str, Any]:
    """A degraded answer is a right one where a cold start on a busy machine has used up the budget. It leaves nothing
    behind, and these tests are about the one after it."""
    return eventually(lambda: deployed.call("resolver", event), lambda answer: "DEGRADED" not in states(answer))


def states(answer: dict[str, Any]) -> tuple[str, str]:
    return answer["outcome"], answer["cacheStatus"].upper()


def refused(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        return "AccessDenied" in error.response["Error"]["Code"]
    return False


def test_the_account_holds_the_templates_as_they_were_synthesized(deployed: Deployed) -> None:
    cloudformation = deployed.account.client("cloudformation")
    templates = sorted(deployed.cdk.assembly.glob("*.template.json"))
    assert len(templates) == 4
    for file in templates:
        stack = f"cir-dev-{file.name.partition('.')[0].lower()}"
        assert cloudformation.get_template(StackName=stack)["TemplateBody"] == json.loads(file.read_text())


def test_the_export_is_imported(imported: dict[str, Any]) -> None:
    assert imported["created"] == CUSTOMERS


def test_a_customer_is_found_in_the_tables_and_then_in_the_cache(deployed: Deployed) -> None:
    first = resolve(deployed, ani=JOHN.mobile)
    assert states(first) == ("RESOLVED", "MISS")
    second = eventually(lambda: resolve(deployed, ani=JOHN.mobile), lambda answer: answer["cacheStatus"] == "hit")
    assert states(second) == ("RESOLVED", "HIT")
    assert second["contactId"] == first["contactId"]
    assert second["customerTier"] == JOHN.tier


def test_the_functions_sign_in_to_the_cache_as_the_user_of_the_template(deployed: Deployed) -> None:
    resolve(deployed, ani=JOHN.mobile)
    with deployed.cache.client() as cache:
        users = {client["user"] for client in cache.client_list() if client["id"] != str(cache.client_id())}
    assert users == {"cir-dev-hot"}


def test_a_change_in_the_crm_reaches_the_next_caller(deployed: Deployed, export: Path, tmp_path: Path) -> None:
    customer = PERSONAS.household.people[0]

    def call() -> dict[str, Any]:
        return resolve(deployed, ani=customer.mobile)

    eventually(call, lambda answer: answer["cacheStatus"] == "hit")
    changed = tmp_path / "changed.csv"
    change_tier(export, changed, record_id=customer.record_id, tier="Platinum")
    assert cir(deployed, "import", str(changed))["updated"] == 1
    # An entry of the cache answers for five minutes by itself; it is the stream that has made it forget.
    answer = eventually(call, lambda answer: answer["customerTier"] == "Platinum")
    assert answer["customerTier"] == "Platinum", deployed.logs("invalidator")


def test_what_the_crm_tells_by_its_webhook_reaches_the_next_caller(deployed: Deployed, crm: Salesforce) -> None:
    customer = PERSONAS.household.people[2]
    eventually(lambda: resolve(deployed, ani=customer.mobile), lambda answer: answer["cacheStatus"] == "hit")
    crm.accounts.change(customer.record_id, Account_Tier__c="Platinum")
    assert told(deployed, customer.record_id, key="k" * 40) == 401
    assert told(deployed, customer.record_id) == 200, "\n".join(deployed.logs("webhook"))
    answer = eventually(
        lambda: resolve(deployed, ani=customer.mobile), lambda answer: answer["customerTier"] == "Platinum"
    )
    assert answer["customerTier"] == "Platinum", deployed.logs("sync")


def test_the_clock_starts_the_reconciliation_which_repairs_what_nobody_has_told(
    deployed: Deployed, crm: Salesforce
) -> None:
    customer = PERSONAS.household.people[2]
    crm.accounts.change(customer.record_id, Account_Tier__c="Gold")
    assert resolve(deployed, ani=customer.mobile)["customerTier"] != "Gold"
    fire(deployed, "cir-dev-reconcile-nightly")
    answer = eventually(
        lambda: resolve(deployed, ani=customer.mobile),
        lambda answer: answer["customerTier"] == "Gold",
        seconds=90,
    )
    assert answer["customerTier"] == "Gold", deployed.logs("reconcile-compare")
    (report,) = eventually(lambda: logged(deployed, "reconcile-report", "reconciliation"), bool)
    assert (report["outcome"], report["stopped"]) == ("repaired", [])


def test_an_unknown_number_is_looked_up_in_genesys_behind_the_answer(deployed: Deployed) -> None:
    number = "+16465550177"
    genesys = GenesysCloud(deployed.genesys.url)
    contact_id = genesys.create(firstName="Ada", lastName="Byron")
    genesys.client().contacts.claim(contact_id, {"type": "Phone", "value": number})
    assert resolve(deployed, ani=number)["outcome"] == "NOT_FOUND"
    found = eventually(lambda: resolve(deployed, ani=number), lambda answer: answer["outcome"] == "RESOLVED")
    assert found["contactId"] == contact_id, deployed.logs("backfill")


def test_a_number_that_is_linked_is_known_from_then_on(deployed: Deployed) -> None:
    number = PERSONAS.newcomer_number
    known = resolve(deployed, ani=number, email=PERSONAS.newcomer.private_email)
    linked = deployed.call("link", {"contactId": known["contactId"], "ani": number})
    assert linked["outcome"] == "LINKED", deployed.logs("link")
    found = eventually(lambda: resolve(deployed, ani=number), lambda answer: answer["outcome"] == "RESOLVED")
    assert found["contactId"] == known["contactId"]
    assert GenesysCloud(deployed.genesys.url).holder("Phone", number) == known["contactId"]


def test_a_stranger_who_is_made_a_contact_is_known_from_then_on(deployed: Deployed) -> None:
    number = "+16465550188"
    assert resolve(deployed, ani=number)["outcome"] == "NOT_FOUND"
    made = deployed.call("create", {"ani": number, "firstName": "Mary"})
    assert made["outcome"] == "CREATED", deployed.logs("create")
    found = eventually(lambda: resolve(deployed, ani=number), lambda answer: answer["outcome"] == "RESOLVED")
    assert (found["contactId"], found["firstName"]) == (made["contactId"], "Mary")
    assert GenesysCloud(deployed.genesys.url).holder("Phone", number) == made["contactId"]


def test_what_an_agent_merges_in_genesys_is_followed(deployed: Deployed) -> None:
    """The event goes into the queue as the rule on the partner bus would put it there: that bus only AWS has."""
    genesys = GenesysCloud(deployed.genesys.url).client()
    numbers = ("+16465550190", "+16465550191")
    made = [deployed.call("create", {"ani": number, "firstName": "Ida"})["contactId"] for number in numbers]
    merged = genesys.contacts.merge(made, value_override={"firstName": "Ida"})["id"]
    follow(deployed, merged)
    for number in numbers:
        found = eventually(partial(resolve, deployed, ani=number), lambda answer: answer["contactId"] == merged)
        assert found["contactId"] == merged, deployed.logs("events")
    tables = deployed.account.client("dynamodb")
    look = partial(tables.get_item, TableName="cir-dev-identifiers", Key={"identifier": {"S": f"phone#{numbers[0]}"}})
    item = eventually(look, lambda found: f"claim#{merged}" in found["Item"])["Item"]
    assert [name for name in item if name.startswith("claim#")] == [f"claim#{merged}"], deployed.logs("compact")


def test_the_clock_starts_the_search_for_duplicates(deployed: Deployed) -> None:
    """One person with two contacts, and a schedule whose time has come."""
    number = "+16465550195"
    genesys = GenesysCloud(deployed.genesys.url)
    twin = {"firstName": "Rosalind", "lastName": "Thistlewood", "workEmail": "rosalind.thistlewood@example.com"}
    made = [genesys.create(**twin, **{slot: {"display": number}}) for slot in ("cellPhone", "homePhone")]
    follow(deployed, *made)
    eventually(lambda: resolve(deployed, ani=number), lambda answer: answer["outcome"] == "AMBIGUOUS")
    fire(deployed, "cir-dev-duplicates")
    found = eventually(
        lambda: resolve(deployed, ani=number), lambda answer: answer["outcome"] == "RESOLVED", seconds=90
    )
    assert found["outcome"] == "RESOLVED", deployed.logs("duplicates")
    assert {genesys.contact(each)["id"] for each in made} == {found["contactId"]}


def test_an_import_whose_functions_and_workflow_are_killed_goes_on_where_it_was(
    deployed: Deployed, tmp_path: Path
) -> None:
    genesys = GenesysCloud(deployed.genesys.url)
    workflow, bucket = deployed.account.client("stepfunctions"), deployed.environment["DATA_BUCKET"]
    rows = 1_200
    numbers = range(FIRST_KILLED, FIRST_KILLED + rows)
    accounts = ({"Id": account_id(each), "LastName": KILLED, "Twitter__c": f"halley{each}"} for each in numbers)
    write_export(tmp_path / "accounts.csv", accounts)
    files = deployed.account.client("s3")
    files.upload_file(str(tmp_path / "accounts.csv"), bucket, "imports/killed/source.csv")

    def start(name: str) -> str:
        given = json.dumps({"run": "killed", "file": "imports/killed/source.csv"})
        started = workflow.start_execution(
            stateMachineArn=deployed.output("ImportStateMachine"), name=name, input=given
        )
        return str(started["executionArn"])

    def made() -> list[str]:
        return [each["externalIds"][0]["value"] for each in genesys.contacts() if each.get("lastName") == KILLED]

    genesys.configure(latency_ms=(50, 150))
    try:
        execution = start("killed-1")
        for reached in (rows // 8, rows // 4, rows // 2):
            assert len(eventually(made, partial(_at_least, reached))) >= reached
            kill_workers(deployed, "import-load")
        workflow.stop_execution(executionArn=execution)
    finally:
        genesys.configure(latency_ms=(0, 0))
    assert reached <= len(made()) < rows
    execution = start("killed-2")
    ended = eventually(
        lambda: workflow.describe_execution(executionArn=execution)["status"], lambda status: status != "RUNNING"
    )
    assert ended == "SUCCEEDED", deployed.logs("import-load")

    def read(name: str) -> str:
        return str(files.get_object(Bucket=bucket, Key=f"imports/killed/{name}")["Body"].read().decode())

    report = json.loads(read("report.json"))
    assert report["seconds"] > 0
    assert (report["rows"], report["created"] + report["updated"] + report["unchanged"]) == (rows, rows)
    ids = {row["crm_id"]: row["contact_id"] for row in csv.DictReader(read("ids.csv").splitlines())}
    assert sorted(made()) == sorted(ids) == sorted(map(account_id, numbers))
    assert len(set(ids.values())) == rows


def test_an_answer_can_be_explained_from_the_log(deployed: Deployed) -> None:
    answer = resolve(deployed, ani=JOHN.mobile)
    trace = cir(deployed, "explain", answer["resolutionId"])
    assert trace["contactId"] == answer["contactId"]
    assert trace["steps"]


def test_without_the_right_to_read_the_tables_the_resolver_still_answers(deployed: Deployed) -> None:
    """Roles are enforced here: this is what a missing right looks like, and that nothing else is missing."""
    iam = deployed.account.client("iam")
    role = deployed.role_name("resolver")
    statement = {"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}
    denied = {"RoleName": role, "PolicyName": "denied"}
    iam.put_role_policy(**denied, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}))
    caller = PERSONAS.household.people[1].mobile
    try:
        answer = deployed.call("resolver", {"ani": caller})
    finally:
        iam.delete_role_policy(**denied)
    assert answer["outcome"] == "DEGRADED"
    assert answer["displayName"]
    assert resolve(deployed, ani=caller)["outcome"] == "RESOLVED"


@pytest.mark.parametrize(
    ("account", "organization_id"),
    [
        pytest.param("222222222222", "", id="another account"),
        pytest.param("", "11111111-1111-4111-8111-111111111111", id="another organization"),
    ],
)
def test_nobody_but_genesys_for_the_organization_gets_its_role(
    deployed: Deployed, account: str, organization_id: str
) -> None:
    assert refused(lambda: deployed.client_of_genesys("sts", account=account, organization_id=organization_id))


def test_the_role_of_genesys_may_call_the_aliases_of_its_data_actions_and_nothing_else(deployed: Deployed) -> None:
    genesys = deployed.client_of_genesys("lambda")
    names = [deployed.function_name(part) + alias for part in PARTS for alias in ("", ":live")]
    callable_ones = [name for name in names if not refused(partial(genesys.invoke, FunctionName=name))]
    assert callable_ones == [f"cir-dev-{part}:live" for part in ("resolver", "link", "create")]
    tables = deployed.client_of_genesys("dynamodb")
    assert refused(lambda: tables.scan(TableName="cir-dev-contacts"))


def test_no_line_of_any_log_holds_what_a_caller_gave(deployed: Deployed) -> None:
    given = {"ani": "+16465550166", "email": "nobody.at.all@example.com"}
    unknown = resolve(deployed, **given)
    deployed.call("link", {"contactId": unknown["contactId"], **given})
    used = [part for part in PARTS if part != "reconcile-audit"]  # the weekly one, which has not been called
    logs = eventually(lambda: {part: deployed.logs(part) for part in used}, lambda logs: all(logs.values()))
    assert all(logs.values())
    for part, lines in logs.items():
        assert not [line for line in lines if "6465550166" in line or "nobody.at.all" in line], part


def test_a_second_deployment_changes_nothing(deployed: Deployed) -> None:
    before = published_versions(deployed)
    deployed.deploy()
    deployed.cdk.diff()
    assert published_versions(deployed) == before


def test_when_the_stacks_are_destroyed_nothing_is_left(deployed: Deployed) -> None:
    deployed.cdk.destroy()
    account = deployed.account
    stacks = account.client("cloudformation").list_stacks()["StackSummaries"]
    assert {stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"} == {"CDKToolkit"}
    assert account.client("dynamodb").list_tables()["TableNames"] == []
    assert account.client("lambda").list_functions()["Functions"] == []
    assert account.client("secretsmanager").list_secrets()["SecretList"] == []
    assert account.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/cir-")["logGroups"] == []


def kill_workers(deployed: Deployed, part: str) -> None:
    """End the processes in which a function runs, as the death of its machine would."""
    subprocess.run(["pkill", "-9", "-f", f"ministack-lambda-{deployed.function_name(part)}-"], check=False)


def _at_least(number: int, found: list[str]) -> bool:
    return len(found) >= number


def told(deployed: Deployed, account_id: str, *, key: str = SIGNING) -> int:
    """The CRM calls the address that the stack puts out: the status of the answer."""
    address = urlsplit(deployed.output("WebhookUrl"))
    body, now = json.dumps({"id": account_id, "eventId": uuid.uuid4().hex}).encode(), str(int(time.time()))
    headers = {"x-cir-timestamp": now, "x-cir-signature": sign(key, now, body), "content-type": "application/json"}
    # its host name is not known to DNS; the account listens at its end point
    answer = requests.post(
        f"{deployed.account.endpoint_url}{address.path}",
        data=body,
        headers={**headers, "Host": address.netloc},
        verify=deployed.account.environment["REQUESTS_CA_BUNDLE"],
        timeout=30,
    )
    return answer.status_code


def logged(deployed: Deployed, part: str, event: str) -> list[dict[str, Any]]:
    """The lines of a function's log about an event."""
    lines = [json.loads(line) for line in deployed.logs(part) if line.startswith("{")]
    return [line for line in lines if line.get("event") == event]


def follow(deployed: Deployed, *contact_ids: str) -> None:
    """Tell of changes in Genesys, as the rule on the partner bus does."""
    sqs = deployed.account.client("sqs")
    queue = sqs.get_queue_url(QueueName="cir-dev-events")["QueueUrl"]
    for each in contact_ids:
        event = {"detail-type": CONTACT_TOPIC, "detail": {"eventBody": {"id": each}}}
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(event), DelaySeconds=0)


def fire(deployed: Deployed, name: str) -> None:
    """Do now what a schedule does when its time comes, in its own role."""
    scheduler = deployed.account.client("scheduler")
    scheduler.create_schedule(
        Name=f"{name}-now",
        ScheduleExpression=f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target=scheduler.get_schedule(Name=name)["Target"],
    )


def published_versions(deployed: Deployed) -> dict[str, list[str]]:
    client = deployed.account.client("lambda")
    return {
        part: [
            version["Version"]
            for version in client.list_versions_by_function(FunctionName=deployed.function_name(part))["Versions"]
        ]
        for part in PARTS
    }


def change_tier(export: Path, changed: Path, *, record_id: str, tier: str) -> None:
    """Write an export of one account, whose tier has changed."""
    with export.open(encoding="utf-8", newline="") as source, changed.open("w", encoding="utf-8", newline="") as target:
        rows = csv.DictReader(source)
        writer = csv.DictWriter(target, fieldnames=rows.fieldnames or ())
        writer.writeheader()
        writer.writerows(row | {"Account_Tier__c": tier} for row in rows if row["Id"] == record_id)
