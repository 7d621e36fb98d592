"""First step of the import workflow: a CRM's export in S3 is checked as a whole and written as batches."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cir import connect
from cir.aws.files import Files
from cir.contacts.organization import prepare
from cir.crm.export_file import read_file
from cir.genesys.client import GenesysClient
from cir.imports.run import Run, run_name, split
from cir.runtime import log
from cir.settings import default_region
from functions import Handler, opened
from functions.importer.run import read_mapping


def make_handler(files: Files, client: GenesysClient, *, default_region: str) -> Handler:
    """The function, over its parts; `default_region` is the one that national phone numbers are read as."""

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
        """`{"run": name, "file": key}` → where the batches are.

        Raises FileError or MappingError, which say what is wrong with what was uploaded and are not worth a repetition.
        """
        run = Run.named(files, run_name(event.get("run")))
        mapping = read_mapping(run)
        organization = prepare(client, mapping)
        with run.files.local(str(event["file"])) as path:
            lines = read_file(Path(path), mapping, default_region=default_region)
            manifest = split(run, lines, organization, origin=str(event["file"]))
        counts = {"rows": manifest.rows, "batches": len(manifest.batches)}
        log.write({"event": "import split", "run": event["run"], **counts})
        return {
            "run": event["run"],
            "batches": run.key("batches.json"),
            "rows": manifest.rows,
            "batchCount": len(manifest.batches),
        }

    return handler


handler = opened(
    lambda: make_handler(connect.open_files(), connect.open_genesys("bulk"), default_region=default_region())
)
