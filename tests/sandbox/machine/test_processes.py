"""No process of the sandbox outlives the one that started it, however that ends."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.machine.processes import listens

pytestmark = pytest.mark.slow

# Runs as a program and as a function's handler, and does not care about being asked to end.
LISTENING = """
import os, signal, socket, time

signal.signal(signal.SIGTERM, signal.SIG_IGN)
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))

def handler(event, context):
    return None

if __name__ == "__main__":
    time.sleep(600)
"""

PARENT = """
import sys, time
from pathlib import Path
from sandbox.machine.cache_server import Cache
from sandbox.aws.functions import Function, Functions
from sandbox.aws.logs import Logs
from sandbox.machine.processes import Process, free_port

code = Path(sys.argv[1])
program, function, cache = free_port(), free_port(), Cache(cluster=False)
cache.start()
process = Process([sys.executable, code / "listening.py"], environment={"PORT": str(program)})
deployed = Function(name="f", handler="listening.handler", directory=code, environment={"PORT": str(function)})
functions = Functions([deployed], logs=Logs(directory=code), region="eu-west-1", account="111111111111")
functions.warm()
print(cache.port, program, function, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_children_end_with_their_parent(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "listening.py").write_text(LISTENING)
    with subprocess.Popen([sys.executable, "-c", PARENT, tmp_path], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        ports = [int(port) for port in parent.stdout.readline().split()]
        assert len(ports) == 3
        _wait_until(ports, listening=True)
        parent.send_signal(number)
    _wait_until(ports, listening=False)


def _wait_until(ports: list[int], *, listening: bool) -> None:
    deadline = time.monotonic() + 15
    while wrong := [port for port in ports if listens(port) != listening]:
        assert time.monotonic() < deadline, f"{'not' if listening else 'still'} listening: {wrong}"
        time.sleep(0.02)
