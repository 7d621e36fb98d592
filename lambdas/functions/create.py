"""Data Action "Create Customer": a caller of whom nothing was found becomes a contact."""

from collections.abc import Mapping
from typing import Any

from cir import connect
from cir.contacts.organization import ExternalSources
from cir.conversation.creating import CreateOutcome, Creating, Creation
from cir.identity.attestation import CarrierTrust
from cir.resolve.request import Request, read_request
from cir.runtime import log
from cir.runtime.deadline import seconds_left
from cir.settings import carrier_trust, default_region
from functions import Handler, opened

INPUT_NAMES = ("firstName", "lastName")
"""Beside the resolver's input fields."""
OUTPUT_FIELDS: dict[str, type] = {"contactId": str, "outcome": str, "explanation": str}
FAILED = "FAILED"
LONGEST_SECONDS = 8.0
"""Of waiting for Genesys while a flow waits for the answer."""

_NO_IDENTIFIER = Creation(CreateOutcome.REFUSED, "There was no usable number or address to create a customer with.")


def make_handler(creating: Creating, *, default_region: str, trust: CarrierTrust) -> Handler:
    """The function, over its parts. `default_region` is the one that national phone numbers are read as."""

    def handler(event: object, context: object) -> dict[str, Any]:
        """Create a contact with every identifier in the event: the resolver's input fields, two names; flat text out.

        FAILED means that it may be tried again, with the same event.
        """
        request = read_request(event, default_region=default_region, trust=trust)
        try:
            created = _create(request, event, creating.within(seconds_left(context, at_most=LONGEST_SECONDS)))
        except Exception as error:
            # whatever it is, the flow must be able to go on
            log.write_failure("create failed", error, conversationId=request.conversation_id)
            return {
                "contactId": "",
                "outcome": FAILED,
                "explanation": "A service did not answer; it can be tried again.",
            }
        log.write(
            {
                "event": "create",
                "contactId": created.contact_id,
                "conversationId": request.conversation_id,
                "outcome": created.outcome,
            }
        )
        return {
            "contactId": created.contact_id,
            "outcome": str(created.outcome),
            "explanation": created.explanation,
        }

    return handler


def _open() -> Handler:
    client = connect.open_genesys()
    creating = Creating(client, connect.open_store(), ExternalSources(client))
    return make_handler(creating, default_region=default_region(), trust=carrier_trust())


handler = opened(_open)


def _create(request: Request, event: object, creating: Creating) -> Creation:
    if not request.presented:
        return _NO_IDENTIFIER
    fields: Mapping[Any, Any] = event if isinstance(event, Mapping) else {}
    first, last = (str(fields[name]) if isinstance(fields.get(name), str) else "" for name in INPUT_NAMES)
    return creating.create(request.presented, first_name=first, last_name=last, conversation_id=request.conversation_id)
