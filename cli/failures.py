"""Failures that the person at the keyboard can act on, each as one line that says what to do."""

import requests
from botocore.exceptions import BotoCoreError, ClientError

from cir.aws.dynamodb import DynamoDBError
from cir.crm.connectors import CrmError
from cir.crm.export_file import FileError
from cir.crm.mapping import MappingError
from cir.dead_letters import DeadLetterError
from cir.duplicates.errors import DuplicatesError
from cir.genesys.errors import GenesysError
from cli import IN_CHECKOUT


class CommandError(Exception):
    """A command cannot do what it was asked to. The text says why and what to do."""


_EXPECTED: tuple[type[Exception], ...] = (
    CommandError,
    CrmError,
    FileError,
    MappingError,
    GenesysError,
    DuplicatesError,
    DeadLetterError,
    DynamoDBError,
    BotoCoreError,
    ClientError,
    requests.RequestException,
    OSError,
)

_CREDENTIALS = "Check the AWS credentials of this shell."
_ADVICE = {
    "AccessDeniedException": "The credentials of this shell lack a permission.",
    "ExpiredTokenException": _CREDENTIALS,
    "InvalidSignatureException": _CREDENTIALS,
    "ResourceNotFoundException": "Check IDENTIFIERS_TABLE, CONTACTS_TABLE, LEDGER_TABLE, and AWS_REGION.",
    "UnrecognizedClientException": _CREDENTIALS,
    "Unreachable": "Check the network, AWS_REGION and AWS_ENDPOINT_URL, and the AWS credentials of this shell.",
}


def expected() -> tuple[type[Exception], ...]:
    """The failures that are told in one line; all others are faults of the program."""
    if not IN_CHECKOUT:
        return _EXPECTED
    from sandbox.aws.functions import FunctionError  # noqa: PLC0415 - is in a checkout only
    from sandbox.machine.processes import StartError  # noqa: PLC0415

    return (*_EXPECTED, FunctionError, StartError)


def one_line(error: Exception) -> str:
    """What to print of an expected failure."""
    return " ".join(_text(error).split())


def _text(error: Exception) -> str:
    match error:
        case DynamoDBError():
            advice = "Try again later." if error.retryable else _ADVICE.get(error.code, "")
            return f"{str(error).rstrip('.')}. {advice}"
        case ClientError():
            code = error.response.get("Error", {}).get("Code", "")
            return f"{str(error).rstrip('.')}. {_ADVICE.get(code, '')}"
        case BotoCoreError():
            return f"AWS: {error}"
        case requests.RequestException():
            # its own text quotes the address with all it holds
            return f"no answer from the sandbox ({type(error).__name__}): is it still running?"
        case _:
            return str(error)
