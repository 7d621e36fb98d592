"""No role is broader than the calls its function makes, and none narrower.

The real handlers run under the real runtime client with the variables of the template, against an AWS that notes who
calls what, an emulated Genesys Cloud, and a Valkey that lets them in as the deployed user. What they were seen to need
must be what their roles grant, one for one.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import boto3
import pytest
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.aws.dynamodb import boto3_dynamodb
from cir.connect import report_window
from cir.crm.mapping import SHIPPED, load_mapping
from cir.genesys.budget import Window
from cir.genesys.client import GenesysClient
from cir.http.oauth import Credentials
from cir.identity.identifiers import Identifier
from cir.identity.parsing import parse
from cir.identity.records import Contact
from cir.identity.rules import IdentifierType, load_rules
from cir.index.store import IdentityStore, TableNames
from cir.runtime import log
from cir.runtime.metrics import NAMESPACE
from infra.catalog import functions as catalog
from infra.tables import CONTACTS, IDENTIFIERS, LEDGER, create_tables, physical_name
from sandbox.aws.functions import Function, Functions
from sandbox.aws.logs import Logs
from sandbox.crm.accounts import Accounts
from sandbox.crm.emulator import running
from sandbox.crm.salesforce import Salesforce
from sandbox.customers.salesforce import contact_id
from sandbox.genesys.organization.events import CONTACT_TOPIC
from sandbox.genesys_process import CLIENT_ID, CLIENT_SECRET, GenesysEmulator
from sandbox.machine.cache_server import Cache as CacheServer
from tests.support.assembly import ROOT, Assembly, Resource
from tests.support.genesys_cloud import GenesysCloud
from tests.support.recording import RecordingAws, recording_aws
from tests.support.webhook_calls import SIGNING, signed

PARTS = tuple(part.name for part in catalog.parts(crm=True))
STREAMS = {part.name: [stream.table.name for stream in part.streams] for part in catalog.PARTS}
QUEUES = {"events": "events", "sync": "sync.fifo"}
REGION = "eu-west-1"
OPERATOR = boto3.Session(aws_access_key_id="AKIAOPERATOR", aws_secret_access_key="secret", region_name=REGION)
ADMINISTRATION = {"acl|setuser", "acl|whoami", "cluster|info", "config|resetstat", "info", "script|flush"}
CONNECTION = {"auth", "client|setinfo", "hello"}


@dataclass(frozen=True)
class Seen:
    """What the functions did."""

    assembly: Assembly
    aws: RecordingAws
    metrics: list[dict[str, Any]]
    """Log lines that are metrics too."""
    cache_commands: frozenset[str]
    secrets: Mapping[str, str]
    """ARN → the secret's name in the template."""

    def permissions(self, part: str) -> set[tuple[str, str]]:
        return self.aws.calls.get(_access_key(part), set())


@pytest.fixture(scope="module", params=["typical", "variant"])
def seen(
    request: pytest.FixtureRequest, assemblies: Mapping[str, Assembly], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seen]:
    assembly = assemblies[request.param]
    crm = Salesforce(Accounts(load_mapping(SHIPPED / "salesforce.json").fields))
    with (
        closing(Logs(directory=tmp_path_factory.mktemp("logs"))) as logs,
        recording_aws() as aws,
        CacheServer() as cache,
        GenesysEmulator(settings={"rate_limit": 100_000}) as genesys,
        running(crm),
    ):
        deployment = _Deployment(assembly, aws, cache, genesys, crm=crm, logs=logs)
        with deployment.functions:
            deployment.work()
        metrics = [json.loads(line.message) for line in logs.find('"_aws":')]
        with cache.client() as client:
            commands = {name.removeprefix("cmdstat_") for name in client.info("commandstats")}
        yield Seen(assembly, aws, metrics, frozenset(commands), deployment.secrets)


class _Deployment:
    """The functions with what the template gives them, but for where things are on this machine."""

    def __init__(
        self,
        assembly: Assembly,
        aws: RecordingAws,
        cache: CacheServer,
        genesys: GenesysEmulator,
        *,
        crm: Salesforce,
        logs: Logs,
    ) -> None:
        self.assembly = assembly
        self.environment = assembly.settings.name
        self._cache = cache
        self.dynamodb: DynamoDBClient = OPERATOR.client("dynamodb", endpoint_url=aws.url)
        create_tables(self.dynamodb, self.environment)
        self.store = IdentityStore(
            boto3_dynamodb(self.dynamodb),
            TableNames(*(physical_name(self.environment, table) for table in (IDENTIFIERS, CONTACTS, LEDGER))),
        )
        self.genesys = GenesysClient(api_url=genesys.url, credentials=Credentials(CLIENT_ID, CLIENT_SECRET))
        self._agent = GenesysCloud(genesys.url)
        self._s3 = OPERATOR.client("s3", endpoint_url=aws.url)
        self._bucket = f"cir-{self.environment}-files-ACCOUNT"  # as the template says it for any account
        self._s3.create_bucket(Bucket=self._bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        self._crm = crm
        manager = OPERATOR.client("secretsmanager", endpoint_url=aws.url)
        values = {
            "GenesysClient": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
            "CrmClient": {"client_id": "sandbox", "client_secret": "sandbox"},
            "WebhookKeys": {"salesforce": {"signing": [SIGNING]}},
        }
        arns = {
            name: manager.create_secret(Name=f"{name}-{self.environment}", SecretString=json.dumps(value))["ARN"]
            for name, value in values.items()
        }
        self.secrets = {arn: name for name, arn in arns.items()}
        sqs = OPERATOR.client("sqs", endpoint_url=aws.url)
        queues = [
            sqs.create_queue(QueueName=f"cir-{self.environment}-{name}.fifo", Attributes={"FifoQueue": "true"})[
                "QueueUrl"
            ]
            for name in ("sync", "sync-undelivered")
        ]
        self.here = {
            "AWS_ENDPOINT_URL": aws.url,
            "CACHE_URL": cache.url,
            "CACHE_HASH_KEY": "0f" * 32,
            "GENESYS_URL": genesys.url,
            "GENESYS_SECRET_ARN": arns["GenesysClient"],
            "CRM_URL": crm.url,
            "CRM_SECRET_ARN": arns["CrmClient"],
            "WEBHOOK_SECRET_ARN": arns["WebhookKeys"],
            "CHANGES_QUEUE_URL": queues[0],
            "UNDELIVERED_QUEUE_URL": queues[1],
            "RESOLVER_BUDGET_MS": "5000",
        }
        self._let_in()
        deployed = catalog.parts(crm=assembly.settings.crm is not None)
        self.functions = Functions(
            [self._function(part.name) for part in deployed], logs=logs, region=REGION, account="123456789012"
        )

    def name(self, part: str) -> str:
        return f"cir-{self.environment}-{part}"

    def work(self) -> None:
        """Everything that any of the functions ever does with AWS."""
        ann = self._customer("Ann", "+442079460101", "GLD-1")
        bob = self._customer("Bob", "+442079460102", "GLD-2")
        for contact in (ann, bob):  # Genesys knows them, the index does not: asked for, found, invalidated
            number = contact["workPhone"]["e164"]
            assert self.resolve(ani=number)["outcome"] == "NOT_FOUND"
            self._ask_for(number)
            assert self.call("backfill", self._stream_of(number)) == {"batchItemFailures": []}
            assert self.call("invalidator", self._stream_of(number)) == {"batchItemFailures": []}
            assert self.resolve(ani=number)["contactId"] == contact["id"]
        with self._cache.client() as client:
            client.script_flush()  # as after a failover
        conflict = self.resolve(ani="+442079460101", externalId="GLD-2", externalSource="loyalty")
        assert conflict["outcome"] == "CONFLICT"
        for outcome in ("LINKED", "ALREADY_LINKED"):
            assert self.call("link", {"contactId": ann["id"], "email": "ann@example.com"})["outcome"] == outcome
        assert self.call("link", {"contactId": ann["id"], "ani": "+442079460102"})["outcome"] == "CONFLICT"
        assert self.call("backfill", {"identifiers": [_named("+442079460199")]}) == {"found": [False]}
        self._merged(ann["id"], bob["id"])
        merged = self._stream_of("+442079460102", contact_id=bob["id"])
        assert self.call("invalidator", merged)
        assert self.call("compact", merged) == {"batchItemFailures": []}
        new = {"ani": "+442079460103", "firstName": "Eve"}
        assert [self.call("create", new)["outcome"] for _ in range(2)] == ["CREATED", "EXISTS"]
        self._happened_in_genesys()
        self._searched_for_duplicates()
        self._imported()
        if self.assembly.settings.crm:
            self._changed_in_the_crm()
            self._reconciled()

    def resolve(self, **event: str) -> dict[str, Any]:
        return self.call("resolver", event)

    def call(self, part: str, event: object) -> dict[str, Any]:
        answer: dict[str, Any] = self.functions.call(self.name(part), event)
        return answer

    def _function(self, part: str) -> Function:
        deployed = self.assembly.function(part)
        variables = deployed.properties["Environment"]["Variables"]
        environment = {name: self.assembly.text(value, deployed.stack) for name, value in variables.items()}
        replaced = {name: value for name, value in self.here.items() if name in environment}
        return Function(
            name=self.name(part),
            handler=deployed.properties["Handler"],
            directory=ROOT / "lambdas",
            environment={
                **environment,
                **replaced,
                **{name: self.here[name] for name in ("AWS_ENDPOINT_URL", "GENESYS_URL")},
                "AWS_ACCESS_KEY_ID": _access_key(part),
                "AWS_SECRET_ACCESS_KEY": "secret",
            },
            timeout_seconds=max(60, deployed.properties["Timeout"]),
        )

    def _let_in(self) -> None:
        """Make the cache's user as ElastiCache would, but for the check of the signature that is its password."""
        (user,) = self.assembly.of_type("AWS::ElastiCache::User")
        rules = user.properties["AccessString"].split()
        with self._cache.client() as client:
            client.execute_command("CONFIG", "RESETSTAT")
            client.execute_command("ACL", "SETUSER", user.properties["UserName"], "reset", "nopass", *rules)

    def _customer(self, first_name: str, number: str, loyalty: str) -> dict[str, Any]:
        source = self.genesys.organization.ensure_external_source(load_rules().external_sources["loyalty"].name)
        made = self.genesys.contacts.enrich(
            {
                "action": "Upsert",
                "matchingIdentifiers": [
                    {"type": "ExternalId", "value": loyalty, "externalSource": {"id": source}},
                ],
                "contact": {
                    "firstName": first_name,
                    "workPhone": {"display": number},
                    "externalIds": [{"value": loyalty, "externalSource": {"id": source}}],
                },
                "options": {"promote": True},
            }
        )
        return dict(made.contact)

    def _ask_for(self, number: str) -> None:
        """As the resolver has just done, unless this machine was too busy to do it in the resolver's 50 ms."""
        self.store.request_lookup(_parsed(number), at=int(time.time()), again_after_seconds=3600)

    def _stream_of(self, number: str, *, contact_id: str = "") -> dict[str, Any]:
        """What the streams say of an identifier, and of a contact that it leads to."""
        changed = [(IDENTIFIERS, {"identifier": {"S": _named(number)["key"]}})]
        if contact_id:
            changed.append((CONTACTS, {"contact_id": {"S": contact_id}}))
        records = []
        for sequence, (table, key) in enumerate(changed):
            item = self.dynamodb.get_item(TableName=physical_name(self.environment, table), Key=key)["Item"]
            change = {"Keys": key, "NewImage": item, "SequenceNumber": str(sequence)}
            records.append({"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": change})
        return {"Records": records}

    def _happened_in_genesys(self) -> None:
        """A contact appears, changes, is merged with another, and is deleted, and each time an event says so."""
        contacts = self.genesys.contacts
        cat, dan = self._customer("Cat", "+442079460104", "GLD-3"), self._customer("Dan", "+442079460105", "GLD-4")
        self._follow(cat["id"], dan["id"])
        moved = {"display": "+442079460106"}
        contacts.patch(cat["id"], [{"field": "$.workPhone", "action": "Update", "value": moved}])
        self._follow(cat["id"])
        merged = contacts.merge([cat["id"], dan["id"]], value_override={"firstName": "Cat"})
        self._follow(merged["id"], cat["id"], dan["id"])
        contacts.delete(merged["id"])
        self._follow(merged["id"])

    def _searched_for_duplicates(self) -> None:
        """Somebody has two contacts; the search finds, proposes and merges them."""
        rosalind = {"firstName": "Rosalind", "lastName": "Thistlewood", "workEmail": "rosalind@example.com"}
        for slot in ("cellPhone", "homePhone"):
            self._follow(self._agent.create(**rosalind, **{slot: {"display": "+442079460107"}}))
        export = self.call("duplicates", {"step": "start"})
        while not self.call("duplicates", {"step": "wait", **export})["ready"]:
            time.sleep(0.2)
        assert self.call("duplicates", {"step": "propose", **export})["records"] >= 2
        assert self.call("duplicates", {"step": "merge", "allowed": 5})["left"] is False

    def _imported(self) -> None:
        """A new customer, who then changes; and a batch that is handed out twice."""
        for number, tier in enumerate(("Gold", "Platinum")):
            run = f"run{number}"
            source = f"imports/{run}/source.csv"
            self._s3.put_object(Bucket=self._bucket, Key=source, Body=_export(Account_Tier__c=tier))
            split = self.call("import-split", {"run": run, "file": source})
            listed = self._s3.get_object(Bucket=self._bucket, Key=split["batches"])["Body"].read()
            (batch,) = json.loads(listed)
            load = {"run": run, "batch": batch["batch"]}
            done = [self.call("import-load", load) for _ in range(2)]
            assert [each["created"] + each["updated"] for each in done] == [1, 0]
            assert self.call("import-report", {"run": run, "started": "2026-11-24T01:00:00.123Z"})["total"]["rows"] == 1

    def _changed_in_the_crm(self) -> None:
        """The CRM says that an account has changed; and of one that the mapping cannot read, which is set aside."""
        account_id = contact_id(1)
        self._crm.accounts.enter(account_id, {"LastName": "Berg", "Phone": "+442079460108", "Account_Tier__c": "Gold"})
        assert self.call("webhook", signed("salesforce", {"id": account_id, "eventId": "e1"}))["statusCode"] == 200
        for tier in ("Gold", "Platinum"):
            self._crm.accounts.change(account_id, Account_Tier__c=tier)
            assert self.call("sync", _changes(_change(account_id))) == {"batchItemFailures": []}
        assert self.call("sync", _changes("nothing that anybody understands")) == {"batchItemFailures": []}

    def _reconciled(self) -> None:
        """Two nights: one account has drifted, another is new; then one is gone."""
        for number in range(2, 8):
            fields = {"LastName": f"Oak {number}", "Phone": f"+4420794602{number:02}", "Account_Tier__c": "Gold"}
            self._crm.accounts.enter(contact_id(number), fields)
        self._night("one", audit=True)
        self._crm.accounts.change(contact_id(2), Account_Tier__c="Platinum")
        self._crm.accounts.delete(contact_id(3))
        oaks = {each.get("lastName"): each["id"] for each in self._agent.contacts()}
        self.genesys.contacts.patch(oaks["Oak 4"], [{"field": "$.lastName", "action": "Update", "value": "Elm"}])
        self.genesys.contacts.patch(oaks["Oak 5"], [{"field": "$.workPhone", "action": "Remove"}])
        self._agent.fail(operation="contacts/exports", status=403, count=50)
        self._night("two", audit=True)

    def _night(self, run: str, *, audit: bool) -> None:
        step = {"run": f"{run}-{self.environment}"}
        self.call("reconcile-extract", step)
        while audit and not self.call("reconcile-audit", step)["ready"]:
            time.sleep(0.2)
        plan = self.call("reconcile-compare", {**step, "force": True, "dryRun": False})
        assert plan["load"]
        listed = self._s3.get_object(Bucket=self._bucket, Key=plan["batches"])["Body"].read()
        for batch in json.loads(listed):
            self.call("import-load", {"run": plan["importRun"], "batch": batch["batch"]})
        self.call("reconcile-gone", step)
        assert self.call("reconcile-report", step)["outcome"] != "stopped"

    def _follow(self, *contact_ids: str) -> None:
        events = [{"detail-type": CONTACT_TOPIC, "detail": {"eventBody": {"id": each}}} for each in contact_ids]
        records = [{"messageId": str(number), "body": json.dumps(event)} for number, event in enumerate(events)]
        assert self.call("events", {"Records": records}) == {"batchItemFailures": []}

    def _merged(self, winner: str, loser: str) -> None:
        contacts: dict[str, Contact] = self.store.contacts([winner, loser])
        decision = self.store.decision(winner, "merge", "for the test")
        self.store.merge(contacts[winner], [contacts[loser]], decision=decision)


def _change(account_id: str) -> str:
    change = {"source": "salesforce", "id": account_id, "deleted": False, "event_id": "e1", "received_at": time.time()}
    return json.dumps(change)


def _changes(body: str) -> dict[str, Any]:
    """A batch of the queue."""
    attributes = {"MessageGroupId": "salesforce#1", "ApproximateReceiveCount": "2"}
    return {"Records": [{"messageId": "m1", "body": body, "attributes": attributes}]}


def _export(**cells: str) -> bytes:
    """One account, as the CRM exports it."""
    mapping = load_mapping(SHIPPED / "salesforce.json")
    header = [mapping.id_column, mapping.region_column, *mapping.columns]
    row = {"Id": "001000000000001", "LastName": "Berg", "Phone": "+442079460108", **cells}
    return "\n".join((",".join(header), ",".join(row.get(name, "") for name in header))).encode()


def _access_key(part: str) -> str:
    return f"AKIA{part.upper().replace('-', '')}"


def _parsed(number: str) -> Identifier:
    parsed = parse(IdentifierType.PHONE, number)
    assert isinstance(parsed, Identifier)
    return parsed


def _named(number: str) -> dict[str, str]:
    return {"key": _parsed(number).key, "value": _parsed(number).value}


def _around(part: str, assembly: Assembly) -> set[tuple[str, str]]:
    """What Lambda itself, and not the function's code, does in the function's role."""
    name = assembly.settings.name
    grants = {(f"logs:{action}", f"/aws/lambda/cir-{name}-{part}") for action in ("CreateLogStream", "PutLogEvents")}
    grants |= {(f"xray:{action}", "*") for action in ("PutTelemetryRecords", "PutTraceSegments")}
    if part in {"resolver", "invalidator"}:
        interfaces = ("Assign", "Unassign")
        actions = {f"{each}PrivateIpAddresses" for each in interfaces}
        actions |= {"CreateNetworkInterface", "DeleteNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets"}
        grants |= {(f"ec2:{action}", "*") for action in actions}
    streams = STREAMS.get(part, ())
    for table in streams:
        stream = f"cir-{name}-{table}.StreamArn"
        grants |= {(f"dynamodb:{action}", stream) for action in ("DescribeStream", "GetRecords", "GetShardIterator")}
        grants |= {("dynamodb:ListStreams", "*"), ("sqs:SendMessage", f"cir-{name}-{part}-undelivered")}
    if part in QUEUES:
        polled = ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
        grants |= {(f"sqs:{action}", f"cir-{name}-{QUEUES[part]}") for action in polled}
    return grants


@pytest.mark.parametrize("part", PARTS)
def test_a_role_grants_what_its_function_calls_and_nothing_more(seen: Seen, part: str) -> None:
    function = _function_of(seen, part)
    arns = {name: arn for arn, name in seen.secrets.items()}
    granted = {
        # a secret's name and a function's qualified name, as the calls say them
        (action, arns.get(resource, resource.rpartition(":function:")[2]))
        for action, resource in seen.assembly.grants(seen.assembly.role_of(function), function.stack)
        if not action.startswith(("kms:", "elasticache:"))
    }
    called = {_as_granted(each, granted) for each in seen.permissions(part)}
    if any(action == "s3:GetObject" for action, _ in called):
        # by which a key that is not there is told from one that may not be read
        called |= {each for each in granted if each[0] == "s3:ListBucket"}
    assert granted == called | _around(part, seen.assembly)


@pytest.mark.parametrize("part", PARTS)
def test_a_role_uses_the_key_only_through_the_services_that_it_calls(seen: Seen, part: str) -> None:
    function = _function_of(seen, part)
    services = {action.partition(":")[0] for action, _ in seen.permissions(part) | _around(part, seen.assembly)}
    expected = {f"{service}.{REGION}.amazonaws.com" for service in services & {"dynamodb", "s3", "secretsmanager"}}
    through: set[str] = set()
    own: list[str] = []
    for stack, statement in seen.assembly.statements(seen.assembly.role_of(function), function.stack):
        if "kms:Decrypt" in statement["Action"]:
            assert seen.assembly.text(statement["Resource"], stack) == "Key"
            ((condition, value),) = statement["Condition"]["StringEquals"].items()
            if condition == "kms:ViaService":
                through |= set(value)
            else:
                assert condition == "kms:EncryptionContext:aws:lambda:FunctionArn"
                own.append(seen.assembly.text(value, stack).rpartition(":")[2])
    assert through == expected
    assert own == ([function.properties["FunctionName"]] if "KmsKeyArn" in function.properties else [])


def test_the_hot_planes_way_to_the_tables_carries_what_it_calls_and_nothing_more(seen: Seen) -> None:
    (endpoint,) = (
        each
        for each in seen.assembly.of_type("AWS::EC2::VPCEndpoint")
        if each.properties["VpcEndpointType"] == "Gateway"
    )
    (statement,) = endpoint.properties["PolicyDocument"]["Statement"]
    called = {action for part in ("resolver", "invalidator") for action, _ in seen.permissions(part)}
    assert set(statement["Action"]) == {action for action in called if action.startswith("dynamodb:")}


def test_the_caches_user_may_send_what_is_sent_and_nothing_more(seen: Seen) -> None:
    from infra.parts.cache import COMMANDS

    assert seen.cache_commands - ADMINISTRATION - CONNECTION == set(COMMANDS)


def test_the_metrics_that_are_watched_are_published(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    report_window(Window())  # of the functions' requests to Genesys, once a minute
    lines = [*seen.metrics, json.loads(capsys.readouterr().out)]
    published = {
        (metric["Name"], frozenset(dimensions))
        for line in lines
        for each in line["_aws"]["CloudWatchMetrics"]
        for metric in each["Metrics"]
        for dimensions in each["Dimensions"]
    }
    assert {each["Namespace"] for line in lines for each in line["_aws"]["CloudWatchMetrics"]} == {NAMESPACE}
    assert {line["Environment"] for line in seen.metrics} == {seen.assembly.settings.name}
    assert _watched(seen.assembly) <= published
    assert {name for name, _ in _watched(seen.assembly)} >= {"Latency", "Resolutions"}


def test_an_unexpected_failure_is_a_line_that_the_metric_filters_count(
    typical: Assembly, capsys: pytest.CaptureFixture[str]
) -> None:
    log.write_failure("resolution failed", ValueError("a value"))
    assert json.loads(capsys.readouterr().out)["level"] == "error"
    filters = typical.of_type("AWS::Logs::MetricFilter")
    assert {each.properties["FilterPattern"] for each in filters} == {'{ $.level = "error" }'}


def _watched(assembly: Assembly) -> set[tuple[str, frozenset[str]]]:
    """Metrics of the functions that alarms and the dashboard use: names, and names of dimensions."""
    watched = set()
    for alarm in assembly.of_type("AWS::CloudWatch::Alarm"):
        if alarm.properties.get("Namespace") == NAMESPACE and "Dimensions" in alarm.properties:
            dimensions = frozenset(each["Name"] for each in alarm.properties["Dimensions"])
            watched.add((alarm.properties["MetricName"], dimensions))
    (dashboard,) = assembly.of_type("AWS::CloudWatch::Dashboard")
    for widget in json.loads(assembly.text(dashboard.properties["DashboardBody"], "dashboard"))["widgets"]:
        for namespace, metric, *rest in widget["properties"].get("metrics", ()):
            names = frozenset(each for each in rest[::2] if isinstance(each, str))
            if namespace == NAMESPACE and names:
                watched.add((metric, names))
    return watched


def _as_granted(called: tuple[str, str], granted: set[tuple[str, str]]) -> tuple[str, str]:
    """What was called on one object, as the narrowest pattern that grants it says it."""
    action, on = called
    patterns = [pattern for each, pattern in granted if each == action and "*" in pattern and fnmatchcase(on, pattern)]
    return action, max(patterns, key=len, default=on)


def _function_of(seen: Seen, part: str) -> Resource:
    if part not in {each.name for each in catalog.parts(crm=seen.assembly.settings.crm is not None)}:
        pytest.skip("only where there is a CRM")
    return seen.assembly.function(part)
