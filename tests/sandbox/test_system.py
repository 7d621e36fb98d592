"""The parts of the sandbox are wired as they are deployed. The handlers here only show what reaches them."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from infra.catalog.functions import PARTS
from infra.tables import CONTACTS, IDENTIFIERS, physical_name
from sandbox.machine.processes import StartError, listens
from sandbox.system import Sandbox, running, up

pytestmark = pytest.mark.slow

HANDLER = """
import json, os

def handler(event, context):
    for record in event.get("Records", ()):
        print("took", *(value["S"] for value in record["dynamodb"]["Keys"].values()))
    return dict(os.environ) if "Records" not in event else {"batchItemFailures": []}
"""

UP = """
import json, sys
from pathlib import Path
from sandbox.system import Sandbox, up

directory, lambdas = map(Path, sys.argv[1:])
up(Sandbox(directory=directory, lambdas=lambdas), lambda sandbox: print(json.dumps(sandbox.describe()), flush=True))
print("stopped")
"""


@pytest.fixture(scope="module")
def lambdas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("lambdas")
    for part in PARTS:
        file = directory / f"{part.handler.removesuffix('.handler').replace('.', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        for package in (directory / "functions", file.parent):
            (package / "__init__.py").touch()
        file.write_text(HANDLER)
    return directory


@pytest.fixture(scope="module")
def sandbox(lambdas: Path) -> Iterator[Sandbox]:
    with Sandbox(lambdas=lambdas) as started:
        yield started


def _environment_of(sandbox: Sandbox, part: str) -> dict[str, str]:
    environment: dict[str, str] = sandbox.functions.call(sandbox.function_name(part), {})
    return environment


def _taken(sandbox: Sandbox, part: str, key: str) -> bool:
    return bool(sandbox.logs.find(f"took {key}", function=sandbox.function_name(part)))


@pytest.mark.parametrize("part", ["resolver", "invalidator"])
def test_the_hot_plane_reaches_the_cache_and_holds_no_genesys_credential(sandbox: Sandbox, part: str) -> None:
    environment = _environment_of(sandbox, part)
    assert environment["CACHE_URL"] == sandbox.cache.url
    assert not [name for name in environment if name.startswith("GENESYS_") and name != "GENESYS_FALLBACK"]


@pytest.mark.parametrize("part", ["backfill", "link"])
def test_the_sync_plane_reaches_genesys_and_never_the_cache(sandbox: Sandbox, part: str) -> None:
    environment = _environment_of(sandbox, part)
    assert environment["GENESYS_URL"] == sandbox.genesys.url
    assert not [name for name in environment if name.startswith("CACHE_")]


def test_the_emulator_is_configured_and_counts_its_calls(sandbox: Sandbox) -> None:
    sandbox.genesys.configure(error_rate=1.0, error_statuses=[503])
    token = requests.post(
        f"{sandbox.genesys.url}/oauth/token",
        {"grant_type": "client_credentials"},
        auth=(sandbox.environment["GENESYS_CLIENT_ID"], sandbox.environment["GENESYS_CLIENT_SECRET"]),
        timeout=10,
    )
    assert token.status_code == 503
    assert sum(sandbox.genesys.calls().values()) == 1
    sandbox.genesys.configure(error_rate=0.0)


def test_the_default_queue_is_one_of_the_organization(sandbox: Sandbox) -> None:
    assert _environment_of(sandbox, "resolver")["DEFAULT_QUEUE_ID"] == sandbox.genesys.queue_id("Standard")


def test_changes_reach_the_invalidator_and_lookup_requests_the_backfill(sandbox: Sandbox) -> None:
    identifiers, contacts = (physical_name(sandbox.environment_name, table) for table in (IDENTIFIERS, CONTACTS))
    put = sandbox.aws.dynamodb.put_item
    put(TableName=identifiers, Item={"identifier": {"S": "phone#known"}})
    put(TableName=identifiers, Item={"identifier": {"S": "phone#asked"}, "lookup_requested_at": {"N": "1"}})
    put(TableName=contacts, Item={"contact_id": {"S": "contact"}})
    sandbox.wait_until_drained()
    assert sandbox.logs.find("took contact", timeout_seconds=10)
    assert sandbox.logs.find("took phone#asked", function=sandbox.function_name("backfill"), timeout_seconds=10)
    assert all(_taken(sandbox, "invalidator", key) for key in ("phone#known", "phone#asked", "contact"))
    assert not _taken(sandbox, "backfill", "phone#known")


def test_a_sandbox_that_stays_up_is_found_until_it_is_stopped(lambdas: Path, tmp_path: Path) -> None:
    assert running(tmp_path) == {}
    with subprocess.Popen([sys.executable, "-c", UP, tmp_path, lambdas], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            described = json.loads(process.stdout.readline())
            environment = running(tmp_path)
            assert environment["GENESYS_URL"] in described["Genesys Cloud emulator"]
            assert environment["DEFAULT_DISPLAY_NAME"] == "Valued Customer"
            assert requests.get(described["decision traces"].removeprefix("GET "), timeout=10).json() == {"events": []}
            with pytest.raises(StartError, match="is running already"):
                up(Sandbox(directory=tmp_path, lambdas=lambdas), lambda _: pytest.fail("a second one was started"))
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "stopped\n"
    assert running(tmp_path) == {}
    assert not (tmp_path / "environment").exists()
    assert not listens(int(environment["CACHE_URL"].rpartition(":")[2]))
