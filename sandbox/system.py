"""The whole system on one machine: Genesys Cloud, AWS, cache and functions, wired as they are deployed."""

import contextlib
import secrets
import shlex
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self
from urllib.parse import urlsplit

from infra.catalog.functions import (
    BACKFILL,
    EVENTS,
    EVENTS_QUEUE,
    IMPORT_WORKFLOW,
    RECONCILE_WORKFLOW,
    RESOLVER,
    SYNC,
    WEBHOOK,
    Part,
    function_name,
    parts,
)
from infra.settings import Settings
from infra.tables import CONTACTS, IDENTIFIERS, LEDGER, STATE, physical_name
from sandbox.aws.functions import Function, Functions
from sandbox.aws.invoke_api import InvokeApi
from sandbox.aws.logs import Logs
from sandbox.aws.partner_bus import PartnerBus
from sandbox.aws.services import ACCOUNT, REGION, Aws
from sandbox.aws.streams import EventSource, EventSourceMapping, Record
from sandbox.crm.emulator import Emulator
from sandbox.crm_changes import Changes
from sandbox.genesys_process import CLIENT_ID, CLIENT_SECRET, GenesysEmulator
from sandbox.machine.cache_server import Cache, Server
from sandbox.machine.processes import HOST, StartError, free_port, listens

_REPOSITORY = Path(__file__).resolve().parents[1]
LAMBDAS = _REPOSITORY / "lambdas"
DIRECTORY = _REPOSITORY / ".sandbox"
"""Where a sandbox that stays up keeps its logs and publishes how to reach it."""

DEFAULT_QUEUE = "Standard"
NOT_HERE = (IMPORT_WORKFLOW, RECONCILE_WORKFLOW)
"""Whose steps `cir import` and `cir reconcile` run in their own process, where there are no Step Functions."""
EVENT_DELAY_SECONDS = 2.0
"""A deployment waits 15; here the write to the index follows the one to Genesys within milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the parts listen on 127.0.0.1; free ones are found for those that are not given."""

    genesys: int | None = None
    aws: int | None = None
    cache: int | None = None
    functions: int | None = None


class Sandbox:
    """All parts, running between `start` and `stop` or as a context manager. Nothing outlives this process."""

    def __init__(
        self,
        *,
        environment_name: str = "dev",
        ports: Ports = Ports(),
        genesys: Mapping[str, object] | None = None,
        cache_server: Server | None = None,
        fallback: Literal["async", "sync"] = "async",
        resolver_concurrency: int = 2,
        directory: Path | None = None,
        lambdas: Path = LAMBDAS,
        crm: Emulator[Any] | None = None,
    ) -> None:
        """With a `crm` its webhook works too, and it can be reconciled with. `genesys` are settings of that emulator
        (its latency, limits and faults). Logs go into `directory`, which is a temporary one unless it is given."""
        self._temporary = None if directory else tempfile.TemporaryDirectory(prefix="cir-sandbox-")
        self.directory = directory or Path(self._temporary.name if self._temporary else "")
        self.environment_name = environment_name
        self.genesys = GenesysEmulator(port=ports.genesys, settings=genesys)
        self.aws = Aws(environment_name=environment_name, port=ports.aws)
        self.cache = Cache(port=ports.cache, server=cache_server)
        self.logs = Logs(directory=self.directory / "logs")
        self.mappings: tuple[EventSourceMapping, ...] = ()
        self.bus: PartnerBus | None = None
        self.crm = crm
        self.changes = Changes(crm, self.aws, environment_name=environment_name) if crm else None
        self._functions_port = ports.functions or free_port()
        self._fallback = fallback
        self._resolver_concurrency = resolver_concurrency
        self._lambdas = lambdas
        self._cache_hash_key = secrets.token_hex(32)
        self._default_queue_id = ""
        self._stack = contextlib.ExitStack()
        self._functions: Functions | None = None

    # Reaching the parts

    @property
    def functions(self) -> Functions:
        if self._functions is None:
            raise StartError("the sandbox has not been started")
        return self._functions

    @property
    def functions_url(self) -> str:
        """The Lambda API, for as much as it is emulated: invocations and logs."""
        return f"http://{HOST}:{self._functions_port}"

    def function_name(self, part: str) -> str:
        """The deployed name of a function, for instance of `resolver`."""
        return function_name(self.environment_name, part)

    @property
    def environment(self) -> dict[str, str]:
        """Every variable that the operator's commands need to work on this sandbox."""
        return self._aws_variables | self._variables

    def describe(self) -> dict[str, str]:
        """How to reach each part."""
        aws = self.aws.environment
        return {
            "Genesys Cloud emulator": f"{self.genesys.url} (client {CLIENT_ID} / {CLIENT_SECRET})",
            "DynamoDB": f"{self.aws.endpoint_url} (AWS_ACCESS_KEY_ID={ACCOUNT} AWS_REGION={aws['AWS_REGION']})",
            str(self.cache.server): f"{self.cache.url} (cluster mode)",
            "Lambda": f"{self.functions_url} (functions {', '.join(self.functions.names)})",
            "resolver": f"POST {self.functions_url}/2015-03-31/functions/{self.function_name('resolver')}/invocations",
            **({"CRM": f"{self.crm.url} ({self.crm.source}; its screen: /sandbox/accounts)"} if self.crm else {}),
            **({"webhook of the CRM": self.changes.url} if self.changes else {}),
            "decision traces": f"GET {self.functions_url}/sandbox/logs?contains=RESOLUTION_ID",
            "logs": str(self.logs.directory),
        }

    def wait_until_drained(self, *, timeout_seconds: float = 60.0) -> None:
        """Wait until every stream and event has been consumed, also of what the functions themselves did meanwhile."""
        deadline = time.monotonic() + timeout_seconds
        delivered = -1
        sources: list[EventSourceMapping | PartnerBus | Changes] = [
            *filter(None, [self.changes]),
            *self.mappings,
            *filter(None, [self.bus]),
        ]
        while delivered != (delivered := sum(source.delivered for source in sources)):
            for source in sources:
                source.wait_until_drained(timeout_seconds=max(0.1, deadline - time.monotonic()))

    # Starting and stopping

    def start(self) -> None:
        """Start everything; `StartError` or `FunctionError`, with nothing left behind, if a part does not start."""
        with self._stack:
            self._start_servers()
            self._start_functions()
            self._stack = self._stack.pop_all()

    def stop(self) -> None:
        """Stop everything, consumers first."""
        self._stack.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_servers(self) -> None:
        if self._temporary:
            self._stack.callback(self._temporary.cleanup)
        parts = (self.genesys, self.aws, self.cache)
        for part in parts:
            self._stack.callback(part.stop)
        with ThreadPoolExecutor(len(parts)) as executor:
            for started in [executor.submit(part.start) for part in parts]:
                started.result()
        self._default_queue_id = self.genesys.queue_id(DEFAULT_QUEUE)
        if self.changes:
            self._stack.callback(self.changes.stop)
            self.changes.prepare()

    def _start_functions(self) -> None:
        self._stack.callback(self.logs.close)
        self._functions = Functions(self._deployed(), logs=self.logs, region=REGION, account=ACCOUNT)
        self._stack.callback(self._functions.stop)
        api = InvokeApi(self._functions, logs=self.logs, port=self._functions_port)
        self._stack.callback(api.close)
        self._functions.warm()
        self.mappings = tuple(self._start_mapping(source) for source in self._event_sources())
        self.bus = self._start_bus()
        if self.changes:
            self.changes.start(
                webhook=partial(self.functions.call, self.function_name(WEBHOOK.name)),
                sync=partial(self.functions.call, self.function_name(SYNC.name)),
            )

    def _start_mapping(self, source: EventSource) -> EventSourceMapping:
        def report(records: Sequence[Record]) -> None:
            self.logs.append(source.function, f"gave up {len(records)} records of {source.table}")

        mapping = EventSourceMapping(
            source,
            streams=self.aws.streams,
            invoke=lambda event: self.functions.call(source.function, event),
            on_discard=report,
        )
        self._stack.callback(mapping.stop)
        return mapping

    def _start_bus(self) -> PartnerBus:
        events = self.function_name(EVENTS.name)
        bus = PartnerBus(
            self.genesys.url,
            invoke=lambda event: self.functions.call(events, event),
            on_discard=lambda _: self.logs.append(events, "gave up on an event"),
            queue=EVENTS_QUEUE,
            delay_seconds=EVENT_DELAY_SECONDS,
        )
        self._stack.callback(bus.stop)
        return bus

    # What is deployed

    @property
    def _parts(self) -> tuple[Part, ...]:
        return tuple(part for part in parts(crm=self.crm is not None) if part.workflow not in NOT_HERE)

    def _deployed(self) -> tuple[Function, ...]:
        variables = self._variables
        return tuple(
            Function(
                name=self.function_name(part.name),
                handler=part.handler,
                directory=self._lambdas,
                environment=self._environment_of(part, variables),
                timeout_seconds=part.timeout_seconds,
                concurrency=self._resolver_concurrency if part is RESOLVER else 1,
                warmed=part.package != "analytic",
            )
            for part in self._parts
        )

    def _environment_of(self, part: Part, variables: Mapping[str, str]) -> dict[str, str]:
        given = {each.name: variables[each.name] for each in part.given if each.name in variables}
        return self._aws_variables | given

    @property
    def _aws_variables(self) -> dict[str, str]:
        return self.aws.environment | {"AWS_ENDPOINT_URL_LAMBDA": self.functions_url}

    def _event_sources(self) -> tuple[EventSource, ...]:
        return tuple(
            EventSource(
                table=physical_name(self.environment_name, stream.table),
                function=self.function_name(part.name),
                filters=(stream.only,) if stream.only else (),
                batch_size=stream.batch_size,
            )
            for part in self._parts
            for stream in part.streams
        )

    @property
    def hot_environment(self) -> dict[str, str]:
        """Of the resolver: the hot plane reaches the cache, and holds no Genesys credential."""
        return self._environment_of(RESOLVER, self._variables)

    @property
    def _variables(self) -> dict[str, str]:
        """Values of the variables that functions and commands are told, each those of the catalog."""
        environment = self.environment_name
        settings = Settings(
            name=environment,
            region=REGION,
            genesys_host="",
            default_queue_id=self._default_queue_id,
            genesys_fallback=self._fallback,
        )
        return {
            **{name: value for name, value in settings.variables.items() if value},
            "BACKFILL_FUNCTION": self.function_name(BACKFILL.name),
            "IDENTIFIERS_TABLE": physical_name(environment, IDENTIFIERS),
            "CONTACTS_TABLE": physical_name(environment, CONTACTS),
            "LEDGER_TABLE": physical_name(environment, LEDGER),
            "STATE_TABLE": physical_name(environment, STATE),
            "CACHE_URL": self.cache.url,
            "CACHE_HASH_KEY": self._cache_hash_key,
            "GENESYS_URL": self.genesys.url,
            "GENESYS_CLIENT_ID": CLIENT_ID,
            "GENESYS_CLIENT_SECRET": CLIENT_SECRET,
            **(self.changes.environment if self.changes else {}),
        }


class Standing(Protocol):
    """What `up` can keep running: a sandbox or a deployment."""

    directory: Path

    @property
    def environment(self) -> dict[str, str]: ...
    def __enter__(self) -> object: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def up[Kind: Standing](sandbox: Kind, on_ready: Callable[[Kind], None]) -> None:
    """Start a sandbox and keep it until Ctrl-C or a request to end. `on_ready` is called once, to show it.

    Meanwhile `running` finds it, if its directory is the default one.
    """
    if running(sandbox.directory):
        raise StartError("a sandbox is running already; use it, or stop it first")
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        for number in previous:
            signal.signal(number, signal.default_int_handler)
        with sandbox, _published(sandbox.environment, sandbox.directory):
            on_ready(sandbox)
            while True:
                # No single long wait: a signal that arrives just before a wait does not end it.
                time.sleep(0.5)
    except KeyboardInterrupt:
        return
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def running(directory: Path = DIRECTORY) -> dict[str, str]:
    """The environment of the sandbox that `up` keeps running, for commands that work on it; empty if there is none."""
    try:
        lines = _environment_file(directory).read_text().splitlines()
    except FileNotFoundError:
        return {}
    environment = dict(shlex.split(line)[0].split("=", 1) for line in lines)
    return environment if listens(urlsplit(environment["AWS_ENDPOINT_URL"]).port or 0) else {}


@contextlib.contextmanager
def _published(environment: Mapping[str, str], directory: Path) -> Iterator[None]:
    """`KEY=value` lines that a shell can source, readable by their owner only because they hold the cache's key."""
    file = _environment_file(directory)
    file.unlink(missing_ok=True)
    directory.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(environment.items())))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _environment_file(directory: Path) -> Path:
    return directory / "environment"
