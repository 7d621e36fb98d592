"""Which deployment the commands work on: what the environment variables name, else a sandbox that is up."""

import os

from sandbox.system import running

NAMED_BY = "CIR_ENVIRONMENT"


class NoEnvironmentError(Exception):
    """There is nothing to work on. The text says what to do."""


def enter_environment() -> str:
    """Make the deployment's variables those of this process; returns its name for display.

    Raises NoEnvironmentError when no variables are set and no sandbox is up.
    """
    if os.environ.get(NAMED_BY):
        return os.environ[NAMED_BY]
    variables = running()
    if not variables:
        raise NoEnvironmentError(
            f"no deployment to work on: start one here with `cir sandbox up`, or set {NAMED_BY} and the other "
            "variables of a deployed environment (docs/deploy.md lists them)"
        )
    os.environ.update(variables)
    return "sandbox"
