"""The request budget that everybody who calls Genesys Cloud shares: never too much, live work never behind bulk."""

import heapq
import json
import math
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.aws.dynamodb import DynamoDBError
from cir.connect import open_genesys
from cir.genesys.budget import SAME_WINDOW_SECONDS, Budget, Kind, Told, Window, lease
from infra.tables import STATE, physical_name
from sandbox.aws.services import Aws
from sandbox.genesys import Settings, running
from tests.conftest import new_environment
from tests.support.genesys_cloud import GenesysCloud

LATENCY = (0.1, 0.8)
"""Seconds to Genesys and back, each way half of it: answers overtake each other."""


class Shelf:
    """The table for as much as the budget uses of it: thousands of leases in virtual time take no time here.

    That a real table's writes do the same is what the tests with processes and with a deployment show.
    """

    def __init__(self) -> None:
        self.items: dict[str, Any] = {}
        self.broken = False
        self.calls = 0

    def __call__(self, operation: str, request: Mapping[str, Any], *, timeout: float | None = None) -> dict[str, Any]:
        assert operation == "PutItem"
        self.calls += 1
        if self.broken:
            raise DynamoDBError("Unreachable", "as told")
        item, name = request["Item"], request["Item"]["name"]["S"]
        found = self.items.get(name)
        expected = request.get("ExpressionAttributeValues", {}).get(":version")
        if (found and found["version"]) != expected:
            raise DynamoDBError("ConditionalCheckFailedException", "changed", {"Item": found} if found else {})
        self.items[name] = item
        return {}


@dataclass
class Minutes:
    """Genesys Cloud's count of one OAuth client, in time that only moves from event to event."""

    allowed: int = 300
    now: float = 1_000_000.0
    started: float = 0.0
    count: int = 0
    sent: Counter[int] = field(default_factory=Counter)
    refused: int = 0

    def receive(self) -> dict[str, str]:
        if self.now - self.started >= 60:
            self.started, self.count = self.now, 0
        self.count += 1
        left = math.ceil(60 - (self.now - self.started))
        headers = {
            "inin-ratelimit-allowed": str(self.allowed),
            "inin-ratelimit-count": str(self.count),
            "inin-ratelimit-reset": str(left),
        }
        if self.count > self.allowed:
            self.refused += 1
            headers["retry-after"] = str(left)
        else:
            self.sent[int(self.started)] += 1
        return headers


class Crowd:
    """Functions with budgets of their own over one table; each has one request under way at a time.

    Genesys has a limit for a client and one for each of its tokens; which of the two its headers tell of is not said.
    """

    def __init__(self) -> None:
        self.genesys, self.shelf = Minutes(), Shelf()
        self.counts_tokens = False
        self.tokens: dict[Budget, Minutes] = {}
        self.windows: list[Window] = []
        self.failures: list[DynamoDBError] = []
        self.waited: dict[Kind, float] = {"live": 0.0, "bulk": 0.0}
        self.sent: Counter[Kind] = Counter()
        self._events: list[tuple[float, int, Any]] = []
        self._number = 0
        self._dice = Random(5)

    def budget(self, kind: Kind) -> Budget:
        return Budget(
            self.shelf,
            "state",
            name="one",
            kind=kind,
            on_window=self.windows.append,
            on_failure=self.failures.append,
            clock=lambda: self.genesys.now,
            uniform=lambda low, high: (low + high) / 2,
        )

    def add(self, kind: Kind, *, at: float = 0.0, budget: Budget | None = None, again: bool) -> None:
        """Somebody who begins after so many seconds, and goes on without a pause if `again`."""
        self._later(at, lambda: self._ask(kind, budget or self.budget(kind), again=again))

    def run(self, seconds: float) -> None:
        end = self.genesys.now + seconds
        while self._events and self._events[0][0] < end:
            self.genesys.now, _, act = heapq.heappop(self._events)
            act()

    def _later(self, seconds: float, act: Any) -> None:
        self._number += 1
        heapq.heappush(self._events, (self.genesys.now + seconds, self._number, act))

    def _ask(self, kind: Kind, budget: Budget, *, again: bool) -> None:
        wait = budget.before_request(1)
        if wait > 0:
            self.waited[kind] += wait
            self._later(wait, lambda: self._ask(kind, budget, again=again))
            return
        self.sent[kind] += 1

        def answered(headers: Mapping[str, str]) -> None:
            budget.after_response(headers, 1)
            if again:
                self._ask(kind, budget, again=True)

        def received() -> None:
            of = self.tokens.setdefault(budget, Minutes()) if self.counts_tokens else self.genesys
            of.now = self.genesys.now
            headers = of.receive()
            self._later(self._dice.uniform(*LATENCY) / 2, lambda: answered(headers))

        self._later(self._dice.uniform(*LATENCY) / 2, received)


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


def test_bulk_work_of_several_functions_uses_the_limit_up_and_never_passes_it(crowd: Crowd) -> None:
    shared = crowd.budget("bulk")
    for budget in (shared, shared, shared, None, None, None):
        crowd.add("bulk", budget=budget, again=True)
    crowd.run(seconds=5 * 61)
    assert crowd.genesys.refused == 0
    first, *whole = [crowd.genesys.sent[minute] for minute in sorted(crowd.genesys.sent)][:-1]
    assert first >= 180 * 0.9  # nobody knows the limit before the first answer
    assert len(whole) >= 3
    assert min(whole) >= 300 * 0.95
    assert crowd.shelf.calls <= 3 * 4 * 5 * 61  # fewer than three a second each


def test_live_work_never_waits_for_bulk_work(crowd: Crowd) -> None:
    for _ in range(6):
        crowd.add("bulk", again=True)
    for second in range(1, 240):
        crowd.add("live", at=second, again=False)
    for moment in (30, 59.5, 90, 150, 179):  # eight at once, at any point of a window
        for _ in range(8):
            crowd.add("live", at=moment, again=False)
    crowd.run(seconds=245)
    assert (crowd.waited["live"], crowd.genesys.refused) == (0, 0)
    assert crowd.sent["live"] == 239 + 40
    assert crowd.sent["bulk"] + crowd.sent["live"] >= 4 * 300 * 0.93


@pytest.mark.parametrize("counts_tokens", [False, True], ids=["by client", "by token"])
@pytest.mark.parametrize("seconds", [2, 10, 45, 59, 61])
def test_the_window_ends_however_often_somebody_begins_with_a_new_token(
    crowd: Crowd, seconds: int, counts_tokens: bool
) -> None:
    crowd.counts_tokens = counts_tokens
    for _ in range(3):
        crowd.add("bulk", again=True)
    for moment in range(1, 600, seconds):
        crowd.add("live", at=moment, again=False)
    crowd.run(seconds=600)
    assert sum(each.refused for each in (crowd.genesys, *crowd.tokens.values())) == 0
    assert crowd.waited["live"] == 0
    assert crowd.sent["bulk"] + crowd.sent["live"] >= 10 * 300 * 0.9


def test_the_limit_that_answers_tell_is_believed(crowd: Crowd) -> None:
    crowd.genesys.allowed = 60
    for _ in range(4):
        crowd.add("bulk", again=True)
    crowd.run(seconds=200)
    assert crowd.genesys.refused == 0
    assert max(crowd.genesys.sent.values()) <= 60


def test_requests_of_somebody_else_with_the_same_client_are_counted(crowd: Crowd) -> None:
    crowd.add("bulk", again=True)
    crowd.add("bulk", again=True)
    crowd.run(seconds=10)
    crowd.genesys.count += 200
    crowd.run(seconds=45)
    assert crowd.genesys.refused == 0
    assert crowd.genesys.count <= 300


def test_one_that_is_refused_slows_all(crowd: Crowd) -> None:
    one, other = crowd.budget("bulk"), crowd.budget("live")
    assert one.before_request(1) == 0
    assert other.before_request(1) == 0
    one.after_response({"retry-after": "20"}, 1)
    crowd.genesys.now += 1
    assert other.before_request(1) == pytest.approx(19, abs=0.1)
    assert one.before_request(1) == pytest.approx(19, abs=0.1)
    crowd.genesys.now += 20
    assert one.before_request(1) == 0


def told_by_headers(*, count: int, reset: int) -> dict[str, str]:
    return {
        "inin-ratelimit-allowed": "300",
        "inin-ratelimit-count": str(count),
        "inin-ratelimit-reset": str(reset),
    }


def test_a_late_answer_of_the_last_window_does_not_use_up_the_new_one(crowd: Crowd) -> None:
    budget = crowd.budget("bulk")
    with ThreadPoolExecutor(1) as other_thread:
        assert budget.before_request(1) == 0
        budget.after_response(told_by_headers(count=1, reset=60), 1)
        crowd.genesys.now += 59.5
        assert other_thread.submit(budget.before_request, 1).result() == 0
        crowd.genesys.now += 1
        assert budget.before_request(1) == 0
        crowd.genesys.now += 0.1
        budget.after_response(told_by_headers(count=1, reset=60), 1)
        other_thread.submit(budget.after_response, told_by_headers(count=290, reset=1), 1).result()
    crowd.genesys.now += 5
    assert [budget.before_request(1) for _ in range(10)] == [0] * 10


def test_what_a_dead_function_had_leased_comes_back_with_the_next_window(crowd: Crowd) -> None:
    dead = crowd.budget("live")
    while dead.before_request(1) == 0:
        pass
    survivor = crowd.budget("live")
    wait = survivor.before_request(1)
    assert wait == pytest.approx(60, abs=0.1)
    crowd.genesys.now += wait
    assert survivor.before_request(1) == 0


def test_every_window_is_reported_once(crowd: Crowd) -> None:
    for _ in range(3):
        crowd.add("bulk", again=True)
    crowd.run(seconds=190)
    assert len(crowd.windows) == len({window.ends_at for window in crowd.windows}) == 3
    assert all(0 < window.used <= window.allowed for window in crowd.windows)


def test_without_the_table_the_headers_alone_are_kept_to_until_it_answers_again(crowd: Crowd) -> None:
    crowd.shelf.broken = True
    crowd.add("bulk", again=True)
    crowd.run(seconds=130)
    assert crowd.genesys.refused == 0
    assert crowd.sent["bulk"] > 200  # one at a time, half a second each
    assert 130 / 6 <= len(crowd.failures) <= 130 / 5 + 1  # asked again every five seconds, not at every request
    crowd.shelf.broken = False
    crowd.run(seconds=120)
    assert crowd.windows
    assert crowd.genesys.refused == 0


windows = st.builds(
    Window,
    version=st.integers(0, 9),
    ends_at=st.floats(900, 1200),
    allowed=st.integers(1, 1000),
    used=st.integers(0, 1200),
    paused_until=st.floats(0, 1100),
)
told = st.builds(Told, allowed=st.integers(0, 1000), count=st.integers(0, 1200), ends_after=st.floats(0, 1300))


@given(windows, told, st.sampled_from(["live", "bulk"]), st.integers(1, 50), st.floats(900, 1200))
def test_a_lease_never_gives_more_than_is_left(window: Window, told: Told, kind: Kind, wanted: int, now: float) -> None:
    leased = lease(window, told, kind=kind, wanted=wanted, cost=1, now=now)
    after = leased.window
    assert 0 <= leased.permissions <= wanted
    assert now <= after.ends_at <= max(now + 60, window.ends_at + SAME_WINDOW_SECONDS)
    if leased.permissions:
        assert after.used <= after.allowed - (after.reserve if kind == "bulk" else 0)
        assert now >= after.paused_until
    else:
        assert after.wait_for(kind, 1, now) > 0


WORKER = textwrap.dedent(
    """
    import json, sys, threading, time
    import boto3
    from cir.aws.dynamodb import boto3_dynamodb
    from cir.genesys.budget import Budget
    from cir.genesys.client import GenesysClient
    from cir.genesys.transport import Transport
    from cir.http.oauth import Credentials
    from cir.http.retries import Timing

    url, table, kind, speed, seconds = sys.argv[1:]
    speed = float(speed)
    slept, statuses = [], []
    clock = lambda: time.time() * speed

    def sleep(wait):
        slept.append(wait)
        time.sleep(wait / speed)

    budget = Budget(boto3_dynamodb(boto3.Session().client("dynamodb")), table, name="all", kind=kind, clock=clock)
    transport = Transport(pacer=budget, timing=Timing(clock, sleep), on_call=lambda call: statuses.append(call.status))
    client = GenesysClient(api_url=url, credentials=Credentials("sandbox", "sandbox"), transport=transport)
    end = clock() + float(seconds)

    def work():
        while clock() < end:
            client.contacts.find({"type": "Phone", "value": "+12125550100"})
            if kind == "live":
                time.sleep(1 / speed)

    threads = [threading.Thread(target=work) for _ in range(1 if kind == "live" else 3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    print(json.dumps({"calls": len(statuses), "slept": slept, "throttled": statuses.count(429)}))
    """
)


@pytest.mark.slow
def test_processes_that_share_one_client_are_never_refused(aws: Aws, tmp_path: Path) -> None:
    """Against the emulator's real limit of 300 a minute, five times as fast, on a DynamoDB with atomic writes."""
    speed = 5.0
    (tmp_path / "worker.py").write_text(WORKER)
    settings = Settings(clock_speed=speed, rate_limit_shared=True, latency_ms=(300, 800))
    table = physical_name(new_environment(aws.dynamodb), STATE)
    with running(settings) as emulator:
        environment = {**aws.environment, "PYTHONPATH": ":".join(sys.path), "PATH": ""}
        processes = [
            subprocess.Popen(
                [sys.executable, tmp_path / "worker.py", emulator.url, table, kind, str(speed), "100"],
                env=environment,
                stdout=subprocess.PIPE,
            )
            for kind in ("bulk", "bulk", "bulk", "live")
        ]
        results = [json.loads(process.communicate(timeout=90)[0]) for process in processes]
        statuses = emulator.call("GET", "/stats")["statuses"]
    assert {result["throttled"] for result in results} == {0}
    assert "429" not in {status for of_one in statuses.values() for status in of_one}
    *bulk, live = results
    assert live["slept"] == []
    assert live["calls"] > 30
    assert all(each["calls"] > 30 and each["slept"] for each in bulk)


def test_a_deployment_with_a_state_table_shares_its_budget(
    aws_url: str, genesys: GenesysCloud, dynamodb_client: DynamoDBClient, capsys: pytest.CaptureFixture[str]
) -> None:
    state = physical_name(new_environment(dynamodb_client), STATE)
    environment = {
        **genesys.environment,
        "STATE_TABLE": state,
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "CIR_ENVIRONMENT": "dev",
    }
    with patch.dict("os.environ", environment):
        client = open_genesys("bulk")
        client.organization.queue_named("Gold")
        (item,) = dynamodb_client.scan(TableName=state)["Items"]
        assert int(item["used"]["N"]) >= 1
        assert "sandbox" not in item["name"]["S"]
        # the window passes
        dynamodb_client.update_item(
            TableName=state,
            Key={"name": item["name"]},
            UpdateExpression="SET ends_at = :past, version = :version",
            ExpressionAttributeValues={":past": {"N": "1000"}, ":version": {"N": "99"}},
        )
        open_genesys("live").organization.queue_named("Gold")
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [each for each in logged if each["event"] == "request budget"]
    assert line["GenesysRequests"] == int(item["used"]["N"])
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Environment"]]
