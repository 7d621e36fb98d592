"""Real parts that many tests share: an AWS, a Genesys Cloud and a cache on this machine, and whole worlds of them."""

import itertools
import logging
from collections.abc import Iterator
from functools import cache as once
from pathlib import Path

import boto3
import botocore.loaders
import botocore.session
import pytest
from hypothesis import settings
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.aws.dynamodb import boto3_dynamodb
from cir.aws.files import Bucket
from cir.index.cache import Cache, CacheLimits
from cir.index.store import IdentityStore, TableNames
from infra.tables import CONTACTS, IDENTIFIERS, LEDGER, create_tables, physical_name
from sandbox.aws.services import Aws
from sandbox.genesys import Emulator
from sandbox.machine.cache_server import Cache as CacheServer
from sandbox.machine.cache_server import servers
from tests.support.aws import empty_aws, serving
from tests.support.genesys_cloud import GenesysCloud
from tests.support.identity_world import World
from tests.support.sync_plane import SyncPlane

pytest_plugins = ("sandbox.genesys.pytest_plugin", "tests.support.commands", "tests.support.webhook_world")

# how long an example takes says how busy the machine is
settings.register_profile("cir", deadline=None)
settings.load_profile("cir")

PATIENT = CacheLimits(timeout=10, connect_timeout=10)
"""A machine that is busy with other tests is no cache that hangs."""
_environments = (f"test{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    """Endpoint of an AWS with empty services."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # not a line for each request
    with serving(empty_aws()) as url:
        yield url


@pytest.fixture(scope="session", autouse=True)
def _aws_described_once() -> Iterator[None]:
    """Each session of botocore reads megabytes of JSON about AWS' services; here all of them read them once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", once(botocore.loaders.create_loader))
        yield


@pytest.fixture(autouse=True)
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials and region as Lambda gives them."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def dynamodb_client(aws_url: str) -> DynamoDBClient:
    return boto3.client("dynamodb", endpoint_url=aws_url, region_name="eu-west-1")


@pytest.fixture
def tables(dynamodb_client: DynamoDBClient) -> TableNames:
    """Fresh tables of an environment of their own."""
    return tables_of(new_environment(dynamodb_client))


@pytest.fixture
def store(dynamodb_client: DynamoDBClient, tables: TableNames) -> IdentityStore:
    return IdentityStore(boto3_dynamodb(dynamodb_client), tables)


@pytest.fixture
def bucket(aws_url: str, tmp_path: Path) -> Bucket:
    """An empty bucket."""
    client = boto3.Session().client("s3", endpoint_url=aws_url, region_name="eu-west-1")
    name = f"data-{abs(hash(tmp_path))}"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return Bucket(client, name)


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    """The sandbox's AWS, which has streams and state machines as well, with the tables of the environment `test`."""
    with Aws(environment_name="test") as aws:
        yield aws


@pytest.fixture
def genesys(genesys_cloud: Emulator) -> GenesysCloud:
    """A Genesys Cloud organization, empty but for its queues."""
    return GenesysCloud(genesys_cloud.url)


@pytest.fixture
def plane(genesys: GenesysCloud, store: IdentityStore) -> SyncPlane:
    """An organization, an index, and the sync between them."""
    return SyncPlane(genesys, store)


@pytest.fixture
def world(genesys_cloud: Emulator, dynamodb_client: DynamoDBClient, tables: TableNames) -> World:
    """An organization and an index, with somebody who may die in between."""
    return World(genesys_cloud, boto3_dynamodb(dynamodb_client), tables)


@pytest.fixture(scope="session", params=servers(), ids=str)
def cache_server(request: pytest.FixtureRequest) -> Iterator[CacheServer]:
    """Each Valkey or Redis found on this machine, in the cluster mode in which ElastiCache Serverless always is."""
    with CacheServer(server=request.param) as server:
        yield server


@pytest.fixture
def cache(cache_server: CacheServer) -> Cache:
    return new_cache(cache_server)


def new_environment(dynamodb: DynamoDBClient) -> str:
    """The name of an environment whose tables are empty."""
    environment = next(_environments)
    create_tables(dynamodb, environment)
    return environment


def tables_of(environment: str) -> TableNames:
    return TableNames(*(physical_name(environment, table) for table in (IDENTIFIERS, CONTACTS, LEDGER)))


def new_cache(server: CacheServer, limits: CacheLimits = PATIENT) -> Cache:
    """A cache of an environment of its own."""
    return Cache(server.url, environment=next(_environments), hash_key=b"k" * 32, limits=limits)
