"""MiniStack as an AWS account that CDK can deploy into."""

import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from sandbox.aws.services import ACCOUNT, Aws
from sandbox.machine.processes import HOST
from sandbox.machine.tls import Authority, Certificate

_LAUNCHER = Path(__file__).with_name("ministack.py")
# Time for a cold start on a busy machine, the package being unpacked first; and no second attempt behind the back.
_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 1})


class Account(Aws):
    """It serves TLS, checks signatures, and enforces the policies of roles, their trust, and buckets."""

    def __init__(
        self,
        *,
        region: str,
        authority: Authority,
        certificate: Certificate,
        cache_port: int,
        network: Mapping[str, str],
        port: int | None = None,
    ) -> None:
        """`cache_port` is where a cache is to be found that is created here; `network` are the variables that lead
        the functions out."""
        super().__init__(port=port)
        self.region = region
        self._authority = authority
        self._certificate = certificate
        self._cache_port = cache_port
        self._network = network

    @property
    def endpoint_url(self) -> str:
        return f"https://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        region = {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        return super().environment | region | self._authority.trust

    def client(self, service: str, *, credentials: Mapping[str, str] | None = None) -> Any:
        """A boto3 client, as the root of this account or with what STS has given."""
        given = credentials or root(ACCOUNT)
        return boto3.Session(region_name=self.region).client(
            service,  # type: ignore[call-overload]  # the stubs want a literal
            endpoint_url=self.endpoint_url,
            verify=str(self._authority.certificate),
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given.get("SessionToken"),
            config=_CONFIG,
        )

    def _command(self) -> list[Path]:
        (ministack,) = super()._command()
        return [ministack.with_name("python"), _LAUNCHER]

    def _environment(self, directory: Path) -> dict[str, str]:
        """MiniStack hands its own environment on to the functions, below their own variables."""
        return super()._environment(directory) | {
            "PYTHONSAFEPATH": "1",  # the launcher's neighbours are no modules of MiniStack's
            "CIR_CACHE_ENDPOINT": f"{HOST}:{self._cache_port}",
            "MINISTACK_REGION": self.region,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,  # whose HTTP APIs unsigned requests reach
            "AUTH": "true",
            "SFN_WAIT_SCALE": "0.05",
            "USE_SSL": "true",
            "MINISTACK_SSL_CERT": str(self._certificate.chain),
            "MINISTACK_SSL_KEY": str(self._certificate.key),
            **self._authority.trust,
            **self._network,
        }

    def _prepare(self) -> None:
        """The tables come with the stacks."""

    def _answers(self) -> bool:
        trust = ssl.create_default_context(cafile=self._authority.certificate)
        try:
            with urllib.request.urlopen(f"{self.endpoint_url}/_ministack/ready", timeout=2.0, context=trust) as answer:  # noqa: S310
                return bool(answer.status == HTTPStatus.OK)
        except (urllib.error.URLError, OSError):
            return False


def root(account: str) -> dict[str, str]:
    """Credentials of an account's root. MiniStack knows them by a key id of twelve digits and asks for no more."""
    return {"AccessKeyId": account, "SecretAccessKey": "sandbox"}
