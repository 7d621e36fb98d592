"""`lambdas/functions/webhook` and `lambdas/functions/sync`: what the CRM says has changed."""

import json
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.catalog import SYNC, WEBHOOK
from infra.parts import access
from infra.parts.function import Function, Plane
from infra.parts.logs import log_group
from infra.settings import MAPPINGS, Crm

RATE = 100
"""Requests a second; a mass change in the CRM comes in batches of its own, and what is refused is sent again."""
RECEIVES = 20
"""Of a change before it is given up on: an outage of the CRM or of Genesys may last two hours."""


def crm_environment(crm: Crm, secret: secretsmanager.ISecret) -> dict[str, str]:
    """What a function needs to read the CRM, beside the mapping, which all know."""
    variables = {"CRM_URL": crm.url, "CRM_SECRET_ARN": secret.secret_arn}
    return variables | ({"CRM_TENANT_ID": crm.tenant_id} if crm.tenant_id else {})


def follow_deletions(crm: Crm) -> tuple[str, ...]:
    """What following a deletion in the CRM writes to the contacts, by the mapping's policy."""
    mapping = json.loads((MAPPINGS / f"{crm.mapping_name}.json").read_text(encoding="utf-8"))
    return ("DeleteItem", "PutItem") if mapping.get("onDelete") == "delete" else ("PutItem",)


class Changes(Construct):
    """The HTTP endpoint, the queue, and the function that takes from it."""

    def __init__(
        self,
        scope: Construct,
        *,
        plane: Plane,
        crm: Crm,
        crm_secret: secretsmanager.ISecret,
        webhook_keys: secretsmanager.ISecret,
    ) -> None:
        super().__init__(scope, "Changes")
        foundation = plane.foundation
        self.sync = Function(
            self,
            SYNC,
            plane=plane,
            description="Brings accounts that have changed in the CRM to Genesys and the index",
            environment=crm_environment(crm, crm_secret),
            may=[
                *access.follow_genesys(foundation),
                access.items(foundation.contacts, *follow_deletions(crm)),
                access.read_secret(crm_secret),
            ],
        )
        self.queue = self.sync.inbox(fifo=True, receives=RECEIVES)
        self.sync.function.add_environment("UNDELIVERED_QUEUE_URL", self.sync.undelivered.queue_url)
        self.sync.role.add_to_policy(access.send_to(self.sync.undelivered))
        self.sync.consume_queue(self.queue, batch_size=10, at_once=4)
        self.webhook = Function(
            self,
            WEBHOOK,
            plane=plane,
            description="Takes the CRM's word that accounts have changed",
            environment={"CHANGES_QUEUE_URL": self.queue.queue_url, "WEBHOOK_SECRET_ARN": webhook_keys.secret_arn},
            may=[
                access.send_to(self.queue),
                access.read_secret(webhook_keys),
                access.decrypt(foundation.key, through=["secretsmanager"]),
            ],
        )
        self._api(plane, crm.kind)

    def _api(self, plane: Plane, kind: str) -> None:
        settings = plane.settings
        api = apigateway.HttpApi(
            self,
            "Api",
            api_name=f"cir-{settings.name}-webhooks",
            description="Where the CRM says what has changed",
            create_default_stage=False,
        )
        group = log_group(
            self, "Requests", f"/cir/{settings.name}/webhooks", settings=settings, foundation=plane.foundation
        )
        api.add_routes(
            path="/webhooks/{source}",
            methods=[apigateway.HttpMethod.POST],
            integration=integrations.HttpLambdaIntegration("Webhook", self.webhook.alias),
        )
        stage = api.add_stage(
            "Stage",
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(rate_limit=RATE, burst_limit=2 * RATE),
        )
        # No path and no query: some CRMs can carry their key only there.
        told = ("requestId", "requestTime", "routeKey", "status", "responseLength")
        cast(
            apigateway.CfnStage, stage.node.default_child
        ).access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=group.log_group_arn, format=json.dumps({name: f"$context.{name}" for name in told})
        )
        acknowledge(
            api,
            "AwsSolutions-APIG4",
            "CRMs cannot sign for IAM or fetch a token of ours: the function checks each request by the CRM's own "
            "signature or key, in constant time, before it reads the body.",
        )
        cdk.CfnOutput(cdk.Stack.of(self), "WebhookUrl", value=f"{api.api_endpoint}/webhooks/{kind}")
