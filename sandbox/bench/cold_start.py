"""Cold starts of the packaged resolver: process start to first answer, under the official runtime client.

Beside it, in the same run and from the same package, a handler that does nothing and one that only imports redis. What
Lambda adds (fetching the package, starting the virtual machine) is the same for all of them and not in here.
"""

import py_compile
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from infra.packaging import HOT, build, find_uv, native_architecture, size_mb
from sandbox.aws.functions import Function, FunctionError, runtime_command, runtime_environment
from sandbox.aws.runtime_api import RuntimeApi
from sandbox.machine.processes import Process

RUNS = 9
_TIMEOUT_SECONDS = 30.0
_BARE_HANDLERS = {"nothing": "", "redis": "import redis\n"}
_EVENT = b'{"ani": "+12125550188"}'


@dataclass(frozen=True, slots=True)
class ColdStarts:
    """Medians in milliseconds."""

    starts: Mapping[str, float]
    restored: float
    """The resolver's first answer after it was restored from a snapshot (SnapStart), restoring itself not counted."""
    package_mb: float
    """Unpacked."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "milliseconds": {name: round(value, 1) for name, value in self.starts.items()},
            "restoredMilliseconds": round(self.restored, 1),
            "packageMb": round(self.package_mb, 1),
        }

    def table(self) -> Table:
        table = Table("the handler imports", title="Cold start: process start to first answer", title_justify="left")
        table.add_column("ms", justify="right")
        table.add_column("ratio", justify="right")
        rows = {**self.starts, "the resolver, from a snapshot": self.restored}
        for name, milliseconds in rows.items():
            table.add_row(name, f"{milliseconds:.0f}", f"{milliseconds / self.starts['redis']:.2f}")
        table.caption = f"the package has {self.package_mb:.1f} MB unpacked"
        return table


def measure(environment: Mapping[str, str]) -> ColdStarts:
    """`environment` are the resolver's variables in a running sandbox."""
    with tempfile.TemporaryDirectory(prefix="cir-package-") as directory:
        package = Path(directory)
        build(package, HOT, uv=find_uv(), architecture=native_architecture())
        functions = {name: _bare(package, name, code) for name, code in _BARE_HANDLERS.items()}
        resolver = Function(
            name="resolver", handler="functions.resolver.handler.handler", directory=package, environment=environment
        )
        functions["the resolver"] = resolver
        times: dict[str, list[float]] = {name: [] for name in functions}
        restored = []
        for _ in range(RUNS):  # in turns, so that what else the machine does hits all alike
            for name, function in functions.items():
                times[name].append(_cold_start(function))
            restored.append(_restored(resolver))
        starts = {name: statistics.median(each) for name, each in times.items()}
        return ColdStarts(starts, statistics.median(restored), size_mb(package))


def _bare(package: Path, name: str, code: str) -> Function:
    """A handler that answers with nothing, compiled like all others in the package."""
    source = package / f"bare_{name}.py"
    source.write_text(f"{code}def handler(event, context):\n    return {{}}\n")
    py_compile.compile(str(source), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    return Function(name=name, handler=f"bare_{name}.handler", directory=package)


def _cold_start(function: Function) -> float:
    """Milliseconds from the process' start to the answer to the first event, which waits already."""
    api = RuntimeApi()
    started = time.perf_counter()
    process = _start(function, api, initialisation="on-demand")
    try:
        _answer(function, api)
        return (time.perf_counter() - started) * 1000
    finally:
        process.kill()
        api.close()


def _restored(function: Function) -> float:
    """Milliseconds from being restored to the answer."""
    api = RuntimeApi()
    process = _start(function, api, initialisation="snap-start")
    try:
        api.wait_until_snapshot(_TIMEOUT_SECONDS)
        started = time.perf_counter()
        api.restore()
        _answer(function, api)
        return (time.perf_counter() - started) * 1000
    finally:
        process.kill()
        api.close()


def _start(function: Function, api: RuntimeApi, *, initialisation: str) -> Process:
    environment = runtime_environment(function, runtime_api=api.address, region="eu-west-1")
    return Process(
        runtime_command(function),
        environment=environment | {"AWS_LAMBDA_INITIALIZATION_TYPE": initialisation},
        directory=function.directory,
        output=subprocess.DEVNULL,
    )


def _answer(function: Function, api: RuntimeApi) -> None:
    arn = f"arn:aws:lambda:eu-west-1:111111111111:function:{function.name}"
    result = api.invoke(_EVENT, function_arn=arn, timeout_seconds=_TIMEOUT_SECONDS)
    if result.failed:
        raise FunctionError(function.name, result.payload)
