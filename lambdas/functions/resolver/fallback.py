"""The synchronous fallback: have the backfill function ask Genesys while the flow waits.

Only environments that choose it import this, and with it boto3, ahead of the first call.
"""

import json
from collections.abc import Sequence

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cir.identity.identifiers import Identifier
from cir.resolve.resolver import Fallback


def ask_backfill(function: str, *, budget_seconds: float) -> Fallback:
    """What the resolver calls on a miss. When it fails or takes too long the miss stands."""
    config = Config(connect_timeout=budget_seconds, read_timeout=budget_seconds, retries={"total_max_attempts": 1})
    client = boto3.client("lambda", config=config)

    def ask(identifiers: Sequence[Identifier], seconds: float) -> bool:
        payload = {"identifiers": [{"key": each.key, "value": each.value} for each in identifiers], "seconds": seconds}
        try:
            answer = client.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
        except (BotoCoreError, ClientError):
            return False
        return "FunctionError" not in answer

    return ask
