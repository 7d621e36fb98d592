"""The Genesys Cloud emulator as a process of the sandbox. A process of its own, so that its work does not slow down
what is measured in the others."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from sandbox.genesys import Control
from sandbox.machine.processes import HOST, Service, listens

CLIENT_ID = CLIENT_SECRET = "sandbox"  # both public
_REPOSITORY = Path(__file__).resolve().parents[1]


class GenesysEmulator(Service):
    """One emulated organization."""

    def __init__(self, *, port: int | None = None, settings: Mapping[str, object] | None = None) -> None:
        """`settings` are fields of `sandbox.genesys.Settings`."""
        super().__init__(port=port)
        self._settings = dict(settings or {})

    @property
    def name(self) -> str:
        return f"the Genesys Cloud emulator on port {self.port}"

    @property
    def url(self) -> str:
        """The base of both the API and the login service."""
        return f"http://{HOST}:{self.port}"

    def queue_id(self, name: str) -> str:
        """The id of a routing queue by its name."""
        return self.queue_ids()[name]

    def queue_ids(self) -> dict[str, str]:
        """Name of each routing queue → its id."""
        return self._control.queue_ids()

    def configure(self, **settings: object) -> None:
        """Change settings while it runs, for instance `latency_ms=(300, 800)`."""
        self._control.configure(**settings)

    def calls(self) -> dict[str, int]:
        """How often each operation of the API has been called since the start."""
        return self._control.calls()

    @property
    def _control(self) -> Control:
        return Control(self.url)

    def _command(self) -> list[str]:
        return [sys.executable, "-m", __name__, str(self.port), json.dumps(self._settings)]

    def _environment(self, directory: Path) -> dict[str, str]:
        return super()._environment(directory) | {"PYTHONPATH": str(_REPOSITORY)}

    def _answers(self) -> bool:
        return listens(self.port)


def _serve() -> None:
    from sandbox.genesys import Settings, serve  # noqa: PLC0415 - only in the emulator's own process

    port, settings = sys.argv[1:]
    serve(host=HOST, port=int(port), settings=Settings().changed(json.loads(settings)))


if __name__ == "__main__":
    _serve()
