"""The synchronous fallback: have the backfill function ask Genesys while the flow waits.

Only environments that choose it import this, and with it botocore, ahead of the first call.
"""

import json
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cir.identity.identifiers import Identifier
from cir.resolve.resolver import Fallback


def ask_backfill(client: Any, function: str) -> Fallback:
    """What the resolver calls on a miss. When it fails or takes too long the miss stands.

    `client` is boto3's for Lambda, whose timeouts hold: it is called once.
    """

    def ask(identifiers: Sequence[Identifier], seconds: float) -> bool:
        payload = {"identifiers": [{"key": each.key, "value": each.value} for each in identifiers], "seconds": seconds}
        try:
            answer = client.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
        except (BotoCoreError, ClientError):
            return False
        return "FunctionError" not in answer

    return ask
