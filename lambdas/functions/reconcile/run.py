"""What the steps of the reconciliation share."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from cir import connect
from cir.aws.dynamodb import DynamoDB
from cir.aws.files import Files
from cir.imports.run import run_name
from cir.reconcile.held import scan
from cir.reconcile.run import Night, State
from cir.reconcile.steps import Contacts
from cir.settings import required


@dataclass(frozen=True, slots=True)
class Nights:
    """Where nights are kept."""

    files: Files
    state: State

    @classmethod
    def open(cls) -> Self:
        """Those of the environment."""
        return cls(connect.open_files(), State(connect.open_dynamodb(), required(os.environ, "STATE_TABLE")))

    def of(self, event: Mapping[str, Any]) -> Night:
        """The one that the workflow's execution is about. Raises ValueError if the event names none."""
        return Night(run_name(event.get("run")), self.files, self.state)


def open_contacts() -> Contacts:
    """The contacts table of the environment."""
    dynamodb: DynamoDB = connect.open_lean_dynamodb()
    table = required(os.environ, "CONTACTS_TABLE")
    return lambda: scan(dynamodb, table)
