"""Lambda on this machine: the real handlers in processes of their own, driven by the official runtime client.

What an execution environment does here as in AWS: it initialises before its first event, serves one event at a time,
is kept warm, is killed when its function's time is over, and is replaced when it has died. Not emulated: limits of
memory and CPU, IAM, and the read-only file system.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sandbox.aws.logs import Logs
from sandbox.aws.runtime_api import Result, RuntimeApi, error_document
from sandbox.machine.processes import Process

INITIALISATION_SECONDS = 60.0
"""Lambda allows ten (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html), on a CPU of the
function's own. A desk has two for all of them, and may be busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One Lambda function as it is deployed."""

    name: str
    handler: str
    """Module and function, as in `functions.resolver.handler.handler`."""
    directory: Path
    """What is deployed: the root of the imports and the working directory."""
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = 3.0
    memory_mb: int = 512
    concurrency: int = 1
    """How many execution environments there may be. Further invocations wait, where Lambda would throttle."""
    warmed: bool = True
    """Whether `Functions.warm` starts it, or the first event."""


class FunctionError(Exception):
    """The function failed: it could not start, raised, ran out of time, or died."""

    def __init__(self, function: str, payload: bytes) -> None:
        document = json.loads(payload)
        self.error_type: str = document.get("errorType", "")
        self.error_message: str = document.get("errorMessage", "")
        super().__init__(f"{function}: {self.error_type}: {self.error_message}")


class UnknownFunctionError(LookupError):
    """There is no function of that name."""


class StoppedError(Exception):
    """The functions were stopped while somebody wanted to invoke one."""


class Functions:
    """All functions of the sandbox."""

    def __init__(self, functions: Iterable[Function], *, logs: Logs, region: str, account: str) -> None:
        self._background = ThreadPoolExecutor(max_workers=8, thread_name_prefix="event-invocations")
        self._pools = {
            function.name: _Pool(
                function, arn=f"arn:aws:lambda:{region}:{account}:function:{function.name}", region=region, logs=logs
            )
            for function in functions
        }

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._pools)

    def warm(self) -> None:
        """Initialise one environment per function, one per processor at a time. `FunctionError` if one cannot."""
        pools = {name: pool for name, pool in self._pools.items() if pool.warmed}
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as executor:
            for name, failure in zip(pools, executor.map(_Pool.warm, pools.values()), strict=True):
                if failure:
                    raise FunctionError(name, failure.payload)

    def require(self, name: str) -> None:
        """`UnknownFunctionError` if there is no function of that name."""
        if name not in self._pools:
            raise UnknownFunctionError(f"no function {name!r}; there are: {', '.join(self._pools)}")

    def invoke(self, name: str, payload: bytes) -> Result:
        """One event, synchronously."""
        self.require(name)
        return self._pools[name].invoke(payload)

    def invoke_later(self, name: str, payload: bytes) -> None:
        """One event, asynchronously. It is delivered once, whatever comes of it; Lambda would try twice more."""
        self.require(name)
        self._background.submit(self._pools[name].invoke, payload)

    def call(self, name: str, event: object) -> Any:
        """The handler's answer to an event; `FunctionError` if it failed."""
        result = self.invoke(name, json.dumps(event).encode())
        if result.failed:
            raise FunctionError(name, result.payload)
        return json.loads(result.payload)

    def kill(self, name: str) -> int:
        """End a function's environments as the death of their machine does; how many. Events go to new ones."""
        self.require(name)
        return self._pools[name].kill()

    def stop(self) -> None:
        """End all environments. Invocations that are running fail."""
        self._background.shutdown(wait=False, cancel_futures=True)
        for pool in self._pools.values():
            pool.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Pool:
    """The execution environments of one function."""

    def __init__(self, function: Function, *, arn: str, region: str, logs: Logs) -> None:
        self._function = function
        self._arn = arn
        self._region = region
        self._logs = logs
        self._free = threading.BoundedSemaphore(function.concurrency)
        self._lock = threading.Lock()
        self._idle: list[_ExecutionEnvironment] = []
        self._all: set[_ExecutionEnvironment] = set()
        self._stopped = False

    @property
    def warmed(self) -> bool:
        return self._function.warmed

    def warm(self) -> Result | None:
        with self._free:
            environment = self._take()
            failure = environment.initialise()
            self._give_back(environment)
            return failure

    def invoke(self, payload: bytes) -> Result:
        with self._free:
            environment = self._take()
            try:
                return environment.initialise() or environment.invoke(payload)
            finally:
                self._give_back(environment)

    def kill(self) -> int:
        with self._lock:
            environments = [each for each in self._all if each.alive]
        for environment in environments:
            environment.kill()
        return len(environments)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            environments, self._all, self._idle = self._all, set(), []
        for environment in environments:
            environment.stop()

    def _take(self) -> "_ExecutionEnvironment":
        with self._lock:
            if self._stopped:
                raise StoppedError(f"{self._function.name} was stopped")
            while self._idle:
                # The one used last, so that the others can stay cold.
                environment = self._idle.pop()
                if environment.alive:
                    return environment
                self._all.discard(environment)
            environment = _ExecutionEnvironment(self._function, arn=self._arn, region=self._region, logs=self._logs)
            self._all.add(environment)
            return environment

    def _give_back(self, environment: "_ExecutionEnvironment") -> None:
        with self._lock:
            if environment.alive and not self._stopped:
                self._idle.append(environment)
                return
            self._all.discard(environment)
        environment.stop()


class _ExecutionEnvironment:
    """One process with the runtime client and the handler in it."""

    def __init__(self, function: Function, *, arn: str, region: str, logs: Logs) -> None:
        self._function = function
        self._arn = arn
        self._logs = logs
        self._api = RuntimeApi()
        self._process = Process(
            runtime_command(function),
            environment=runtime_environment(function, runtime_api=self._api.address, region=region),
            directory=function.directory,
            output=subprocess.PIPE,
        )
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def alive(self) -> bool:
        return self._process.alive

    def initialise(self) -> Result | None:
        """Wait until the handler is imported. Immediate when it has been; the error if it cannot."""
        try:
            return self._api.wait_until_initialised(INITIALISATION_SECONDS)
        except TimeoutError:
            return self._timed_out(INITIALISATION_SECONDS)

    def invoke(self, payload: bytes) -> Result:
        seconds = self._function.timeout_seconds
        try:
            return self._api.invoke(payload, function_arn=self._arn, timeout_seconds=seconds)
        except TimeoutError:
            return self._timed_out(seconds)

    def kill(self) -> None:
        self._process.kill()

    def stop(self) -> None:
        self.kill()
        self._api.close()

    def _timed_out(self, seconds: float) -> Result:
        self._process.kill()
        message = f"Task timed out after {seconds:.2f} seconds"
        self._logs.append(self._function.name, message)
        return Result(error_document(error_type="Sandbox.Timedout", message=f"Error: {message}"), failed=True)

    def _watch(self) -> None:
        """Keep what the process writes, and fail the running event when it ends."""
        with self._process.output as output:
            for line in output:
                # The runtime separates the lines of a traceback by a carriage return, to keep it one event.
                message = line.decode(errors="replace").rstrip("\r\n").replace("\r", "\n").replace("\u00a0", " ")
                self._logs.append(self._function.name, message)
        status = self._process.wait()
        outcome = f"exit status {status}" if status >= 0 else f"signal {-status}"
        self._api.fail(error_type="Runtime.ExitError", message=f"Error: Runtime exited with error: {outcome}")


def runtime_command(function: Function) -> list[str]:
    """What Lambda's own bootstrap runs, with this interpreter."""
    return [sys.executable, "-m", "awslambdaric", function.handler]


def runtime_environment(function: Function, *, runtime_api: str, region: str) -> dict[str, str]:
    """The variables that Lambda defines, below the function's own.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    return {
        "PATH": os.environ.get("PATH", ""),
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": str(function.directory),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "sandbox",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        **function.environment,
    }
