"""Findings of cdk-nag that are accepted, each with its reason, beside the resource that it is about."""

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Accept one finding on a construct and everything in it, for instance `AwsSolutions-IAM5[Resource::*]`."""
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))


def acknowledge_objects(construct: IConstruct, bucket_name: str, pattern: str) -> None:
    """Accept that objects are named by a pattern."""
    name = bucket_name.replace(cdk.Aws.ACCOUNT_ID, "<AWS::AccountId>")
    acknowledge(
        construct,
        f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::{name}/{pattern}]",
        "The files of one kind of run, whose names nobody knows before; nothing else in the bucket.",
    )
