"""The stacks, deployed once for all tests here, with customers in them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.customers import generate, write_csv
from sandbox.deployed import Deployed

CUSTOMERS = 300


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Deployed]:
    """Each step is shown as it ends: this takes a while."""
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    capture = request.config.pluginmanager.get_plugin("capturemanager")

    def show(step: str, seconds: float) -> None:
        if terminal and capture:
            with capture.global_and_fixture_disabled():
                terminal.write_line(f"  {step} in {seconds:.1f} s")

    directory = tmp_path_factory.mktemp("deployed")
    with Deployed(genesys={"rate_limit": None}, directory=directory, on_step=show) as started:
        yield started


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of the CRM."""
    file = tmp_path_factory.mktemp("crm") / "customers.csv"
    write_csv(file, generate(size=CUSTOMERS))
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
