"""Synthesis by the app itself, as the command line runs it: without a network, and the same every time."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.environments import ENVIRONMENTS
from infra.packaging import ANALYTIC, HOT, LEAN, build, find_uv
from tests.support.assembly import ROOT

# One takes ten seconds, on a machine that has nothing else to do.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

WITHOUT_NETWORK = ("unshare", "--net", "--map-root-user") if os.geteuid() else ("unshare", "--net")


def _synthesize(directory: Path, *, without: tuple[str, ...] = (), **context: str) -> subprocess.CompletedProcess[str]:
    settings = json.loads((ROOT / "cdk.json").read_text())["context"] | context
    return subprocess.run(
        [*without, sys.executable, "app.py"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "CDK_OUTDIR": str(directory),
            "CDK_CONTEXT_JSON": json.dumps(settings),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def _isolation() -> tuple[str, ...]:
    if not shutil.which("unshare") or subprocess.run([*WITHOUT_NETWORK, "true"], check=False).returncode:
        pytest.skip("no network namespace can be made here")
    return WITHOUT_NETWORK


def _asset_hashes(directory: Path) -> dict[str, str]:
    return {
        path.name: ",".join(sorted(json.loads(path.read_text())["files"])) for path in directory.glob("*.assets.json")
    }


@pytest.fixture(scope="module", autouse=True)
def _wheels(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The locked wheels are fetched once in a machine's life; that first time needs a network."""
    for package in (HOT, LEAN, ANALYTIC):
        build(tmp_path_factory.mktemp("asset"), package, uv=find_uv(), architecture="arm64")


@pytest.mark.parametrize("name", [each.name for each in ENVIRONMENTS[1:]])
def test_an_environment_synthesizes_without_network_or_credentials(tmp_path: Path, name: str) -> None:
    _check(_synthesize(tmp_path, without=_isolation(), env=name), tmp_path)


def test_so_does_the_first_and_again_with_the_same_assets(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for directory in (first, second):
        _check(_synthesize(directory, without=_isolation(), env=ENVIRONMENTS[0].name), directory)
    assert _asset_hashes(first) == _asset_hashes(second)


def _check(result: subprocess.CompletedProcess[str], directory: Path) -> None:
    assert result.returncode == 0, result.stderr
    names = {path.name.partition(".")[0] for path in directory.glob("*.template.json")}
    assert names == {"Foundation", "Hot", "Sync", "Dashboard"}
    assert (
        len(list(directory.glob("asset.*"))) == 3
    )  # of the hot plane, of the sync plane, and of the search through a base


def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path) -> None:
    result = _synthesize(tmp_path, env="live")
    assert result.returncode == 1
    assert "There is no environment 'live' in infra/environments.py; there are " in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
