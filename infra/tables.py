"""The DynamoDB tables, defined once: the stack deploys them, the sandbox and the tests create them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Table:
    """One table. Every key attribute is a string; streams carry new and old images."""

    name: Literal["identifiers", "contacts", "ledger", "state"]
    partition_key: str
    sort_key: str | None = None
    stream: bool = False
    time_to_live: str | None = None
    """Attribute that holds the expiry in epoch seconds."""


IDENTIFIERS = Table("identifiers", "identifier", stream=True, time_to_live="expires_at")
CONTACTS = Table("contacts", "contact_id", stream=True)
LEDGER = Table("ledger", "subject", sort_key="entry")
STATE = Table("state", "name", time_to_live="expires_at")
"""Of work under way, and of no person: the request budget, how far a run has come."""
TABLES = (IDENTIFIERS, CONTACTS, LEDGER, STATE)


def physical_name(environment: str, table: Table) -> str:
    """The table's name in AWS, for instance `cir-dev-identifiers`."""
    return f"cir-{environment}-{table.name}"


def create_tables(dynamodb: "DynamoDBClient", environment: str) -> None:
    """Create all tables through the API, for an AWS that runs on this machine. Existing ones are left as they are."""
    existing = set(dynamodb.list_tables()["TableNames"])
    for table in TABLES:
        name = physical_name(environment, table)
        if name in existing:
            continue
        keys = [table.partition_key] + ([table.sort_key] if table.sort_key else [])
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": "HASH" if key == table.partition_key else "RANGE"} for key in keys
            ],
            StreamSpecification=(
                {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
                if table.stream
                else {"StreamEnabled": False}
            ),
        )
        if table.time_to_live:
            dynamodb.update_time_to_live(
                TableName=name,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": table.time_to_live},
            )
