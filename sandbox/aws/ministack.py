"""Starts MiniStack with what this app's templates need beyond it, so that they deploy as they are.

A program of its own, run by the Python of `.venv-aws`. It reaches into private names of MiniStack 1.5.33, to which
`pyproject.toml` pins it: a new version may need changes here, and makes some of it unnecessary. In the order below:

* Types that MiniStack does not know and that do nothing here: it has no networks, and moves an alias at once.
* The cache: both kinds have the address in `$CIR_CACHE_ENDPOINT`, where a real one listens.
* Secrets: generated from the characters that the template allows, and named by their ARN, as `Ref` gives it in AWS.
* Tables: their time to live is switched on, which MiniStack leaves out.
* Batches of messages need the right to send one: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
"""

import json
import os
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from ministack import app  # type: ignore[import-not-found]
from ministack.core import iam_actions  # type: ignore[import-not-found]
from ministack.services import dynamodb, secretsmanager  # type: ignore[import-not-found]
from ministack.services.cloudformation import provisioners  # type: ignore[import-not-found]

type Properties = Mapping[str, Any]
type Handler = dict[str, Callable[..., Any]]
"""What creates, updates and deletes resources of a type. The first two return the physical id and the attributes."""

_RECORDED = (
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::EC2::FlowLog",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
)


def main() -> None:
    """Serve until terminated."""
    handlers = provisioners._RESOURCE_HANDLERS
    for kind in _RECORDED:
        handlers[kind] = _record()
    address, _, port = os.environ["CIR_CACHE_ENDPOINT"].rpartition(":")
    for kind, endpoint in (
        ("AWS::ElastiCache::ServerlessCache", "Endpoint"),
        ("AWS::ElastiCache::ReplicationGroup", "PrimaryEndPoint"),
    ):
        handlers[kind] = _record({f"{endpoint}.Address": address, f"{endpoint}.Port": port})
    provisioners._sm_secret_string = _secret_string
    handlers["AWS::SecretsManager::Secret"] |= {
        "create": _create_secret,
        "update": _update_secret,
        "delete": _delete_secret,
    }
    handlers["AWS::DynamoDB::GlobalTable"]["create"] = _create_table
    iam_actions.extract_iam_action = _batch_as_single(iam_actions.extract_iam_action)
    app._port_is_bindable = lambda _host, _port: False  # with TLS it would take port 443 too
    app.main()


def _batch_as_single(extract: Callable[..., str | None]) -> Callable[..., str | None]:
    def extracted(*arguments: Any, **named: Any) -> str | None:
        action = extract(*arguments, **named)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    return extracted


def _record(attributes: Mapping[str, str] | None = None) -> Handler:
    """A resource that is there, and no more."""
    found = dict(attributes or {})
    return {
        "create": lambda logical_id, _properties, _stack: (f"{logical_id}-{uuid.uuid4().hex[:12]}", found),
        "update": lambda physical_id, _old, _new, _stack: (physical_id, found),
        "delete": lambda _physical_id, _properties: None,
    }


def _secret_string(properties: Properties) -> str:
    wanted = properties.get("GenerateSecretString")
    if properties.get("SecretString") or not wanted:
        return str(properties.get("SecretString", ""))
    status, _, body = secretsmanager._get_random_password(wanted)
    if status >= 400:
        raise ValueError(f"AWS::SecretsManager::Secret: {body!r}")
    generated = str(json.loads(body)["RandomPassword"])
    if "SecretStringTemplate" not in wanted:
        return generated
    return json.dumps(json.loads(wanted["SecretStringTemplate"]) | {wanted["GenerateStringKey"]: generated})


def _create_secret(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
    _, attributes = provisioners._sm_secret_create(logical_id, properties, stack)
    return attributes["Arn"], attributes


def _update_secret(arn: str, old: Properties, new: Properties, stack: str, logical_id: str) -> tuple[str, Properties]:
    _, attributes = provisioners._sm_secret_update(_secret_name(arn), old, new, stack, logical_id)
    return attributes["Arn"], attributes


def _delete_secret(arn: str, properties: Properties) -> None:
    provisioners._sm_secret_delete(_secret_name(arn), properties)


def _secret_name(arn: str) -> str:
    """`...:secret:NAME-abc123` → `NAME`."""
    return arn.rpartition(":")[2].rpartition("-")[0]


def _create_table(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
    name, attributes = provisioners._ddb_global_table_create(logical_id, properties, stack)
    if time_to_live := properties.get("TimeToLiveSpecification"):
        dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": time_to_live})
    return name, attributes


if __name__ == "__main__":
    main()
