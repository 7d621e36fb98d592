"""`lambdas/functions/importer`: the import of a whole base, batch by batch."""

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.catalog.functions import IMPORT_LOAD, IMPORT_REPORT, IMPORT_SPLIT, IMPORT_WORKFLOW
from infra.parts.function import Function, Plane
from infra.parts.workflow import Workflow, every_batch, invoke
from infra.words import WRONG_FILE

AT_ONCE = 3
"""Batches under way: enough to use up Genesys' request limit, which the shared budget keeps (a bulk request takes it
0.3-0.8 s, and 300 a minute are allowed); more would only wait more."""


class Importer(Construct):
    """The state machine `cir-<env>-import` and its three functions. Started by `cir import --remote`."""

    def __init__(self, scope: Construct, *, plane: Plane) -> None:
        super().__init__(scope, "Importer")
        self.split, self.load, self.report = (
            Function(self, part, plane=plane) for part in (IMPORT_SPLIT, IMPORT_LOAD, IMPORT_REPORT)
        )
        self.workflow = Workflow(scope, IMPORT_WORKFLOW, plane=plane, definition=self._definition(plane))
        self.workflow.read_lists_of_batches(plane.foundation.files_name)
        cdk.CfnOutput(cdk.Stack.of(self), "ImportStateMachine", value=self.workflow.state_machine.state_machine_arn)

    def _definition(self, plane: Plane) -> sfn.IChainable:
        """Split, load every batch, report. The state machine reads the list of batches itself."""
        split = invoke(self, "Check and split", self.split, never_for=WRONG_FILE)
        run = sfn.JsonPath.string_at("$.run")
        batches = every_batch(
            self,
            "Every batch",
            self.load,
            bucket_name=plane.foundation.files_name,
            batches="$.batches",
            run="$.run",
            at_once=AT_ONCE,
        )
        started = sfn.JsonPath.string_at("$$.Execution.StartTime")
        report = invoke(self, "Report", self.report, sfn.TaskInput.from_object({"run": run, "started": started}))
        return split.next(batches).next(report)
