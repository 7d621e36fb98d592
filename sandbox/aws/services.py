"""AWS on this machine: MiniStack, for DynamoDB with streams, with the tables that are deployed."""

import urllib.error
import urllib.request
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from infra.tables import create_tables
from sandbox.machine.processes import HOST, Service, StartError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodbstreams.client import DynamoDBStreamsClient

ACCOUNT = "111111111111"
REGION = "eu-west-1"

MINISTACK = Path(__file__).resolve().parents[2] / ".venv-aws" / "bin" / "ministack"
# Room for the import's threads; the default of 10 makes more of them wait for a connection.
_CONFIG = Config(max_pool_connections=32, connect_timeout=2, read_timeout=10)
# Whoever polls a stream tries again anyway, and must notice soon that it shall stop.
_POLLING = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})


class Aws(Service):
    """One MiniStack, holding everything in memory.

    Its IoT and SFTP listeners and its clean-up of Docker containers are switched off: they would use fixed ports, and
    containers that are not ours.
    """

    def __init__(self, *, environment_name: str = "dev", port: int | None = None) -> None:
        super().__init__(port=port)
        self.environment_name = environment_name

    @property
    def name(self) -> str:
        return f"MiniStack on port {self.port}"

    @property
    def endpoint_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What every AWS client needs to be led here. MiniStack takes a key id of twelve digits as the account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return self._session.client("dynamodb", endpoint_url=self.endpoint_url, config=_CONFIG)

    @cached_property
    def streams(self) -> "DynamoDBStreamsClient":
        return self._session.client("dynamodbstreams", endpoint_url=self.endpoint_url, config=_POLLING)

    def client(self, service: str) -> Any:
        """A client of any service."""
        return self._session.client(service, endpoint_url=self.endpoint_url, config=_CONFIG)  # type: ignore[call-overload]

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )

    def _command(self) -> list[Path]:
        if not MINISTACK.exists():
            raise StartError(f"{MINISTACK} is missing: run make setup")
        return [MINISTACK]

    def _environment(self, directory: Path) -> dict[str, str]:
        return super()._environment(directory) | {
            "HOME": str(directory),
            "TMPDIR": str(directory),
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "LOG_LEVEL": "WARNING",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": f"unix://{directory}/no-docker.sock",
        }

    def _prepare(self) -> None:
        create_tables(self.dynamodb, self.environment_name)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint_url}/_ministack/ready", timeout=2.0) as response:  # noqa: S310
                return bool(response.status == HTTPStatus.OK)
        except (urllib.error.URLError, OSError):
            return False
