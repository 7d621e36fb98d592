"""What the steps of the reconciliation share."""

import os
from collections.abc import Mapping
from typing import Any

import boto3

from cir.aws.dynamodb import DynamoDB, LeanDynamoDB, boto3_dynamodb
from cir.aws.files import Bucket
from cir.crm.mapping import CrmMapping
from cir.imports.run import run_name
from cir.reconcile.held import Index, scan
from cir.reconcile.run import Night, State
from cir.settings import required


def open_night(event: Mapping[str, Any]) -> Night:
    """The run that the workflow's execution is about. Raises ValueError if the event names none."""
    name = run_name(event.get("run"))
    bucket = Bucket(boto3.Session().client("s3"), required(os.environ, "DATA_BUCKET"))
    dynamodb = boto3_dynamodb(boto3.Session().client("dynamodb"))
    return Night(name, bucket, State(dynamodb, required(os.environ, "STATE_TABLE")))


def read_index(mapping: CrmMapping, *, since: str = "") -> Index:
    """By the lean client: boto3 takes ten times as long to parse a page."""
    dynamodb: DynamoDB = LeanDynamoDB.from_environment()
    return Index.of(scan(dynamodb, required(os.environ, "CONTACTS_TABLE")), source=mapping.source, since=since)
