"""Somebody who asks the resolver one question after another, in a process of their own as Lambda has one for each.

    python -m sandbox.bench.asking SEED FAMILIES

with the resolver's variables set. It prints a line when it is ready, is told a moment of the monotonic clock by a line,
asks until then, and prints all answers as JSON.
"""

import importlib
import io
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Self

from cir.identity.verdict import Outcome
from cir.resolve.answer import NOT_FOUND
from sandbox.bench.history import Answer, contact_key

_FIELDS = {"phone": "ani", "email": "email", "contact": "contactId"}
_REMEMBERED = 12
"""Of a family's contact ids: those of the people who have its numbers now, and of some before them."""


@dataclass(slots=True)
class Family:
    """The numbers and addresses of a few people; who they are changes."""

    number: int
    contact_ids: tuple[str, ...] = ()
    """That were answered, the latest last."""

    def phone(self, name: str) -> str:
        """The number `a` to `e`."""
        return f"+1212{555 + self.number}{4000 + 'abcde'.index(name)}"

    def email(self, name: str) -> str:
        return f"{name}{self.number}@customers.example"

    def question(self, dice: random.Random) -> tuple[str, ...]:
        """Keys to ask with: mostly one number or address, at times both, or the id of a contact."""
        phone, email = f"phone {self.phone(dice.choice('abcde'))}", f"email {self.email(dice.choice('ac'))}"
        kind = dice.random()
        if kind < 0.1 and self.contact_ids:
            return (contact_key(dice.choice(self.contact_ids)),)
        if kind < 0.3:
            return (phone, email)
        return (phone,) if kind < 0.8 else (email,)

    def remember(self, contact_id: str) -> None:
        """To ask with it later."""
        if contact_id != NOT_FOUND and contact_id not in self.contact_ids:
            self.contact_ids = (*self.contact_ids, contact_id)[-_REMEMBERED:]


class Asking:
    """Such a process, for as long as the context is open."""

    def __init__(self, environment: Mapping[str, str], *, seed: int, families: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.bench.asking", str(seed), str(families)],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def wait_until_ready(self) -> None:
        """Wait until it could ask. Raises ChildProcessError if it has died."""
        assert self._process.stdout  # noqa: S101 - a pipe
        if not self._process.stdout.readline():
            raise ChildProcessError("the process that asks the resolver has ended")

    def ask(self, until: float) -> None:
        """Let it ask until that moment of the monotonic clock."""
        assert self._process.stdin  # noqa: S101 - a pipe
        self._process.stdin.write(f"{until}\n")
        self._process.stdin.flush()

    def answers(self) -> list[Answer]:
        """All that it was answered, when it is done. Raises ChildProcessError if it has died."""
        printed, _ = self._process.communicate()
        if self._process.returncode:
            raise ChildProcessError(f"the process that asks the resolver has ended with {self._process.returncode}")
        return [Answer(**{**each, "keys": tuple(each["keys"])}) for each in json.loads(printed)]


def _ask_in_this_process(seed: int, number: int) -> list[Answer]:
    handler = importlib.import_module("functions.resolver.handler").handler
    with redirect_stdout(io.StringIO()):
        handler({}, None)  # opens its clients, which Lambda does before the first call
    print("ready", flush=True)  # noqa: T201 - to the process that started this one
    until = float(sys.stdin.readline())
    dice = random.Random(seed)
    families = [Family(each) for each in range(number)]
    answers = []
    with redirect_stdout(io.StringIO()):
        while time.monotonic() < until:
            family = dice.choice(families)
            keys = family.question(dice)
            event = {_FIELDS[kind]: value for kind, value in (key.split(" ", 1) for key in keys)}
            began = time.monotonic()
            answer = handler(event, None)
            ended = time.monotonic()
            outcome, contact_id = answer["outcome"], answer["contactId"]
            name = answer["displayName"] if outcome == Outcome.RESOLVED else ""
            answers.append(Answer(keys, began, ended, outcome, contact_id, name, answer["cacheStatus"]))
            family.remember(contact_id)
    return answers


if __name__ == "__main__":
    print(json.dumps([asdict(each) for each in _ask_in_this_process(*map(int, sys.argv[1:]))]))  # noqa: T201 - likewise
