"""What the steps of the import workflow share."""

from cir.crm.mapping import CrmMapping, MappingError, OnDelete, deployed_mapping, load_mapping
from cir.imports.run import Run


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
    withdraws = mapping.opt_out or mapping.inactive
    if withdraws and mapping.on_delete is OnDelete.DELETE and deployed.on_delete is not OnDelete.DELETE:
        raise MappingError(
            "the mapping deletes whoever has opted out or is inactive, which the deployment's own mapping does not"
        )
    return mapping
