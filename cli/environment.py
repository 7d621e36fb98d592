"""Which deployment the commands work on: what the environment variables name, else a sandbox that is up."""

import os

from cir.settings import table_names
from cli import IN_CHECKOUT
from cli.failures import CommandError

NAMED_BY = "CIR_ENVIRONMENT"


def enter_environment() -> str:
    """Make the deployment's variables those of this process; returns its name for display.

    Raises CommandError when no variables are set and no sandbox is up, or when one that is needed is missing.
    """
    name = os.environ.get(NAMED_BY)
    if not name:
        variables = running_sandbox()
        if not variables:
            here = "start one here with `cir sandbox up`, or " if IN_CHECKOUT else ""
            raise CommandError(
                f"no deployment to work on: {here}set {NAMED_BY} and the other variables of a deployed environment "
                "(docs/deploy.md lists them)"
            )
        os.environ.update(variables)
    try:
        table_names()
    except ValueError as error:
        raise CommandError(f"{error}, but {NAMED_BY} is (docs/deploy.md lists what belongs to it)") from None
    return name or "sandbox"


def running_sandbox() -> dict[str, str]:
    """The variables of the sandbox that is up; empty if there is none."""
    if not IN_CHECKOUT:
        return {}
    from sandbox.system import running  # noqa: PLC0415 - is in a checkout only

    return running()
