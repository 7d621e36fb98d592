"""Where clients are opened: AWS, the cache, Genesys Cloud and the CRM of an environment, from its settings.

Everything else is given what it works with. What is heavy is imported by the function that opens it, so that nobody
pays for what he does not use: the resolver starts without boto3 and without whatever calls Genesys.
"""

import hashlib
import os
from typing import TYPE_CHECKING

from cir.aws.clients import open_client
from cir.aws.dynamodb import DynamoDB, DynamoDBError, LeanDynamoDB, boto3_dynamodb
from cir.aws.elasticache import IamPassword
from cir.index.cache import Cache
from cir.index.store import IdentityStore
from cir.runtime import log
from cir.runtime.metrics import embedded
from cir.settings import ResolverSettings, required, table_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from cir.aws.files import Bucket
    from cir.crm.connector import Connector
    from cir.crm.mapping import CrmMapping
    from cir.genesys.budget import Kind, Window
    from cir.genesys.client import GenesysClient

__all__ = [
    "open_cache",
    "open_client",
    "open_crm",
    "open_dynamodb",
    "open_files",
    "open_genesys",
    "open_lean_dynamodb",
    "open_store",
    "report_window",
]


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


def open_lean_dynamodb() -> LeanDynamoDB:
    """The lean client, connected ahead of the first call: for the resolver, and for whoever reads whole tables.

    boto3 takes ten times as long to parse a page. The credentials are those of a function: variables or a container.
    """
    dynamodb = LeanDynamoDB.from_environment()
    dynamodb.warm_up()
    return dynamodb


def open_dynamodb() -> DynamoDB:
    """DynamoDB over boto3, for the sync plane and the operator's commands."""
    return boto3_dynamodb(open_client("dynamodb"))


def open_store() -> IdentityStore:
    """The index, likewise."""
    return IdentityStore(open_dynamodb(), table_names())


def open_files() -> "Bucket":
    """The environment's files. Raises ValueError where there is no DATA_BUCKET."""
    from cir.aws.files import Bucket  # noqa: PLC0415

    name = required(os.environ, "DATA_BUCKET")
    return Bucket(open_client("s3"), name)


def open_crm(mapping: "CrmMapping") -> "Connector":
    """The CRM that the mapping is for. Nothing is called yet. Raises CrmError naming a setting that is missing."""
    from cir.crm.connectors import open_connector  # noqa: PLC0415

    return open_connector(os.environ, mapping)


def open_genesys(
    kind: "Kind" = "live", *, report: bool = True, on_wait: "Callable[[float], None] | None" = None
) -> "GenesysClient":
    """The client of Genesys Cloud, which shares the environment's request budget where there is a STATE_TABLE.

    `kind`: bulk work leaves room for live work. `report`: write what the budget was used for to the log, as metrics.
    `on_wait` is told the seconds of each long wait for the limit, or for Genesys; without it the log is.
    """
    from cir.genesys.budget import Budget  # noqa: PLC0415
    from cir.genesys.client import GenesysClient  # noqa: PLC0415
    from cir.genesys.transport import Transport  # noqa: PLC0415

    table = os.environ.get("STATE_TABLE")
    if not table:
        return GenesysClient.from_environment(transport=Transport(on_wait=on_wait or _report_wait))
    oauth_client = os.environ.get("GENESYS_SECRET_ARN") or os.environ.get("GENESYS_CLIENT_ID", "")
    budget = Budget(
        # gives up soon: without the table everybody still keeps to what the headers tell
        boto3_dynamodb(open_client("dynamodb", connect_seconds=1, read_seconds=1, attempts=2)),
        table,
        name=hashlib.blake2b(oauth_client.encode(), digest_size=8).hexdigest(),
        kind=kind,
        on_window=report_window if report else lambda _: None,
        on_failure=_report_failure if report else lambda _: None,
    )
    return GenesysClient.from_environment(transport=Transport(pacer=budget, on_wait=on_wait or _report_wait))


def _report_wait(seconds: float) -> None:
    log.write({"event": "waiting for Genesys", "seconds": round(seconds, 1)})


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
