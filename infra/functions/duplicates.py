"""`lambdas/functions/duplicates`: the nightly search for contacts that are one person."""

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.catalog.functions import DUPLICATES, DUPLICATES_WORKFLOW
from infra.parts.function import Function, Plane
from infra.parts.workflow import Workflow, step


class Duplicates(Function):
    """Called by its state machine, step by step."""

    def __init__(self, scope: Construct, *, plane: Plane) -> None:
        super().__init__(scope, DUPLICATES, plane=plane)
        settings = plane.settings
        self.workflow = Workflow(
            scope, DUPLICATES_WORKFLOW, plane=plane, definition=self._definition(settings.automatic_merges)
        )
        if settings.duplicate_search:
            self.workflow.start_by_the_clock(settings.duplicate_search)

    def _definition(self, automatic_merges: int) -> sfn.IChainable:
        """Export, wait for it, propose, and merge a quarter of an hour at a time."""
        export = sfn.JsonPath.string_at("$.export")
        pause = sfn.Wait(self, "Pause", time=sfn.WaitTime.duration(cdk.Duration.seconds(30)))
        merge = step(self, "merge", allowed=sfn.JsonPath.number_at("$.allowed"))
        merge.next(
            sfn.Choice(self, "All merged?")
            .when(sfn.Condition.boolean_equals("$.left", True), merge)
            .otherwise(sfn.Succeed(self, "Done"))
        )
        allow = sfn.Pass(self, "Allow", result=sfn.Result.from_object({"allowed": automatic_merges}))
        propose = step(self, "propose", export=export).next(allow).next(merge)
        wait = step(self, "wait", export=export).next(
            sfn.Choice(self, "Ready?").when(sfn.Condition.boolean_equals("$.ready", True), propose).otherwise(pause)
        )
        return step(self, "start").next(pause).next(wait)
