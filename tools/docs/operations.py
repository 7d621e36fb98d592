"""What of the Genesys Cloud API the emulator has, by subject."""

import sys
from collections.abc import Iterable
from itertools import groupby

from sandbox.genesys.http.routes import OPERATIONS, PREFIX, Operation
from tools.docs.markdown import code, table


def listing() -> str:
    """The number of operations, and a table for each subject, which is a module of the emulator."""
    by_subject = groupby(sorted(OPERATIONS, key=_module), key=_module)
    tables = [f"## {_title(module)}\n\n{_table(operations)}" for module, operations in by_subject]
    return "\n\n".join([f"{len(OPERATIONS)} operations under `{PREFIX}`.", *tables])


def _module(operation: Operation) -> str:
    return operation.handler.__module__


def _title(module: str) -> str:
    return str(sys.modules[module].__doc__).partition(".")[0]


def _table(operations: Iterable[Operation]) -> str:
    rows = [
        (
            code(f"{each.method} {each.path}"),
            code(each.id),
            code(each.permission) if each.permission else "",
            each.left_out,
        )
        for each in operations
    ]
    return table(["operation", "id", "permission", "left out"], rows)
