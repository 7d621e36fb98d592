"""Kills the sandbox's processes when the process that started them is gone, however it died.

Runs as a program of its own whose standard input is a pipe held by the sandbox: lines `+PID` and `-PID` say which
process groups to guard, and the end of the input is the parent's death. Unlike Linux' parent-death signal this works on
macOS too and does not depend on which thread of the parent started a child. Imports nothing beyond `os`, `signal`,
`sys` and `time`, so that it starts in a few milliseconds.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE_SECONDS = 1.0


def main() -> None:
    """Guard until the input ends, then stop what is left."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    guarded: set[int] = set()
    for line in sys.stdin:
        update = guarded.add if line.startswith("+") else guarded.discard
        update(int(line[1:]))
    end(guarded)


def end(groups: Iterable[int]) -> None:
    """Ask every process group to end, and kill those that have not within the grace period."""
    left = [group for group in groups if send(group, signal.SIGTERM)]
    deadline = time.monotonic() + GRACE_SECONDS
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [group for group in left if send(group, 0)]
    for group in left:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Signal a process group; a stopped one is woken so that it can act on it. False if there is no such group."""
    try:
        os.killpg(group, number)
        if number == signal.SIGTERM:
            os.killpg(group, signal.SIGCONT)
    except (ProcessLookupError, PermissionError):  # macOS: no permission means that only a zombie is left
        return False
    return True


if __name__ == "__main__":
    main()
