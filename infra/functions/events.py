"""`lambdas/functions/events`: follows what happens to contacts in Genesys Cloud."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.catalog.functions import EVENTS
from infra.parts.function import Function, Plane
from infra.words import CONTACT_TOPICS


def partner_source(organization_id: str, suffix: str) -> str:
    """What Genesys Cloud calls itself in EventBridge, as the source of events and as the bus that they come on."""
    return f"aws.partner/genesys.com/cloud/{organization_id}/{suffix}"


class Events(Function):
    """Woken by a queue, which Genesys' partner event bus fills where the environment has one."""

    def __init__(self, scope: Construct, *, plane: Plane) -> None:
        super().__init__(scope, EVENTS, plane=plane)
        (mapping,) = self.mappings
        cdk.CfnOutput(cdk.Stack.of(self), "EventSourceMapping", value=mapping.ref)
        settings = plane.settings
        if settings.genesys_event_suffix:
            self._follow_bus(partner_source(settings.genesys_organization_id, settings.genesys_event_suffix))

    def _follow_bus(self, source: str) -> None:
        """The bus is the other end of what Genesys' EventBridge integration has made, and named like it."""
        bus = events.EventBus(self, "Bus", event_source_name=source)
        events.Rule(
            self,
            "ContactEvents",
            event_bus=bus,
            description="Changes of contacts in Genesys Cloud",
            event_pattern=events.EventPattern(source=[source], detail_type=list(CONTACT_TOPICS)),
            targets=[
                targets.SqsQueue(
                    self.inbox,
                    # The contact itself stays out of the queue: which one, and when, is enough, since it is read anew.
                    message=events.RuleTargetInput.from_object(
                        {
                            "detail-type": events.EventField.detail_type,
                            "detail": {
                                "timestamp": events.EventField.from_path("$.detail.timestamp"),
                                "eventBody": {
                                    name: events.EventField.from_path(f"$.detail.eventBody.{name}")
                                    for name in ("id", "modifyDate")
                                },
                            },
                        }
                    ),
                )
            ],
        )
