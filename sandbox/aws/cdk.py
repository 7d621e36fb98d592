"""The CDK command line, run as in a real account, but for one on this machine."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from sandbox.machine.processes import Process, StartError

_REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = _REPOSITORY / "node_modules" / ".bin" / "cdk"
_TOLD = 12
"""Lines of a failed command's output that its error repeats."""

type Outputs = dict[str, dict[str, str]]
"""Name of a stack → its outputs."""


class Cdk:
    """Synthesizes once, and works on that assembly from then on.

    Everything is made in `directory`, which is also its home: neither the repository nor the settings of whoever runs
    this are touched, or matter. What each command writes goes into a file in `logs`.
    """

    def __init__(self, *, directory: Path, logs: Path, environment: Mapping[str, str]) -> None:
        """`environment` leads to the account: endpoint, credentials, trust."""
        self.assembly = directory / "assembly"
        self._directory = directory
        self._logs = logs
        self._environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(directory),
            "TMPDIR": str(directory),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            **environment,
        }

    def synthesize(self, *, app: str = "", **context: str) -> None:
        """What a developer's `cdk synth` does, in the environment of whoever runs this: it may have to download.

        `app` is the command of another one than the repository's.
        """
        options = [part for name, value in context.items() for part in ("-c", f"{name}={value}")]
        options += ["--app", app] if app else []
        environment = os.environ | {"TMPDIR": str(self._directory), "CDK_DISABLE_CLI_TELEMETRY": "true"}
        self._run("synth", "--quiet", "--output", str(self.assembly), *options, at=_REPOSITORY, environment=environment)

    def bootstrap(self, *, account: str, region: str) -> None:
        """Prepare the account, once."""
        self._run("bootstrap", f"aws://{account}/{region}")

    def deploy(self) -> Outputs:
        """Deploy all stacks. Returns their outputs."""
        outputs = self._directory / "outputs.json"
        self._on_assembly("deploy", "--require-approval", "never", "--outputs-file", str(outputs))
        found: Outputs = json.loads(outputs.read_text())
        return found

    def diff(self) -> str:
        """What a deployment would change, as the command line tells it. Raises StartError if there is anything."""
        return self._on_assembly("diff", "--fail")

    def destroy(self) -> None:
        """Delete all stacks."""
        self._on_assembly("destroy", "--force")

    def _on_assembly(self, command: str, *options: str) -> str:
        return self._run(command, "--all", "--app", str(self.assembly), *options)

    def _run(
        self, command: str, *arguments: str, at: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> str:
        if not COMMAND.exists():
            raise StartError(f"{COMMAND} is missing: run make setup")
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"cdk-{command}.log"
        with log.open("wb") as output:
            process = Process(
                [COMMAND, command, "--no-notices", "--no-color", *arguments],
                environment=environment or self._environment,
                directory=at or self._directory,
                output=output,
            )
            try:
                status = process.wait()
            finally:
                process.kill()
        written = log.read_text(errors="replace")
        if status:
            told = "\n".join(written.strip().splitlines()[-_TOLD:])
            raise StartError(f"cdk {command} ended with status {status}:\n{told}\nAll that it wrote is in {log}")
        return written
