"""Which deployment the commands work on: what the environment variables name, else a sandbox that is up."""

import os

from cir.settings import table_names
from cli.failures import CommandError
from sandbox.system import running

NAMED_BY = "CIR_ENVIRONMENT"


def enter_environment() -> str:
    """Make the deployment's variables those of this process; returns its name for display.

    Raises CommandError when no variables are set and no sandbox is up, or when one that is needed is missing.
    """
    name = os.environ.get(NAMED_BY)
    if not name:
        variables = running()
        if not variables:
            raise CommandError(
                f"no deployment to work on: start one here with `cir sandbox up`, or set {NAMED_BY} and the other "
                "variables of a deployed environment (docs/deploy.md lists them)"
            )
        os.environ.update(variables)
    try:
        table_names()
    except ValueError as error:
        raise CommandError(f"{error}, but {NAMED_BY} is (docs/deploy.md lists what belongs to it)") from None
    return name or "sandbox"
