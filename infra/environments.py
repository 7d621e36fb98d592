"""The environments: `cdk deploy --all -c env=dev` takes the one named `dev`. This is the file to edit.

A new environment is one more entry. What can be said of one, and what counts where nothing is said, is in `Settings`.
"""

from infra.schedule import Schedule
from infra.settings import ServerlessCache, Settings

ENVIRONMENTS = (
    Settings(
        name="dev",
        region="eu-west-1",
        genesys_host="mypurecloud.ie",
        genesys_organization_id="00000000-0000-4000-8000-000000000001",
        default_queue_id="00000000-0000-4000-8000-00000000000a",
        default_phone_region="GB",
        default_language="en-GB",
        duplicate_search=Schedule("0 3 * * ? *", "Europe/London"),
        cache=ServerlessCache(max_ecpu_per_second=5_000),
        keep_data=False,
        traffic_shift="all-at-once",
        log_retention_days=7,
        alarm_email="cir-dev@example.com",
        runbook_url="https://example.com/cir/docs/runbook.md",
    ),
    Settings(
        name="staging",
        region="eu-west-1",
        genesys_host="mypurecloud.ie",
        genesys_organization_id="00000000-0000-4000-8000-000000000002",
        default_queue_id="00000000-0000-4000-8000-00000000000b",
        default_phone_region="GB",
        default_language="en-GB",
        duplicate_search=Schedule("0 3 * * ? *", "Europe/London"),
        log_retention_days=14,
        alarm_email="cir-staging@example.com",
        runbook_url="https://example.com/cir/docs/runbook.md",
    ),
    Settings(
        name="prod",
        region="eu-west-1",
        genesys_host="mypurecloud.ie",
        genesys_organization_id="00000000-0000-4000-8000-000000000003",
        default_queue_id="00000000-0000-4000-8000-00000000000c",
        default_phone_region="GB",
        default_language="en-GB",
        duplicate_search=Schedule("0 3 * * ? *", "Europe/London"),
        log_retention_days=90,
        alarm_email="cir-prod@example.com",
        runbook_url="https://example.com/cir/docs/runbook.md",
    ),
)
