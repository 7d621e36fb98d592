"""The stacks, deployed once for all tests here, with customers in them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.crm.customers import salesforce
from sandbox.crm.emulator import running
from sandbox.crm.salesforce import Salesforce
from sandbox.customers import SampleBase, generate, write_csv
from sandbox.deployed import Deployed
from tests.e2e.app import CRM_HOST

CUSTOMERS = 300
SIGNING = "signing-key-of-the-tests-0123456789"


@pytest.fixture(scope="session")
def base() -> SampleBase:
    return generate(size=CUSTOMERS)


@pytest.fixture(scope="session")
def crm(base: SampleBase) -> Iterator[Salesforce]:
    """What the export is of."""
    crm = salesforce(base)
    with running(crm):
        yield crm


@pytest.fixture(scope="session")
def deployed(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, crm: Salesforce
) -> Iterator[Deployed]:
    """Each step is shown as it ends: this takes a while."""
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    capture = request.config.pluginmanager.get_plugin("capturemanager")

    def show(step: str, seconds: float) -> None:
        if terminal and capture:
            with capture.global_and_fixture_disabled():
                terminal.write_line(f"  {step} in {seconds:.1f} s")

    directory = tmp_path_factory.mktemp("deployed")
    with Deployed(
        genesys={"rate_limit": None},
        directory=directory,
        on_step=show,
        app=f"{sys.executable} -m tests.e2e.app",
        others={CRM_HOST: urlsplit(crm.url).port or 0},
    ) as started:
        give_secrets(started, crm)
        yield started


def give_secrets(deployed: Deployed, crm: Salesforce) -> None:
    """What docs/deploy.md has the operator do for the CRM."""
    secrets = deployed.account.client("secretsmanager")
    client = {"client_id": crm.settings.client_id, "client_secret": crm.settings.client_secret}
    for output, value in (("CrmSecretArn", client), ("WebhookKeysArn", {"salesforce": {"signing": [SIGNING]}})):
        secrets.put_secret_value(SecretId=deployed.output(output), SecretString=json.dumps(value))


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory, base: SampleBase) -> Path:
    """The export of the CRM."""
    file = tmp_path_factory.mktemp("crm") / "customers.csv"
    write_csv(file, base)
    return file


@pytest.fixture(scope="session")
def imported(deployed: Deployed, export: Path) -> dict[str, Any]:
    """The summary of the import."""
    return cir(deployed, "import", str(export))


def cir(deployed: Deployed, *command: str) -> dict[str, Any]:
    """What the operator's command answers in a shell that works on the deployment."""
    environment = {"PATH": os.environ["PATH"], **deployed.environment}
    result = subprocess.run(
        [sys.executable, "-m", "cli.main", *command, "--json"],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert result.returncode == 0, f"cir {command[0]}: {result.stderr}"
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def eventually[Value](look: Callable[[], Value], good: Callable[[Value], bool], *, seconds: float = 60.0) -> Value:
    """The first good value, or, for the assertion that follows to fail on, what there is when the time is over."""
    deadline = time.monotonic() + seconds
    while not good(value := look()) and time.monotonic() < deadline:
        time.sleep(0.25)
    return value
