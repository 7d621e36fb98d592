"""`lambdas/functions/webhook` and `lambdas/functions/sync`: what the CRM says has changed."""

import json
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.catalog.functions import SYNC, WEBHOOK
from infra.catalog.triggers import Http
from infra.parts.function import Function, Plane
from infra.parts.logs import log_group
from infra.settings import Crm


class Changes(Construct):
    """The HTTP endpoint, the queue, and the function that takes from it."""

    def __init__(self, scope: Construct, *, plane: Plane, crm: Crm) -> None:
        super().__init__(scope, "Changes")
        self.sync = Function(self, SYNC, plane=plane)
        self.webhook = Function(self, WEBHOOK, plane=plane, fills=self.sync.inbox)
        for trigger in WEBHOOK.woken_by:
            if isinstance(trigger, Http):
                self._api(trigger, plane, crm.kind)

    def _api(self, requests: Http, plane: Plane, kind: str) -> None:
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
            path=requests.path,
            methods=[apigateway.HttpMethod.POST],
            integration=integrations.HttpLambdaIntegration("Webhook", self.webhook.alias),
        )
        stage = api.add_stage(
            "Stage",
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(
                rate_limit=requests.most_a_second, burst_limit=2 * requests.most_a_second
            ),
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
        cdk.CfnOutput(cdk.Stack.of(self), "WebhookUrl", value=f"{api.api_endpoint}{requests.path.format(source=kind)}")
