"""The emulator as others have it: its wheel, in an environment where this repository is unknown."""

import re
import signal
import subprocess
from pathlib import Path

import pytest
import requests

from tests.support.installing import Environment, build, contents, install

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[3] / "sandbox" / "genesys"
CONFTEST = """
import pytest
from genesys_emulator import Settings


@pytest.fixture(scope="session")
def genesys_settings():
    return Settings(queues=("VIP",))
"""
TESTS = """
import pytest
from genesys_emulator import RefusedError, running


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_an_organization_of_its_own(genesys_cloud, turn):
    assert genesys_cloud.queue_ids().keys() == {"VIP"}
    first, second = (genesys_cloud.meet({"type": "Cookie", "value": "c"}) for _ in range(2))
    assert first == second
    assert genesys_cloud.call("GET", "")["contacts"] == 1
    assert len(genesys_cloud.events(genesys_cloud.last_event() - 2)) == 2
    genesys_cloud.days_pass(61)
    assert genesys_cloud.call("GET", "")["contacts"] == 0


def test_what_cannot_be_set_is_refused(genesys_cloud):
    with pytest.raises(RefusedError, match="unknown setting 'latency'"):
        genesys_cloud.configure(latency=3)


def test_several_run_side_by_side(genesys_emulator):
    with running() as other:
        assert other.queue_ids() != genesys_emulator.queue_ids()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(PROJECT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return install(wheel, tmp_path_factory.mktemp("installed"), extras=["pytest"])


def test_it_claims_one_name(wheel: Path) -> None:
    assert contents(wheel) == {"genesys_emulator"}


def test_the_command_serves_until_it_is_interrupted(installed: Environment) -> None:
    command = [str(installed.program("genesys-emulator")), "--port", "0", "--queue", "VIP"]
    with subprocess.Popen(command, cwd=installed.directory, env=installed.variables, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            said = process.stdout.readline().decode()
            found = re.search(r"(http://127\.0\.0\.1:\d+), client (\S+) / (\S+);", said)
            assert found, said
            url, client_id, secret = found.groups()
            form = {"grant_type": "client_credentials"}
            token = requests.post(f"{url}/oauth/token", form, auth=(client_id, secret), timeout=30).json()[
                "access_token"
            ]
            headers = {"Authorization": f"Bearer {token}"}
            queues = requests.get(f"{url}/api/v2/routing/queues", headers=headers, timeout=30).json()["entities"]
            assert [queue["name"] for queue in queues] == ["VIP"]
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 0


def test_the_module_is_the_command(installed: Environment) -> None:
    assert "--events-file" in installed.run("python", "-m", "genesys_emulator", "--help").stdout
    refused = installed.run("python", "-m", "genesys_emulator", "--latency", "fast")
    assert refused.returncode == 2
    assert "latency 'fast' is not a number or a range" in refused.stderr


def test_the_fixture_is_found_by_itself(installed: Environment) -> None:
    """The example of the package's own page, and what the page promises."""
    tests = installed.directory / "tests"
    tests.mkdir()
    [example] = re.findall(r"```python\n(.*?)```", (PROJECT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (tests / "test_example.py").write_text(example, encoding="utf-8")
    (tests / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tests / "test_others.py").write_text(TESTS, encoding="utf-8")
    ran = installed.run("python", "-m", "pytest", "-q", "tests")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "5 passed" in ran.stdout
