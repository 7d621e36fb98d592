"""The cache and the tables of an environment, from its settings."""

from cir.cache import Cache
from cir.cache_auth import IamPassword
from cir.dynamodb import LeanDynamoDB, boto3_dynamodb
from cir.settings import ResolverSettings, table_names
from cir.store import IdentityStore


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
