"""First step of the import workflow: a CRM's export in S3 is checked as a whole and written as batches."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cir.connect import open_genesys
from cir.contacts.organization import prepare
from cir.crm.export_file import read_file
from cir.imports.run import split
from cir.runtime import log
from cir.settings import default_region
from functions.importer.run import open_run, read_mapping

_client = open_genesys("bulk")


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """`{"run": name, "file": key}` → where the batches are.

    Raises FileError or MappingError, which say what is wrong with what was uploaded and are not worth a repetition.
    """
    run = open_run(event)
    mapping = read_mapping(run)
    organization = prepare(_client, mapping)
    with run.files.local(str(event["file"])) as path:
        lines = read_file(Path(path), mapping, default_region=default_region())
        manifest = split(run, lines, organization, origin=str(event["file"]))
    log.write({"event": "import split", "run": event["run"], "rows": manifest.rows, "batches": len(manifest.batches)})
    return {
        "run": event["run"],
        "batches": run.key("batches.json"),
        "rows": manifest.rows,
        "batchCount": len(manifest.batches),
    }
