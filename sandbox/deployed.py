"""The stacks as they are, deployed by the CDK command line into an AWS account on this machine.

Templates and packages are those of AWS, and what CloudFormation makes of them is real as far as it matters here:
functions run from the uploaded package under their own roles, tables stream into them, secrets are resolved, the cache
lets its user do what the template says. Where AWS has a service and this machine has none:

* MiniStack is the account. It serves TLS, checks signatures, and enforces roles and whom they trust.
* A real Valkey in cluster mode is the cache, behind TLS. Its user has no password, so that any is accepted: whether a
  token of IAM is a good one only ElastiCache can tell.
* The Genesys Cloud emulator answers for the region's `api.` and `login.` hosts, by way of a proxy.
* There is no VPC: the functions of the hot plane could reach what the others can.

Beside their own the functions have variables that say whom to trust and which proxy to take, as in many a company's
network. None that the templates set is changed.
"""

import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.catalog.functions import function_name
from infra.checks import SettingsError
from infra.checks import environment as settings_of
from infra.environments import ENVIRONMENTS
from infra.packaging import PackagingError, native_architecture
from sandbox import system
from sandbox.aws.account import Account, root
from sandbox.aws.cdk import Cdk, Outputs
from sandbox.aws.functions import FunctionError
from sandbox.aws.services import ACCOUNT
from sandbox.genesys_process import CLIENT_ID, CLIENT_SECRET, GenesysEmulator
from sandbox.machine.cache_server import Cache
from sandbox.machine.processes import HOST, StartError
from sandbox.machine.tls import Authority, TlsServer
from sandbox.system import DIRECTORY

type OnStep = Callable[[str, float], None]
"""Is told what has been done, and in how many seconds."""


class Deployed:
    """One environment of `infra/environments.py`, running between `start` and `stop` or as a context manager."""

    def __init__(
        self,
        *,
        environment_name: str = "dev",
        genesys: Mapping[str, object] | None = None,
        directory: Path | None = None,
        on_step: OnStep = lambda _name, _seconds: None,
        app: str = "",
        others: Mapping[str, int] | None = None,
    ) -> None:
        """`genesys` are settings of the emulator. Logs of the CDK command line go into `directory`, which is a
        temporary one unless it is given. `app` is the command of another CDK app than the repository's. `others` are
        hosts besides Genesys that the functions reach, each with the port where it is served here, without TLS."""
        self._temporary = tempfile.TemporaryDirectory(prefix="cir-deployed-")
        files = Path(self._temporary.name)
        self.directory = directory or files
        self._on_step = on_step
        self._app = app
        self._stack = contextlib.ExitStack()
        self._outputs: Outputs = {}

        try:
            self.settings = settings_of(environment_name, ENVIRONMENTS)
        except SettingsError as error:
            raise StartError(str(error)) from error
        authority = Authority(files)
        certificate = authority.issue(HOST)
        self.genesys = GenesysEmulator(settings=genesys)
        self.cache = Cache()
        self._cache_front = TlsServer(target_port=self.cache.port, certificate=certificate)
        hosts = {f"{service}.{self.settings.genesys_host}": self.genesys.port for service in ("api", "login")}
        hosts |= others or {}
        self._proxy = TlsServer(certificate=authority.issue(*hosts), hosts=hosts)
        self.account = Account(
            region=self.settings.region,
            authority=authority,
            certificate=certificate,
            cache_port=self._cache_front.port,
            network=self._network,
        )
        self.cdk = Cdk(directory=files, logs=self.directory / "logs", environment=self.account.environment)

    # Using what is deployed

    @property
    def environment(self) -> dict[str, str]:
        """What an operator's shell needs to work on it: the variables of the link function, as docs/deploy.md says, and
        those that lead to this machine."""
        link = self.account.client("lambda").get_function_configuration(FunctionName=self.function_name("link"))
        variables: dict[str, str] = link["Environment"]["Variables"]
        return variables | self.account.environment | self._network

    def output(self, name: str) -> str:
        """An output of a stack, for instance `ResolverArn`."""
        return {name: value for outputs in self._outputs.values() for name, value in outputs.items()}[name]

    def function_name(self, part: str) -> str:
        """The deployed name of a function, for instance of `resolver`."""
        return function_name(self.settings.name, part)

    def role_name(self, part: str) -> str:
        """The role in which a function runs."""
        configuration = self.account.client("lambda").get_function_configuration(FunctionName=self.function_name(part))
        return str(configuration["Role"].rpartition("/")[2])

    def call(self, data_action: str, event: object) -> Any:
        """What Genesys gets from the function of a data action: `resolver` or `link`, by the ARN that the stack puts
        out. FunctionError if it failed."""
        function = self.output(f"{data_action.capitalize()}Arn")
        answer = self.client_of_genesys("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        payload = answer["Payload"].read()
        if "FunctionError" in answer:
            raise FunctionError(function, payload)
        return json.loads(payload)

    def client_of_genesys(self, service: str, *, account: str = "", organization_id: str = "") -> Any:
        """A boto3 client in the role that Genesys assumes, from its account and for the organization of the settings
        unless others are given. Raises ClientError where the role does not trust them."""
        sts = self.account.client("sts", credentials=root(account or self.settings.genesys_principal))
        assumed = sts.assume_role(
            RoleArn=self.output("GenesysRoleArn"),
            RoleSessionName="genesys",
            ExternalId=organization_id or self.settings.genesys_organization_id,
        )
        return self.account.client(service, credentials=assumed["Credentials"])

    def logs(self, part: str) -> list[str]:
        """What a function has written, oldest first."""
        pages = (
            self.account.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=f"/aws/lambda/{self.function_name(part)}")
        )
        return [event["message"] for page in pages for event in page["events"]]

    def describe(self) -> dict[str, str]:
        """How to reach each part."""
        return {
            "Genesys Cloud emulator": f"{self.genesys.url} (client {CLIENT_ID} / {CLIENT_SECRET})",
            "AWS": f"{self.account.endpoint_url} (account {ACCOUNT}, {self.account.region})",
            str(self.cache.server): f"{self.cache.url} (cluster mode)",
            "resolver": self.output("ResolverArn"),
            "link": self.output("LinkArn"),
            "assembly": str(self.cdk.assembly),
            "for a shell": f"set -a; . {self.directory}/environment; set +a",
        }

    # Starting and stopping

    def start(self) -> None:
        """Start the account and deploy into it; `StartError`, with nothing left running, if a step fails."""
        with self._stack:
            self._stack.callback(self._temporary.cleanup)
            with ThreadPoolExecutor(1) as executor:
                synthesis = executor.submit(self._step, "synthesized", self._synthesize)
                self._step("servers started", self._start_servers)
                self._step(
                    "account bootstrapped", lambda: self.cdk.bootstrap(account=ACCOUNT, region=self.account.region)
                )
                synthesis.result()
            self._step("stacks deployed", self.deploy)
            self._give_genesys_client()
            self._stack = self._stack.pop_all()

    def deploy(self) -> None:
        """Bring the account to what has been synthesized."""
        self._outputs = self.cdk.deploy()
        self._admit_cache_users()

    def stop(self) -> None:
        """Stop everything. The stacks go with the account."""
        self._stack.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _network(self) -> dict[str, str]:
        return {"HTTPS_PROXY": f"http://{HOST}:{self._proxy.port}", "NO_PROXY": HOST}

    def _step(self, name: str, work: Callable[[], None]) -> None:
        started = time.monotonic()
        work()
        self._on_step(name, time.monotonic() - started)

    def _synthesize(self) -> None:
        """For this machine's architecture: the package has native code."""
        try:
            architecture = native_architecture()
        except PackagingError as error:
            raise StartError(str(error)) from None
        self.cdk.synthesize(app=self._app, env=self.settings.name, arch=architecture)

    def _start_servers(self) -> None:
        parts = (self.genesys, self.cache, self._cache_front, self._proxy, self.account)
        for part in parts:
            self._stack.callback(part.stop)
        with ThreadPoolExecutor(len(parts)) as executor:
            for started in [executor.submit(part.start) for part in parts]:
                started.result()

    def _admit_cache_users(self) -> None:
        """Give the cache the users of the account, with what they may do there."""
        users = self.account.client("elasticache").describe_users()["Users"]
        with self.cache.client() as client:
            for user in users:
                if user["UserName"] != "default":
                    rules = ("reset", *user["AccessString"].split(), "nopass")
                    client.execute_command("ACL", "SETUSER", user["UserName"], *rules)

    def _give_genesys_client(self) -> None:
        """What docs/deploy.md has the operator do."""
        self.account.client("secretsmanager").put_secret_value(
            SecretId=self.output("GenesysSecretArn"),
            SecretString=json.dumps({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}),
        )


def up(
    on_ready: Callable[[Deployed], None],
    *,
    genesys: Mapping[str, object] | None = None,
    on_step: OnStep = lambda _name, _seconds: None,
    directory: Path = DIRECTORY,
) -> None:
    """Start and keep it until Ctrl-C or a request to end, where the operator's commands find it. `on_ready` is called
    once, to show it."""
    system.up(Deployed(genesys=genesys, directory=directory, on_step=on_step), on_ready)
