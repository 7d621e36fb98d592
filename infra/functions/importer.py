"""`lambdas/functions/importer`: the import of a whole base, batch by batch."""

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.acknowledge import acknowledge_objects
from infra.catalog import IMPORT_LOAD, IMPORT_REPORT, IMPORT_SPLIT
from infra.functions.crm_changes import follow_deletions
from infra.parts import access
from infra.parts.function import Function, Plane
from infra.parts.workflow import Workflow, every_batch, invoke
from infra.words import IMPORTS, WRONG_FILE

AT_ONCE = 3
"""Batches under way: enough to use up Genesys' request limit, which the shared budget keeps (a bulk request takes it
0.3-0.8 s, and 300 a minute are allowed); more would only wait more."""
LONGEST = cdk.Duration.hours(24)
"""A million accounts take six hours."""


class Importer(Construct):
    """The state machine `cir-<env>-import` and its three functions. Started by `cir import --remote`."""

    def __init__(self, scope: Construct, *, plane: Plane) -> None:
        super().__init__(scope, "Importer")
        foundation = plane.foundation
        files, key, crm = foundation.files_name, foundation.key, plane.settings.crm
        genesys = [access.items(foundation.state, "PutItem"), access.read_secret(foundation.genesys_secret)]
        listing = access.list_objects(files, IMPORTS)
        self.split = Function(
            self,
            IMPORT_SPLIT,
            plane=plane,
            description="Checks an export of the CRM and writes it as batches",
            may=[
                *genesys,
                access.objects(files, f"{IMPORTS}*", "DeleteObject", "GetObject", "PutObject"),
                listing,
                access.encrypt_and_decrypt(key, through=["dynamodb", "s3", "secretsmanager"]),
            ],
        )
        self.load = Function(
            self,
            IMPORT_LOAD,
            plane=plane,
            description="Brings a batch of accounts to Genesys and the index",
            may=[
                *genesys,
                access.items(foundation.identifiers, "BatchGetItem", "UpdateItem"),
                access.items(foundation.contacts, "BatchGetItem", *(follow_deletions(crm) if crm else ("PutItem",))),
                access.items(foundation.ledger, "PutItem"),
                access.objects(files, f"{IMPORTS}*", "GetObject"),
                access.objects(files, f"{IMPORTS}*/results/*", "PutObject"),
                listing,
                access.encrypt_and_decrypt(key, through=["dynamodb", "s3", "secretsmanager"]),
            ],
        )
        self.report = Function(
            self,
            IMPORT_REPORT,
            plane=plane,
            description="Adds up what an import has done",
            may=[
                access.objects(files, f"{IMPORTS}*", "GetObject", "PutObject"),
                listing,
                access.encrypt_and_decrypt(key, through=["s3"]),
            ],
        )
        self.workflow = Workflow(
            scope,
            "import",
            settings=plane.settings,
            foundation=foundation,
            definition=self._definition(plane),
            timeout=LONGEST,
        )
        self.workflow.read_lists_of_batches(files)
        for pattern in (f"{IMPORTS}*", f"{IMPORTS}*/results/*"):
            acknowledge_objects(self, files, pattern)
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
