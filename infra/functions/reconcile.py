"""`lambdas/functions/reconcile`: the nightly comparison with the CRM, and with Genesys itself."""

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.catalog.functions import (
    RECONCILE_AUDIT,
    RECONCILE_COMPARE,
    RECONCILE_EXTRACT,
    RECONCILE_GONE,
    RECONCILE_REPORT,
    RECONCILE_WORKFLOW,
)
from infra.functions.importer import AT_ONCE, Importer
from infra.parts.function import Function, Plane
from infra.parts.workflow import Workflow, every_batch, invoke
from infra.settings import Crm
from infra.words import STOPPED


class Reconcile(Construct):
    """The state machine `cir-<env>-reconcile` and the functions of its steps; repairs go the way of the import."""

    def __init__(self, scope: Construct, *, plane: Plane, importer: Importer, crm: Crm) -> None:
        super().__init__(scope, "Reconcile")
        self._plane = plane
        self.extract, self.audit, self.compare, self.gone, self.report = (
            Function(self, part, plane=plane)
            for part in (RECONCILE_EXTRACT, RECONCILE_AUDIT, RECONCILE_COMPARE, RECONCILE_GONE, RECONCILE_REPORT)
        )
        self.workflow = Workflow(scope, RECONCILE_WORKFLOW, plane=plane, definition=self._definition(importer))
        self.workflow.read_lists_of_batches(plane.foundation.files_name)
        for name, schedule, audit in (("nightly", crm.reconciliation, False), ("audit", crm.audit, True)):
            if schedule:
                self.workflow.start_by_the_clock(
                    schedule, name=name, event={"audit": audit, "force": False, "dryRun": False}
                )

    def _definition(self, importer: Importer) -> sfn.IChainable:
        """Extract, audit if it is asked for, compare, repair what stands, report."""
        run = sfn.JsonPath.string_at("$$.Execution.Name")
        only_run = sfn.TaskInput.from_object({"run": run})
        extract = invoke(self, "Extract", self.extract, only_run, result_path="$.extract")
        audit = invoke(self, "Audit", self.audit, only_run, result_path="$.audited")
        compare = invoke(
            self,
            "Compare",
            self.compare,
            sfn.TaskInput.from_object(
                {
                    "run": run,
                    "force": sfn.JsonPath.string_at("$.force"),
                    "dryRun": sfn.JsonPath.string_at("$.dryRun"),
                }
            ),
            result_path="$.plan",
        )
        repair = every_batch(
            self,
            "Repair",
            importer.load,
            bucket_name=self._plane.foundation.files_name,
            batches="$.plan.batches",
            run="$.plan.importRun",
            at_once=AT_ONCE,
        )
        gone = invoke(self, "Gone", self.gone, only_run, result_path=sfn.JsonPath.DISCARD)
        report = invoke(self, "Report", self.report, only_run)
        ended = (
            sfn.Choice(self, "Stopped?")
            .when(
                sfn.Condition.string_equals("$.outcome", STOPPED),
                sfn.Fail(self, "Stopped", error="ReconciliationStopped", cause="The CRM's rows do not look right."),
            )
            .otherwise(sfn.Succeed(self, "Done"))
        )
        report.next(ended)
        gone.next(report)
        repair.next(gone)
        compare.next(
            sfn.Choice(self, "Anything to repair?")
            .when(sfn.Condition.boolean_equals("$.plan.load", True), repair)
            .when(sfn.Condition.boolean_equals("$.plan.stands", True), gone)
            .otherwise(report)
        )
        pause = sfn.Wait(self, "Pause", time=sfn.WaitTime.duration(cdk.Duration.seconds(30))).next(audit)
        audit.next(
            sfn.Choice(self, "Audited?")
            .when(sfn.Condition.boolean_equals("$.audited.ready", True), compare)
            .otherwise(pause)
        )
        return extract.next(
            sfn.Choice(self, "Audit too?").when(sfn.Condition.boolean_equals("$.audit", True), audit).otherwise(compare)
        )
