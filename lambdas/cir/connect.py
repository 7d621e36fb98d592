"""The cache, the tables and Genesys Cloud of an environment, from its settings."""

import hashlib
import os
from typing import TYPE_CHECKING

from cir.aws.dynamodb import DynamoDB, DynamoDBError, LeanDynamoDB, boto3_dynamodb
from cir.aws.elasticache import IamPassword
from cir.index.cache import Cache
from cir.index.store import IdentityStore
from cir.runtime import log
from cir.runtime.metrics import embedded
from cir.settings import ResolverSettings, table_names

if TYPE_CHECKING:
    from cir.genesys.budget import Kind, Window
    from cir.genesys.client import GenesysClient


def open_cache(settings: ResolverSettings) -> Cache:
    """The cache, connected ahead of the first call; authenticated by IAM where a user is set."""
    credentials = (
        IamPassword(
            user=settings.cache_user,
            cache_name=settings.cache_name,
            region=settings.region,
            serverless=settings.cache_serverless,
        )
        if settings.cache_user
        else None
    )
    cache = Cache(
        settings.cache_url,
        environment=settings.environment,
        hash_key=settings.cache_hash_key,
        credentials=credentials,
    )
    cache.warm_up()
    return cache


def open_hot_dynamodb() -> LeanDynamoDB:
    """The lean client, connected ahead of the first call."""
    dynamodb = LeanDynamoDB.from_environment()
    dynamodb.warm_up()
    return dynamodb


def open_store() -> IdentityStore:
    """The store over boto3, for the sync plane and the operator's commands."""
    import boto3  # noqa: PLC0415 - the hot plane never imports it

    # a session of its own: boto3's default one keeps the first credentials that this process has had
    return IdentityStore(boto3_dynamodb(boto3.Session().client("dynamodb")), table_names())


def open_genesys(kind: "Kind" = "live", *, report: bool = True) -> "GenesysClient":
    """The client of Genesys Cloud, which shares the environment's request budget where there is a STATE_TABLE.

    `kind`: bulk work leaves room for live work. `report`: write what the budget was used for to the log, as metrics.
    """
    # What calls Genesys is not imported where nothing does.
    from cir.genesys.budget import Budget  # noqa: PLC0415
    from cir.genesys.client import GenesysClient  # noqa: PLC0415
    from cir.genesys.transport import Transport  # noqa: PLC0415

    table = os.environ.get("STATE_TABLE")
    if not table:
        return GenesysClient.from_environment()
    oauth_client = os.environ.get("GENESYS_SECRET_ARN") or os.environ.get("GENESYS_CLIENT_ID", "")
    budget = Budget(
        _state_dynamodb(),
        table,
        name=hashlib.blake2b(oauth_client.encode(), digest_size=8).hexdigest(),
        kind=kind,
        on_window=report_window if report else lambda _: None,
        on_failure=_report_failure if report else lambda _: None,
    )
    return GenesysClient.from_environment(transport=Transport(pacer=budget))


def _state_dynamodb() -> DynamoDB:
    """A client that gives up soon: without the table everybody still keeps to what the headers tell."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    config = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 2, "mode": "standard"})
    return boto3_dynamodb(boto3.Session().client("dynamodb", config=config))


def _report_failure(error: DynamoDBError) -> None:
    """Of the state table: until it answers, this function keeps to the limit by itself and leaves no reserve."""
    log.write({"event": "request budget unreachable", "level": "warning", "code": error.code})


def report_window(window: "Window") -> None:
    """One line for every minute in which Genesys was called, whoever called."""
    metrics = {
        "GenesysRequests": (window.used, "Count"),
        "GenesysRequestLimit": (window.allowed, "Count"),
        "GenesysRequestsLeft": (max(window.allowed - window.used, 0), "Count"),
        "GenesysThrottled": (window.throttled, "Count"),
    }
    dimensions = {"Environment": os.environ.get("CIR_ENVIRONMENT", "")}
    log.write({"event": "request budget", **embedded(metrics, dimensions=dimensions, by=(("Environment",),))})
