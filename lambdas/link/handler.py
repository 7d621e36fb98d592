"""Data Action "Link Identifier": the number or address that a recognised customer has used is theirs from now on."""

from typing import Any

from cir import log
from cir.connect import open_store
from cir.dynamodb import DynamoDBError
from cir.genesys.client import GenesysClient
from cir.genesys.errors import GenesysError
from cir.linking import Link, Linking, LinkOutcome
from cir.request import Request, read_request
from cir.settings import default_region
from cir.store import OutdatedError

OUTPUT_FIELDS: dict[str, type] = {"contactId": str, "outcome": str, "linked": str, "explanation": str}
FAILED = "FAILED"

_default_region = default_region()
_linking = Linking(GenesysClient.from_environment(), open_store())


def handler(event: object, context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Link every identifier in the event to `contactId`. The same input fields as the resolver's; flat text out.

    FAILED means that it may be tried again; nothing is half-done.
    """
    request = read_request(event, default_region=_default_region)
    try:
        links = _link_all(request)
    except (GenesysError, DynamoDBError, OutdatedError) as error:
        log.write_failure("link failed", error, conversationId=request.conversation_id)
        return _answer(request, FAILED, (), "Nothing was linked: a service did not answer. It can be tried again.")
    linked = tuple(kind for kind, link in links if link.outcome is LinkOutcome.LINKED)
    worst = max(links, key=lambda each: _SEVERITY.index(each[1].outcome))[1] if links else _NOTHING
    log.write(
        {
            "event": "link",
            "contactId": request.contact_id,
            "conversationId": request.conversation_id,
            "outcomes": {kind: link.outcome for kind, link in links},
        }
    )
    return _answer(request, worst.outcome, linked, worst.explanation)


_SEVERITY = (LinkOutcome.ALREADY_LINKED, LinkOutcome.LINKED, LinkOutcome.CONFLICT, LinkOutcome.REFUSED)
_NOTHING = Link(LinkOutcome.REFUSED, "There was no usable number or address to link.")


def _link_all(request: Request) -> list[tuple[str, Link]]:
    if not request.contact_id:
        return [("", Link(LinkOutcome.REFUSED, "No contact was named to link to."))]
    return [
        (each.identifier.type, _linking.link(request.contact_id, each, conversation_id=request.conversation_id))
        for each in request.presented
    ]


def _answer(request: Request, outcome: str, linked: tuple[str, ...], explanation: str) -> dict[str, Any]:
    return {
        "contactId": request.contact_id,
        "outcome": str(outcome),
        "linked": ",".join(linked),
        "explanation": explanation,
    }
