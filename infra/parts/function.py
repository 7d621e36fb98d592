"""One function of `lambdas/`: its role, its log group, its published version and the alias that everybody calls."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledge import acknowledge, acknowledge_objects
from infra.catalog.functions import ALIAS, Part
from infra.catalog.rights import Files, QueueName, SendTo
from infra.catalog.triggers import Queue, Stream
from infra.catalog.variables import CHANGES_QUEUE_URL, UNDELIVERED_QUEUE_URL
from infra.foundation import Foundation
from infra.packaging import ArchitectureName
from infra.parts import access
from infra.parts.asset import RUNTIME, lambda_architecture
from infra.parts.logs import log_group
from infra.parts.network import Network
from infra.settings import Settings

_SHIFTS = {
    "all-at-once": codedeploy.LambdaDeploymentConfig.ALL_AT_ONCE,
    "canary": codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
    "linear": codedeploy.LambdaDeploymentConfig.LINEAR_10_PERCENT_EVERY_1_MINUTE,
}


def function_arn(scope: Construct, settings: Settings, part: Part, *, alias: str = "") -> str:
    """By the name alone, for what must not depend on the function's own stack."""
    name = ":".join(filter(None, (part.in_aws(settings.name), alias)))
    return cdk.Stack.of(scope).format_arn(
        service="lambda", resource="function", resource_name=name, arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
    )


@dataclass(frozen=True, slots=True)
class Plane:
    """What the functions of one stack share."""

    reach: access.Reach
    code: Mapping[str, lambda_.Code]
    """By the name of the package."""
    architecture: ArchitectureName
    variables: Mapping[str, str]
    """Values of the variables that functions are given: all that the plane knows."""
    network: Network | None = None
    """The VPC of the hot plane; the sync plane has none."""

    @property
    def settings(self) -> Settings:
        return self.reach.settings

    @property
    def foundation(self) -> Foundation:
        return self.reach.foundation


class Function(Construct):
    """A part of the catalog, deployed."""

    def __init__(
        self,
        scope: Construct,
        part: Part,
        *,
        plane: Plane,
        fills: sqs.IQueue | None = None,
        memory_mb: int | None = None,
        snap_start: bool = False,
    ) -> None:
        """`fills` is the queue into which it writes, where it does. `memory_mb` takes the place of the catalog's where
        the settings choose."""
        super().__init__(scope, part.construct_id)
        self.part = part
        self.name = part.in_aws(plane.settings.name)
        self._plane = plane
        self._fills = fills
        self.log_group = log_group(
            self, "Logs", f"/aws/lambda/{self.name}", settings=plane.settings, foundation=plane.foundation
        )
        self.role = self._role()
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=self.name,
            description=part.does,
            code=plane.code[part.package],
            handler=part.handler,
            runtime=RUNTIME,
            architecture=lambda_architecture(plane.architecture),
            memory_size=memory_mb or part.memory_mb,
            ephemeral_storage_size=cdk.Size.mebibytes(part.storage_mb),
            timeout=cdk.Duration.seconds(part.timeout_seconds),
            role=self.role,
            environment=self._variables(),
            environment_encryption=plane.foundation.key if part.has_secret_variables else None,
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
        self.mappings = self._wake()

    @cached_property
    def inbox(self) -> sqs.Queue:
        """The queue that it takes messages from; what it has failed on too often is left in `undelivered`.

        Raises ValueError for a function that is not woken by one.
        """
        queue = self.part.queue
        if queue is None:
            raise ValueError(f"{self.part.name} takes its work from no queue")
        return sqs.Queue(
            self,
            "Inbox",
            queue_name=queue.name(self.name),
            fifo=queue.fifo or None,
            delivery_delay=cdk.Duration.seconds(queue.delay_seconds) if queue.delay_seconds else None,
            # six times the function's own, as Lambda asks for, so that no message is given out twice at once
            visibility_timeout=cdk.Duration.seconds(6 * self.part.timeout_seconds),
            retention_period=cdk.Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.undelivered, max_receive_count=queue.receives),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )

    @cached_property
    def undelivered(self) -> sqs.Queue:
        """Says what the function was to be given and could not take.

        Of a stream its messages say where in it the batch is, not what is in it: they hold no personal data.
        """
        queue = sqs.Queue(
            self,
            "Undelivered",
            queue_name=self.part.undelivered(self._plane.settings.name),
            fifo=(self.part.queue is not None and self.part.queue.fifo) or None,
            retention_period=cdk.Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        acknowledge(queue, "AwsSolutions-SQS3", "This is the dead-letter queue.")
        return queue

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

    def _variables(self) -> dict[str, str]:
        """The part's, as far as they have a value in this environment."""
        values = dict(self._plane.variables)
        if self._fills:
            values[CHANGES_QUEUE_URL.name] = self._fills.queue_url
        if UNDELIVERED_QUEUE_URL in self.part.reads:
            values[UNDELIVERED_QUEUE_URL.name] = self.undelivered.queue_url
        return {each.name: values[each.name] for each in self.part.given if each.name in values}

    def _role(self) -> iam.Role:
        plane, part = self._plane, self.part
        own_arn = function_arn(self, plane.settings, part)
        role = iam.Role(
            self,
            "Role",
            description=f"The function {self.name}",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        queues: dict[QueueName, sqs.IQueue] = {}
        if self._fills:
            queues["changes in the CRM"] = self._fills
        if SendTo("changes set aside") in part.may:
            queues["changes set aside"] = self.undelivered
        statements = [*plane.reach.statements(part.may, queues=queues)]
        if part.has_secret_variables:
            statements.append(access.decrypt_environment(plane.foundation.key, own_arn))
        statements.append(access.write_logs(self.log_group))
        if plane.network:
            statements += access.attach_to_network(own_arn)
        for statement in statements:
            role.add_to_policy(statement)
        return role

    def _allow(self, *statements: iam.PolicyStatement) -> None:
        for statement in statements:
            self.role.add_to_policy(statement)

    def _wake(self) -> list[lambda_.CfnEventSourceMapping]:
        """Give it what its triggers have for it. Who calls it (a state machine, an API) is told so by its own
        construct."""
        if self.part.streams:
            self._allow(
                access.send_to(self.undelivered), access.decrypt(self._plane.foundation.key, through=["dynamodb"])
            )
        for stream in self.part.streams:
            self._allow(*access.read_stream(self._plane.foundation.table(stream.table)))
        mappings = [self._follow(stream) for stream in self.part.streams]
        if self.part.queue:
            mappings.append(self._take_from(self.inbox, self.part.queue))
        if self.part.is_data_action:
            self._let_genesys_call()
        return mappings

    def _take_from(self, inbox: sqs.Queue, queue: Queue) -> lambda_.CfnEventSourceMapping:
        self._allow(access.receive_from(inbox))
        mapping = lambda_.CfnEventSourceMapping(
            self,
            f"Of{inbox.node.id}",
            function_name=self.alias.function_arn,
            event_source_arn=inbox.queue_arn,
            batch_size=queue.batch_size,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=queue.at_once),
        )
        mapping.node.add_dependency(self.role)
        return mapping

    def _let_genesys_call(self) -> None:
        """Genesys' role may invoke the alias, which is what the Data Action names, and nothing else."""
        iam.Policy(
            self,
            "CallableByGenesys",
            roles=[self._plane.foundation.genesys_role],
            statements=[access.invoke(self.alias.function_arn)],
        )
        cdk.CfnOutput(cdk.Stack.of(self), f"{self.part.construct_id}Arn", value=self.alias.function_arn)

    def _follow(self, stream: Stream) -> lambda_.CfnEventSourceMapping:
        table = self._plane.foundation.table(stream.table)
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
        return mapping

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
        for right in self.part.may:
            if isinstance(right, Files):
                acknowledge_objects(self.role, self._plane.foundation.files_name, right.keys)
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
