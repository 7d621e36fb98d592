"""Log groups: kept as long as the environment says, under its key."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.foundation import Foundation
from infra.settings import Settings


def log_group(
    scope: Construct, construct_id: str, name: str, *, settings: Settings, foundation: Foundation
) -> logs.LogGroup:
    """A group that goes with its stack: it has a name of its own, and would be in the way of the next one."""
    group = logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        encryption_key=foundation.key,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = settings.log_retention_days
    return group
