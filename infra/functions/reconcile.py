"""`lambdas/functions/reconcile`: the nightly comparison with the CRM, and with Genesys itself."""

import aws_cdk as cdk
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.acknowledge import acknowledge_objects
from infra.catalog import RECONCILE_AUDIT, RECONCILE_COMPARE, RECONCILE_EXTRACT, RECONCILE_GONE, RECONCILE_REPORT
from infra.functions.crm_changes import crm_environment, follow_deletions
from infra.functions.importer import AT_ONCE, Importer
from infra.parts import access
from infra.parts.function import Function, Plane
from infra.parts.workflow import Workflow, every_batch, invoke
from infra.settings import Crm
from infra.words import NIGHTS, REPAIRS, STOPPED

LONGEST = cdk.Duration.hours(12)


class Reconcile(Construct):
    """The state machine `cir-<env>-reconcile` and the functions of its steps; repairs go the way of the import."""

    def __init__(
        self,
        scope: Construct,
        *,
        plane: Plane,
        importer: Importer,
        crm: Crm,
        crm_secret: secretsmanager.ISecret,
    ) -> None:
        super().__init__(scope, "Reconcile")
        self._plane = plane
        foundation = plane.foundation
        files, key = foundation.files_name, foundation.key
        genesys = [access.read_secret(foundation.genesys_secret)]
        reading_crm = crm_environment(crm, crm_secret)
        through = access.encrypt_and_decrypt(key, through=["dynamodb", "s3", "secretsmanager"])
        own_files = [access.objects(files, f"{NIGHTS}*", "GetObject", "PutObject"), access.list_objects(files, NIGHTS)]
        self.extract = Function(
            self,
            RECONCILE_EXTRACT,
            plane=plane,
            description="Writes down what the CRM holds",
            environment=reading_crm,
            may=[
                *own_files,
                access.items(foundation.state, "PutItem"),
                access.read_secret(crm_secret),
                through,
            ],
        )
        self.audit = Function(
            self,
            RECONCILE_AUDIT,
            plane=plane,
            description="Compares the index with what Genesys holds",
            may=[
                *own_files,
                *genesys,
                access.items(foundation.state, "GetItem", "PutItem"),
                access.items(foundation.contacts, "BatchGetItem", "Scan"),
                access.items(foundation.identifiers, "BatchGetItem"),
                through,
            ],
        )
        self.compare = Function(
            self,
            RECONCILE_COMPARE,
            plane=plane,
            description="Plans what the night has to repair",
            may=[
                *own_files,
                *genesys,
                access.objects(files, f"{REPAIRS}*", "DeleteObject", "GetObject", "PutObject"),
                access.list_objects(files, REPAIRS),
                access.items(foundation.state, "GetItem", "PutItem"),
                access.items(foundation.contacts, "BatchGetItem", "PutItem", "Scan"),
                access.items(foundation.identifiers, "BatchGetItem"),
                access.items(foundation.ledger, "PutItem"),
                through,
            ],
        )
        self.gone = Function(
            self,
            RECONCILE_GONE,
            plane=plane,
            description="Follows deletions in the CRM",
            environment=reading_crm,
            may=[
                *own_files,
                *genesys,
                access.items(foundation.state, "PutItem"),
                access.items(foundation.contacts, "BatchGetItem", *follow_deletions(crm)),
                access.items(foundation.identifiers, "BatchGetItem", "UpdateItem"),
                access.items(foundation.ledger, "PutItem"),
                access.read_secret(crm_secret),
                through,
            ],
        )
        self.report = Function(
            self,
            RECONCILE_REPORT,
            plane=plane,
            description="Adds up what a night has found and repaired",
            may=[
                access.objects(files, f"{NIGHTS}*", "DeleteObject", "GetObject", "PutObject"),
                access.list_objects(files, NIGHTS),
                access.objects(files, f"{REPAIRS}*", "DeleteObject", "GetObject", "PutObject"),
                access.list_objects(files, REPAIRS),
                access.items(foundation.state, "PutItem"),
                access.encrypt_and_decrypt(key, through=["dynamodb", "s3"]),
            ],
        )
        self.workflow = Workflow(
            scope,
            "reconcile",
            settings=plane.settings,
            foundation=foundation,
            definition=self._definition(importer),
            timeout=LONGEST,
        )
        self.workflow.read_lists_of_batches(files)
        for pattern in (f"{NIGHTS}*", f"{REPAIRS}*"):
            acknowledge_objects(self, files, pattern)
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
