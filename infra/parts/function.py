"""One function of `lambdas/`: its role, its log group, its published version and the alias that everybody calls."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.catalog import Part, Stream
from infra.foundation import Foundation
from infra.packaging import ArchitectureName
from infra.parts import access
from infra.parts.asset import RUNTIME, lambda_architecture
from infra.parts.logs import log_group
from infra.parts.network import Network
from infra.settings import Settings

ALIAS = "live"

_SHIFTS = {
    "all-at-once": codedeploy.LambdaDeploymentConfig.ALL_AT_ONCE,
    "canary": codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
    "linear": codedeploy.LambdaDeploymentConfig.LINEAR_10_PERCENT_EVERY_1_MINUTE,
}


def function_name(settings: Settings, part: str) -> str:
    """The deployed name, for instance `cir-dev-resolver`."""
    return f"cir-{settings.name}-{part}"


def function_arn(scope: Construct, settings: Settings, part: str, *, alias: str = "") -> str:
    """By the name alone, for what must not depend on the function's own stack."""
    name = ":".join(filter(None, (function_name(settings, part), alias)))
    return cdk.Stack.of(scope).format_arn(
        service="lambda", resource="function", resource_name=name, arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
    )


@dataclass(frozen=True, slots=True)
class Plane:
    """What the functions of one stack share."""

    settings: Settings
    foundation: Foundation
    code: Mapping[str, lambda_.Code]
    """By the name of the package."""
    architecture: ArchitectureName
    environment: Mapping[str, str]
    network: Network | None = None
    """The VPC of the hot plane; the sync plane has none."""


class Function(Construct):
    """A part of the catalog, deployed."""

    def __init__(
        self,
        scope: Construct,
        part: Part,
        *,
        plane: Plane,
        description: str,
        memory_mb: int | None = None,
        may: Sequence[iam.PolicyStatement],
        environment: Mapping[str, str] | None = None,
        environment_is_secret: bool = False,
        snap_start: bool = False,
    ) -> None:
        """`memory_mb` takes the place of the catalog's where the settings choose. `environment` are variables beside
        those of the plane."""
        super().__init__(scope, part.construct_id)
        self.part = part
        self.name = function_name(plane.settings, part.name)
        self._plane = plane
        self._fifo = False
        self.log_group = log_group(
            self, "Logs", f"/aws/lambda/{self.name}", settings=plane.settings, foundation=plane.foundation
        )
        arn = function_arn(self, plane.settings, part.name)
        if environment_is_secret:
            may = [*may, access.decrypt_environment(plane.foundation.key, arn)]
        self.role = self._role(may, arn)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=self.name,
            description=description,
            code=plane.code[part.package],
            handler=part.handler,
            runtime=RUNTIME,
            architecture=lambda_architecture(plane.architecture),
            memory_size=memory_mb or part.memory_mb,
            ephemeral_storage_size=cdk.Size.mebibytes(part.storage_mb),
            timeout=cdk.Duration.seconds(part.timeout_seconds),
            role=self.role,
            environment={**plane.environment, **(environment or {})},
            environment_encryption=plane.foundation.key if environment_is_secret else None,
            vpc=plane.network.vpc if plane.network else None,
            vpc_subnets=plane.network.subnets if plane.network else None,
            security_groups=[plane.network.functions] if plane.network else None,
            log_group=self.log_group,
            # The functions write JSON themselves. In Lambda's JSON format their lines would be entries without a level.
            logging_format=lambda_.LoggingFormat.TEXT,
            # Lambda's own segments; the SDK for more would cost 130 ms of each cold start.
            tracing=lambda_.Tracing.ACTIVE,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
            # Old versions stay, so that the alias can be set back by hand (docs/runbook.md).
            current_version_options=lambda_.VersionOptions(removal_policy=cdk.RemovalPolicy.RETAIN),
        )
        self.alias = lambda_.Alias(self, "Live", alias_name=ALIAS, version=self.function.current_version)
        self._accept_findings(snap_start=snap_start)

    def consume_streams(self) -> None:
        """Be given the changes of the part's tables. What cannot be delivered is reported to `undelivered`.

        Its messages say where in the stream the batch is, not what is in it, so they hold no personal data.
        """
        foundation = self._plane.foundation
        self._allow(access.send_to(self.undelivered), access.decrypt(foundation.key, through=["dynamodb"]))
        for stream in self.part.streams:
            self._allow(*access.read_stream(foundation.table(stream.table)))
        for stream in self.part.streams:
            self._map(stream, foundation.table(stream.table))

    def inbox(self, *, delay: cdk.Duration | None = None, fifo: bool = False, receives: int = 5) -> sqs.Queue:
        """A queue whose messages the function takes; what it has failed on so many times is left in `undelivered`."""
        self._fifo = fifo
        return sqs.Queue(
            self,
            "Inbox",
            queue_name=f"{self.name}.fifo" if fifo else self.name,
            fifo=fifo or None,
            delivery_delay=delay,
            # six times the function's own, as Lambda asks for, so that no message is given out twice at once
            visibility_timeout=cdk.Duration.seconds(6 * self.part.timeout_seconds),
            retention_period=cdk.Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.undelivered, max_receive_count=receives),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )

    def consume_queue(self, queue: sqs.IQueue, *, batch_size: int, at_once: int) -> lambda_.CfnEventSourceMapping:
        """Be given the messages of a queue, in so many invocations at once at the most."""
        self._allow(access.receive_from(queue))
        mapping = lambda_.CfnEventSourceMapping(
            self,
            f"Of{queue.node.id}",
            function_name=self.alias.function_arn,
            event_source_arn=queue.queue_arn,
            batch_size=batch_size,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=at_once),
        )
        mapping.node.add_dependency(self.role)
        return mapping

    @cached_property
    def undelivered(self) -> sqs.Queue:
        """Says what the function was to be given and could not take."""
        queue = sqs.Queue(
            self,
            "Undelivered",
            queue_name=f"{self.name}-undelivered" + (".fifo" if self._fifo else ""),
            fifo=self._fifo or None,
            retention_period=cdk.Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        acknowledge(queue, "AwsSolutions-SQS3", "This is the dead-letter queue.")
        return queue

    def callable_by_genesys(self) -> None:
        """Let Genesys' role invoke the alias, which is what the Data Action names, and nothing else."""
        iam.Policy(
            self,
            "CallableByGenesys",
            roles=[self._plane.foundation.genesys_role],
            statements=[access.invoke(self.alias.function_arn)],
        )
        cdk.CfnOutput(cdk.Stack.of(self), f"{self.part.construct_id}Arn", value=self.alias.function_arn)

    def shift_gradually(self, alarms: Sequence[cloudwatch.IAlarm]) -> None:
        """Have new versions take over as the environment says, and give back to the old one when an alarm goes off."""
        group = codedeploy.LambdaDeploymentGroup(
            self,
            "Shift",
            alias=self.alias,
            deployment_config=_SHIFTS[self._plane.settings.traffic_shift],
            alarms=list(alarms),
            auto_rollback=codedeploy.AutoRollbackConfig(
                deployment_in_alarm=True, failed_deployment=True, stopped_deployment=True
            ),
        )
        acknowledge(
            group,
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]",
            "AWS keeps this policy for exactly this: it moves aliases and reads alarms, and names no bucket.",
        )

    def metric(
        self, name: Literal["Errors", "Throttles", "IteratorAge", "Invocations"], *, statistic: str
    ) -> cloudwatch.Metric:
        """One of Lambda's own metrics of the function, all versions together, by the minute."""
        return self.function.metric(name, statistic=statistic, period=cdk.Duration.minutes(1))

    def _role(self, may: Sequence[iam.PolicyStatement], own_arn: str) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description=f"The function {self.name}",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        statements = [*may, access.write_logs(self.log_group)]
        if self._plane.network:
            statements += access.attach_to_network(own_arn)
        for statement in statements:
            role.add_to_policy(statement)
        return role

    def _allow(self, *statements: iam.PolicyStatement) -> None:
        for statement in statements:
            self.role.add_to_policy(statement)

    def _map(self, stream: Stream, table: dynamodb.ITable) -> None:
        mapping = lambda_.CfnEventSourceMapping(
            self,
            f"Of{table.node.id}",
            function_name=self.alias.function_arn,
            event_source_arn=table.table_stream_arn,
            # From the start: what was written before the function was there counts too.
            starting_position="TRIM_HORIZON",
            batch_size=stream.batch_size,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            maximum_record_age_in_seconds=stream.give_up_after_seconds,
            filter_criteria=_filter(stream.only) if stream.only else None,
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=self.undelivered.queue_arn)
            ),
        )
        mapping.node.add_dependency(self.role)  # Lambda tries the role out when the mapping is made

    def _accept_findings(self, *, snap_start: bool) -> None:
        acknowledge(
            self.role,
            "AwsSolutions-IAM5[Resource::*]",
            "Tracing, network interfaces and the list of streams have no resource to name; the interfaces are denied "
            "to the function's own code.",
        )
        acknowledge(
            self.function,
            "AwsSolutions-L1",
            "3.13 is what the locked dependencies and compiled modules are built for; a newer one is a decision.",
        )
        if snap_start:
            acknowledge(
                self.function,
                "Annotation::@aws-cdk/aws-lambda:snapStartRequirePublish",
                "Everybody calls the alias, which is a published version.",
            )


def _filter(only: Mapping[str, object]) -> lambda_.CfnEventSourceMapping.FilterCriteriaProperty:
    pattern = json.dumps(only, separators=(",", ":"))
    return lambda_.CfnEventSourceMapping.FilterCriteriaProperty(
        filters=[lambda_.CfnEventSourceMapping.FilterProperty(pattern=pattern)]
    )
