"""What is imported, and the functions of the import workflow as its state machine calls them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cir.aws.files import Files
from cir.crm.export_file import Line
from cir.crm.record import CrmRecord, Problem
from cir.genesys.client import GenesysClient
from cir.index.store import IdentityStore
from functions import Handler
from functions.importer import load, report, split
from sandbox.customers.salesforce import contact_id as salesforce_id
from tests.support.sync_plane import mobile, write_export


def lines(*records: CrmRecord | Problem) -> list[Line]:
    """Of a file whose first line has the names of the columns."""
    return [Line(number, record) for number, record in enumerate(records, 2)]


def export(path: Path, rows: int) -> Path:
    """Write a CSV export of so many people."""
    accounts = (
        {"Id": salesforce_id(number), "LastName": "Doe", "MobilePhone": mobile(number).value} for number in range(rows)
    )
    return write_export(path, accounts)


type Step = Callable[..., dict[str, Any]]
"""Event and, where it matters, Lambda's context → answer."""


class Importer:
    """The steps, over one bucket, one Genesys Cloud and one index."""

    def __init__(self, files: Files, client: GenesysClient, store: IdentityStore) -> None:
        self.split = _step(split.make_handler(files, client, default_region="US"))
        self.load = _step(load.make_handler(files, client, store))
        self.report = _step(report.make_handler(files, environment="test"))


def _step(handler: Handler) -> Step:
    def call(event: Mapping[str, Any], context: object = None) -> dict[str, Any]:
        return dict(json.loads(json.dumps(handler(event, context))))  # as a state machine hands it on

    return call
