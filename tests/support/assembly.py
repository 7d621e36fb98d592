"""What an environment synthesizes to, in a form that can be asserted on."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.checks import checked
from infra.settings import Settings

if TYPE_CHECKING:
    from aws_cdk.assertions import Template

ROOT = Path(__file__).resolve().parents[2]

_PHYSICAL_NAMES = ("TableName", "FunctionName", "QueueName", "LogGroupName", "RoleName", "TopicName")
_PSEUDO = {"AWS::AccountId": "ACCOUNT", "AWS::Partition": "aws"}
_HASH = re.compile(r"[0-9A-F]{8}$")


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    stack: str
    logical_id: str
    body: Mapping[str, Any]

    @property
    def type(self) -> str:
        return str(self.body["Type"])

    @property
    def properties(self) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self.body.get("Properties", {})
        return properties


@dataclass(frozen=True)
class Assembly:
    """The stacks of one environment."""

    settings: Settings
    templates: Mapping[str, "Template"]
    """By the last part of the stack's name: `foundation`, `hot`, `sync`, `dashboard`."""
    files: Mapping[str, Path]
    protected: frozenset[str]
    """Stacks with termination protection."""

    @cached_property
    def documents(self) -> dict[str, dict[str, Any]]:
        return {name: json.loads(path.read_text()) for name, path in self.files.items()}

    def of_type(self, *types: str, stack: str | None = None) -> list[Resource]:
        """All resources of these types."""
        return [each for each in self._all() if each.type in types and stack in (None, each.stack)]

    def function(self, part: str) -> Resource:
        """The function deployed for a package of `lambdas/`."""
        name = f"cir-{self.settings.name}-{part}"
        (found,) = (each for each in self.of_type("AWS::Lambda::Function") if each.properties["FunctionName"] == name)
        return found

    def text(self, value: Any, stack: str) -> str:
        """A value with its intrinsic functions replaced by the names of what they refer to."""
        match value:
            case {"Ref": str(name)}:
                return _PSEUDO.get(name) or self._name(name, stack)
            case {"Fn::GetAtt": [name, "Arn" | "Endpoint.Address" | "PrimaryEndPoint.Address"]}:
                return self._name(name, stack)
            case {"Fn::GetAtt": [name, attribute]}:
                return f"{self._name(name, stack)}.{attribute}"
            case {"Fn::ImportValue": str(export)}:
                producer, _, output = export.partition(":")
                other = producer.removeprefix(f"cir-{self.settings.name}-")
                return self.text(self.documents[other]["Outputs"][output]["Value"], other)
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(self.text(part, stack) for part in parts)
        return str(value)

    def statements(self, role: str, stack: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The policy statements of a role (by its logical id), from whichever stack, each with that stack."""
        wanted = self._name(role, stack)
        for policy in self.of_type("AWS::IAM::Policy"):
            if wanted in (self.text(each, policy.stack) for each in policy.properties["Roles"]):
                for statement in policy.properties["PolicyDocument"]["Statement"]:
                    yield policy.stack, statement

    def grants(self, role: str, stack: str) -> set[tuple[str, str]]:
        """What a role may do: pairs of action and resource."""
        return {
            (action, self.text(resource, where))
            for where, statement in self.statements(role, stack)
            if statement["Effect"] == "Allow"
            for action in _listed(statement["Action"])
            for resource in _listed(statement["Resource"])
        }

    def role_of(self, function: Resource) -> str:
        """The logical id of a function's role."""
        return str(function.properties["Role"]["Fn::GetAtt"][0])

    def _all(self) -> Iterator[Resource]:
        for stack, document in self.documents.items():
            for logical_id, body in document["Resources"].items():
                yield Resource(stack, logical_id, body)

    def _name(self, logical_id: str, stack: str) -> str:
        properties = self.documents[stack]["Resources"].get(logical_id, {}).get("Properties", {})
        named = next((properties[each] for each in _PHYSICAL_NAMES if isinstance(properties.get(each), str)), None)
        return named or _HASH.sub("", logical_id)


def synthesize(settings: Settings, directory: Path) -> Assembly:
    """As the command line does it, but for the asset, which takes the place of a file name only."""
    # Importing the CDK takes seconds: not when tests are only collected.
    import aws_cdk as cdk
    from aws_cdk.assertions import Template
    from cdk_nag import AwsSolutionsChecks

    from infra.stacks import stacks

    context = json.loads((ROOT / "cdk.json").read_text())["context"] | {"aws:cdk:bundling-stacks": []}
    app = cdk.App(analytics_reporting=False, context=context, outdir=str(directory))
    made = stacks(app, checked(settings))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
    names = {stack.stack_name.rpartition("-")[2]: stack for stack in made}
    return Assembly(
        settings=settings,
        templates={name: Template.from_stack(stack) for name, stack in names.items()},
        files={name: directory / str(stack.template_file) for name, stack in names.items()},
        protected=frozenset(name for name, stack in names.items() if stack.termination_protection),
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
