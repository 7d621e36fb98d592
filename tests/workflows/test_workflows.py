"""The pipelines do what they say: pinned actions, targets that exist, options that arrive."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
import yaml

from tools.docs.pages import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
_PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def commands(workflow: Path) -> Iterator[str]:
    """Every command of the workflow, for every value of its job's matrix."""
    for job in yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values():
        matrix: dict[str, list[str]] = job.get("strategy", {}).get("matrix", {})
        runs = [step["run"] for step in job.get("steps", ()) if "run" in step]
        for run, *values in product(runs, *matrix.values()):
            command = run
            for name, value in zip(matrix, values, strict=True):
                command = command.replace(f"${{{{ matrix.{name} }}}}", value)
            yield command


COMMANDS = sorted({command for workflow in WORKFLOWS for command in commands(workflow)})


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_every_action_of_others_is_pinned_to_a_commit(workflow: Path) -> None:
    used = [line.strip() for line in workflow.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert used
    assert [line for line in used if not _PINNED.search(line) and "uses: ./" not in line] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_a_target_to_which_its_options_arrive(command: str) -> None:
    make, target, *variables = shlex.split(command)
    assert make == "make"
    planned = subprocess.run(
        ["make", "--dry-run", "--always-make", target, *variables], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert [each for each in variables if each.partition("=")[2] not in planned] == []


def test_what_is_checked_at_a_change_is_checked_before_a_deployment() -> None:
    deploy = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text(encoding="utf-8"))["jobs"]
    assert deploy["ci"]["uses"] == "./.github/workflows/ci.yml"
    assert deploy["deploy"]["needs"] == "ci"
