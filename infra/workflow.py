"""A state machine over the steps of one function, started by the clock or by hand."""

from collections.abc import Mapping, Sequence
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.foundation import Foundation
from infra.function import Function
from infra.logs import log_group
from infra.schedule import Schedule
from infra.settings import Settings


def workflow_name(settings: Settings, name: str) -> str:
    """In AWS, for instance `cir-dev-duplicates`."""
    return f"cir-{settings.name}-{name}"


def step(function: Function, name: str, **payload: object) -> tasks.LambdaInvoke:
    """Call the function with `{"step": name, ...}`; its answer is the next state's input.

    Repeated three times, a minute and more apart: each step can be.
    """
    return invoke(function, name.capitalize(), function, sfn.TaskInput.from_object({"step": name, **payload}))


def invoke(
    scope: Construct,
    title: str,
    function: Function,
    payload: sfn.TaskInput | None = None,
    *,
    times: int = 3,
    never_for: Sequence[str] = (),
) -> tasks.LambdaInvoke:
    """A state that calls a function, with its own input unless it is told another; the answer is the next state's.

    It is repeated so many times, but not for these errors (names of exceptions), which no repetition mends.
    """
    invocation = tasks.LambdaInvoke(
        scope,
        title,
        lambda_function=function.alias,
        payload=payload,
        payload_response_only=True,
        retry_on_service_exceptions=False,
    )
    if never_for:
        invocation.add_retry(errors=list(never_for), max_attempts=0)
    invocation.add_retry(
        errors=["States.ALL"],
        interval=cdk.Duration.minutes(1),
        max_attempts=times,
        backoff_rate=2,
        max_delay=cdk.Duration.minutes(5),
    )
    return invocation


class Workflow(Construct):
    """Deployed as `cir-<env>-<name>`. Two executions at once do no harm, and the clock starts one a night."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        settings: Settings,
        foundation: Foundation,
        definition: sfn.IChainable,
        timeout: cdk.Duration,
    ) -> None:
        super().__init__(scope, f"{name.capitalize()}Workflow")
        self.name = workflow_name(settings, name)
        self.state_machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=self.name,
            definition_body=sfn.DefinitionBody.from_chainable(definition),
            timeout=timeout,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=log_group(
                    self, "Logs", f"/cir/{settings.name}/workflows/{name}", settings=settings, foundation=foundation
                ),
                level=sfn.LogLevel.ALL,
                include_execution_data=False,
            ),
        )
        acknowledge(
            self.state_machine,
            "AwsSolutions-IAM5[Resource::*]",
            "Tracing and the delivery of logs have no resource to name.",
        )

    def start_by_the_clock(self, schedule: Schedule, *, event: Mapping[str, object] | None = None) -> None:
        """Start it at these times, within a quarter of an hour, which spreads the load of many accounts."""
        role = iam.Role(
            self,
            "Clock",
            description=f"Starts {self.name}",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"),
        )
        role.add_to_policy(
            iam.PolicyStatement(actions=["states:StartExecution"], resources=[self.state_machine.state_machine_arn])
        )
        machine = self.state_machine.state_machine_arn
        scheduler.CfnSchedule(
            self,
            "Schedule",
            name=self.name,
            schedule_expression=f"cron({schedule.cron})",
            schedule_expression_timezone=schedule.time_zone,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(
                mode="FLEXIBLE", maximum_window_in_minutes=15
            ),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=machine,
                role_arn=role.role_arn,
                input=cdk.Stack.of(self).to_json_string(dict(event or {})),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=5
                ),
            ),
        )

    def ended(self, how: Literal["ExecutionsFailed", "ExecutionsTimedOut"]) -> cloudwatch.IMetric:
        """How many executions ended so, by the minute."""
        return self.state_machine.metric(how, statistic="Sum", period=cdk.Duration.minutes(1))
