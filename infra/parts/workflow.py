"""A state machine over the steps of one function, started by the clock or by hand."""

from collections.abc import Mapping, Sequence
from typing import Literal, cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.acknowledge import acknowledge, acknowledge_objects
from infra.catalog.triggers import Workflow as WorkflowData
from infra.parts.function import Function, Plane
from infra.parts.logs import log_group
from infra.schedule import Schedule


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
    result_path: str | None = None,
    never_for: Sequence[str] = (),
) -> tasks.LambdaInvoke:
    """A state that calls a function, with its own input unless it is told another; the answer is the next state's,
    or is put into that at `result_path`.

    It is repeated so many times, but not for these errors (names of exceptions), which no repetition mends.
    """
    invocation = tasks.LambdaInvoke(
        scope,
        title,
        lambda_function=function.alias,
        payload=payload,
        payload_response_only=True,
        result_path=result_path,
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


def every_batch(
    scope: Construct, title: str, load: Function, *, bucket_name: str, batches: str, run: str, at_once: int
) -> sfn.DistributedMap:
    """A state that has a function load every batch of a list in the bucket, so many at once; its input goes on.

    `batches` and `run` are the paths of the list's key and of the run's name. A batch may fail ten times.
    """
    state = sfn.DistributedMap(
        scope,
        title,
        max_concurrency=at_once,
        tolerated_failure_count=0,
        item_reader=sfn.S3JsonItemReader(
            bucket=s3.Bucket.from_bucket_name(scope, "Files", bucket_name), key=sfn.JsonPath.string_at(batches)
        ),
        item_selector={
            "run": sfn.JsonPath.string_at(run),
            "batch": sfn.JsonPath.string_at("$$.Map.Item.Value.batch"),
        },
        result_path=sfn.JsonPath.DISCARD,
    )
    state.item_processor(invoke(scope, "Load", load, times=10))
    return state


class Workflow(Construct):
    """Deployed as `cir-<env>-<name>`. Two executions at once do no harm, and the clock starts one a night."""

    def __init__(self, scope: Construct, workflow: WorkflowData, *, plane: Plane, definition: sfn.IChainable) -> None:
        super().__init__(scope, f"{workflow.name.capitalize()}Workflow")
        settings, foundation = plane.settings, plane.foundation
        self.name = workflow.in_aws(settings.name)
        self._key_arn = foundation.key.key_arn
        self.state_machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=self.name,
            definition_body=sfn.DefinitionBody.from_chainable(definition),
            timeout=cdk.Duration.hours(workflow.longest_hours),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=log_group(
                    self,
                    "Logs",
                    f"/cir/{settings.name}/workflows/{workflow.name}",
                    settings=settings,
                    foundation=foundation,
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

    def read_lists_of_batches(self, bucket_name: str) -> None:
        """For a distributed map over a list in the bucket, which the state machine reads in its own role."""
        region = cdk.Stack.of(self).region
        self.state_machine.add_to_role_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt"],
                resources=[self._key_arn],
                conditions={"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}},
            )
        )
        # The library lets the map read its list wherever it is in the bucket.
        acknowledge_objects(self.state_machine, bucket_name, "*")
        machine = cast(cdk.CfnElement, self.state_machine.node.default_child)
        own_name = (
            f'{{"Fn::Select":[6,{{"Fn::Split":[":",{{"Ref":"{cdk.Stack.of(self).get_logical_id(machine)}"}}]}}]}}'
        )
        for executions in (f"{own_name}:*", f"{own_name}/*:*"):
            acknowledge(
                self.state_machine,
                f"AwsSolutions-IAM5[Resource::arn:aws:states:{region}:<AWS::AccountId>:execution:{executions}]",
                "A distributed map starts executions of its own state machine, whose names Step Functions chooses.",
            )

    def start_by_the_clock(
        self, schedule: Schedule, *, name: str = "", event: Mapping[str, object] | None = None
    ) -> None:
        """Start it with this input at these times, within a quarter of an hour, which spreads the load of many
        accounts. `name` tells several schedules apart."""
        scope = Construct(self, name.capitalize()) if name else self
        role = iam.Role(
            scope,
            "Clock",
            description=f"Starts {self.name}",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"),
        )
        role.add_to_policy(
            iam.PolicyStatement(actions=["states:StartExecution"], resources=[self.state_machine.state_machine_arn])
        )
        machine = self.state_machine.state_machine_arn
        scheduler.CfnSchedule(
            scope,
            "Schedule",
            name=f"{self.name}-{name}" if name else self.name,
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
