"""Findings of cdk-nag that are accepted, each with its reason, beside the resource that it is about."""

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Accept one finding on a construct and everything in it, for instance `AwsSolutions-IAM5[Resource::*]`."""
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))
