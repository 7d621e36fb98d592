"""What is looked at by machine: CloudFormation's rules on the output, and the inventory that a change must show."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.assembly import ROOT, Assembly

SNAPSHOTS = Path(__file__).with_name("snapshots")
UPDATE = "UPDATE_SNAPSHOTS"


def test_cfn_lint_finds_nothing(typical: Assembly, variant: Assembly) -> None:
    """But for W3005, dependencies that the library writes although CloudFormation would find them itself, and W3010,
    zones by name, which is what one of the two environments has chosen."""
    files = [str(path) for assembly in (typical, variant) for path in assembly.files.values()]
    command = [
        str(Path(sys.executable).with_name("cfn-lint")),
        "--ignore-checks",
        "W3005",
        "W3010",
        "--regions",
        "eu-west-1",
    ]
    result = subprocess.run([*command, "--", *files], capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("what", ["resources", "roles"])
def test_the_inventory_is_the_recorded_one(typical: Assembly, what: str) -> None:
    """A resource that changes its name here is replaced in AWS; a role that changes may do something else.

    `UPDATE_SNAPSHOTS=1 pytest tests/infra` records what is new; the difference belongs into the review.
    """
    text = "".join(f"{line}\n" for line in (_resources(typical) if what == "resources" else _roles(typical)))
    file = SNAPSHOTS / f"{what}.txt"
    if os.environ.get(UPDATE):
        file.write_text(text)
    assert file.read_text() == text, f"{file.name} has changed; run with {UPDATE}=1 to record it"


def _resources(assembly: Assembly) -> list[str]:
    """Type and logical id of everything; of versions without the hash of what they run."""
    lines = []
    for stack, document in assembly.documents.items():
        lines.append(f"{stack}:")
        for logical_id, body in sorted(document["Resources"].items(), key=lambda each: (each[1]["Type"], each[0])):
            masked = logical_id[:-32] + "*" if body["Type"] == "AWS::Lambda::Version" else logical_id
            kept = " (kept)" if body.get("DeletionPolicy", "Delete") != "Delete" else ""
            lines.append(f"  {body['Type']} {masked}{kept}")
    return lines


def _roles(assembly: Assembly) -> list[str]:
    """Who may do what, on what."""
    lines = []
    for role in sorted(assembly.of_type("AWS::IAM::Role"), key=lambda each: (each.stack, each.logical_id)):
        lines.append(f"{role.stack} {assembly.text({'Ref': role.logical_id}, role.stack)}:")
        by_resource: dict[str, list[str]] = {}
        for action, resource in sorted(assembly.grants(role.logical_id, role.stack)):
            by_resource.setdefault(resource, []).append(action)
        lines += [f"  {resource}: {' '.join(actions)}" for resource, actions in sorted(by_resource.items())]
    return lines
