"""The CDK app: one environment of infra/environments.py, named by `-c env=`. Needs no credentials and no network."""

import sys

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from infra.checks import SettingsError, environment
from infra.environments import ENVIRONMENTS
from infra.packaging import PackagingError, architecture_named
from infra.settings import Settings
from infra.stacks import stacks


def main(environments: tuple[Settings, ...] = ENVIRONMENTS) -> None:
    """Synthesize, or say in one sentence why not."""
    app = cdk.App(analytics_reporting=False)
    try:
        settings = environment(app.node.try_get_context("env"), environments)
        stacks(app, settings, architecture=architecture_named(app.node.try_get_context("arch")))
    except (SettingsError, PackagingError) as error:
        sys.exit(str(error))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


if __name__ == "__main__":
    main()
