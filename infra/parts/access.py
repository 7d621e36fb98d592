"""What roles may do, as policy statements. No statement here grants more than one function's own calls need.

The library's `grant_*` methods are not used: they add actions that no call here makes (DescribeTable, DescribeSecret),
and write into the key's policy, which would tie the stacks into a circle.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs

from infra.catalog.rights import (
    Condition,
    FileAction,
    Files,
    Invoke,
    Items,
    QueueName,
    ReadSecret,
    Right,
    SendTo,
    TableAction,
    UseCache,
    key_use,
)
from infra.foundation import Foundation
from infra.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What the rights in the catalog are about, in one environment."""

    settings: Settings
    foundation: Foundation
    cache: Sequence[str] = ()
    """ARNs of the cache and of the user in it."""
    functions: Mapping[str, str] = field(default_factory=dict)
    """ARN of the alias, by the name in the catalog."""

    def statements(
        self, rights: Sequence[Right], *, queues: Mapping[QueueName, sqs.IQueue]
    ) -> Iterator[iam.PolicyStatement]:
        """What a function needs that has these rights."""
        held = [each for each in rights if self._is_held(each)]
        for right in held:
            yield from self._statements(right, queues)
        use = key_use(held)
        if use.through:
            granted = encrypt_and_decrypt if use.writes else decrypt
            yield granted(self.foundation.key, through=use.through)

    def _is_held(self, right: Right) -> bool:
        where: Condition | None = right.where if isinstance(right, Items | Invoke) else None
        match where:
            case None:
                return True
            case "the resolver waits for Genesys":
                return self.settings.waits_for_genesys
            case "the CRM's mapping deletes contacts":
                return self.settings.crm is not None and self.settings.crm.deletes_contacts

    def _statements(self, right: Right, queues: Mapping[QueueName, sqs.IQueue]) -> Iterator[iam.PolicyStatement]:
        match right:
            case Items():
                yield items(self.foundation.table(right.table), *right.actions)
            case Files():
                bucket = self.foundation.files_name
                yield objects(bucket, right.keys, *right.actions)
                if "GetObject" in right.actions:
                    yield list_objects(bucket, right.prefix)
            case ReadSecret():
                yield read_secret(self.foundation.secret(right.secret))
            case SendTo():
                yield send_to(queues[right.queue])
            case UseCache():
                yield connect_to_cache(*self.cache)
            case Invoke():
                yield invoke(self.functions[right.function])


def items(table: dynamodb.ITable, *actions: TableAction) -> iam.PolicyStatement:
    """Read or write items of one table."""
    return iam.PolicyStatement(actions=[f"dynamodb:{action}" for action in actions], resources=[table.table_arn])


def decrypt(key: kms.IKey, *, through: Sequence[str]) -> iam.PolicyStatement:
    """Have a service decrypt with the key on the role's behalf."""
    return _use(key, ["kms:Decrypt"], through)


def decrypt_environment(key: kms.IKey, function_arn: str) -> iam.PolicyStatement:
    """Have Lambda decrypt the environment variables of one function, as which it presents itself to the key."""
    return iam.PolicyStatement(
        actions=["kms:Decrypt"],
        resources=[key.key_arn],
        conditions={"StringEquals": {"kms:EncryptionContext:aws:lambda:FunctionArn": function_arn}},
    )


def encrypt_and_decrypt(key: kms.IKey, *, through: Sequence[str]) -> iam.PolicyStatement:
    """Have a service read and write under the key on the role's behalf.

    For DynamoDB these are the ones that its developer guide lists, and the library grants, for writers of a table.
    """
    actions = ["Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"]
    return _use(key, [f"kms:{action}" for action in actions], through)


def read_stream(table: dynamodb.ITable) -> list[iam.PolicyStatement]:
    """What Lambda's poller needs to read a table's stream for the function."""
    return [
        iam.PolicyStatement(
            actions=["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            resources=[str(table.table_stream_arn)],
        ),
        iam.PolicyStatement(actions=["dynamodb:ListStreams"], resources=["*"]),
    ]


def send_to(queue: sqs.IQueue) -> iam.PolicyStatement:
    """Send messages."""
    return iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[queue.queue_arn])


def receive_from(queue: sqs.IQueue) -> iam.PolicyStatement:
    """What Lambda's poller needs to hand a queue's messages to the function."""
    return iam.PolicyStatement(
        actions=["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], resources=[queue.queue_arn]
    )


def objects(bucket_name: str, pattern: str, *actions: FileAction) -> iam.PolicyStatement:
    """Read, write or delete objects whose keys fit the pattern."""
    return iam.PolicyStatement(
        actions=[f"s3:{action}" for action in actions],
        resources=[f"arn:{cdk.Aws.PARTITION}:s3:::{bucket_name}/{pattern}"],
    )


def list_objects(bucket_name: str, prefix: str) -> iam.PolicyStatement:
    """List keys below a prefix. Without it an object that is not there looks like one that may not be read."""
    return iam.PolicyStatement(
        actions=["s3:ListBucket"],
        resources=[f"arn:{cdk.Aws.PARTITION}:s3:::{bucket_name}"],
        conditions={"StringLike": {"s3:prefix": [f"{prefix}*"]}},
    )


def read_secret(secret: secretsmanager.ISecret) -> iam.PolicyStatement:
    """Read a secret's value."""
    return iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret.secret_arn])


def write_logs(log_group: logs.ILogGroup) -> iam.PolicyStatement:
    """Write to one log group, which exists already."""
    return iam.PolicyStatement(
        actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
    )


def invoke(target_arn: str) -> iam.PolicyStatement:
    """Invoke a function; by an alias' ARN, nothing but that alias."""
    return iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[target_arn])


def connect_to_cache(*arns: str) -> iam.PolicyStatement:
    """Sign in to a cache as one of its users."""
    return iam.PolicyStatement(actions=["elasticache:Connect"], resources=list(arns))


def attach_to_network(function_arn: str) -> list[iam.PolicyStatement]:
    """What Lambda needs to give a function its network interfaces, withheld from the function's own code.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    """
    interfaces = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ]
    return [
        iam.PolicyStatement(actions=interfaces, resources=["*"]),
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=interfaces,
            resources=["*"],
            conditions={"ArnEquals": {"lambda:SourceFunctionArn": [function_arn]}},
        ),
    ]


def _use(key: kms.IKey, actions: list[str], through: Sequence[str]) -> iam.PolicyStatement:
    region = cdk.Stack.of(key).region
    services = [f"{service}.{region}.amazonaws.com" for service in through]
    return iam.PolicyStatement(
        actions=actions, resources=[key.key_arn], conditions={"StringEquals": {"kms:ViaService": services}}
    )
