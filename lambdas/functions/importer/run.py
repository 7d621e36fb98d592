"""What the steps of the import workflow share."""

import os
from collections.abc import Mapping
from typing import Any

import boto3

from cir.aws.files import Bucket
from cir.crm.mapping import CrmMapping, MappingError, OnDelete, deployed_mapping, load_mapping
from cir.imports.run import Run, run_name
from cir.settings import required


def open_run(event: Mapping[str, Any]) -> Run:
    """The run that the workflow's execution is about. Raises ValueError if the event names none."""
    name = run_name(event.get("run"))
    return Run.named(Bucket(boto3.Session().client("s3"), required(os.environ, "DATA_BUCKET")), name)


def read_mapping(run: Run) -> CrmMapping:
    """The mapping that was uploaded with the file, else the environment's.

    Raises MappingError where it deletes contacts and the environment's does not: the functions have no right to.
    """
    deployed = deployed_mapping()
    try:
        with run.files.local(run.key("mapping.json")) as path:
            mapping = load_mapping(path)
    except FileNotFoundError:
        return deployed
    if mapping.opt_out and mapping.on_delete is OnDelete.DELETE and deployed.on_delete is not OnDelete.DELETE:
        raise MappingError("the mapping deletes whoever has opted out, which the deployment's own mapping does not")
    return mapping
