"""Data Action "Link Identifier": the number or address that a recognised customer has used is theirs from now on."""

from typing import Any

from cir import connect
from cir.contacts.organization import ExternalSources
from cir.conversation.linking import Link, Linking, LinkOutcome
from cir.identity.attestation import CarrierTrust
from cir.resolve.request import Request, read_request
from cir.runtime import log
from cir.runtime.deadline import seconds_left
from cir.settings import carrier_trust, default_region
from functions import Handler, opened

OUTPUT_FIELDS: dict[str, type] = {"contactId": str, "outcome": str, "linked": str, "explanation": str}
FAILED = "FAILED"
LONGEST_SECONDS = 8.0
"""Of waiting for Genesys while a flow waits for the answer."""

_SEVERITY = (LinkOutcome.ALREADY_LINKED, LinkOutcome.LINKED, LinkOutcome.CONFLICT, LinkOutcome.REFUSED)
_NO_CONTACT = Link(LinkOutcome.REFUSED, "No contact was named to link to.")
_NO_IDENTIFIER = Link(LinkOutcome.REFUSED, "There was no usable number or address to link.")


def make_handler(linking: Linking, *, default_region: str, trust: CarrierTrust) -> Handler:
    """The function, over its parts. `default_region` is the one that national phone numbers are read as."""

    def handler(event: object, context: object) -> dict[str, Any]:
        """Link every identifier in the event to `contactId`. The same input fields as the resolver's; flat text out.

        Of several the gravest outcome is told. FAILED means that it may be tried again, with the same event: what was
        linked already is in `linked`, and nothing is half-done.
        """
        request = read_request(event, default_region=default_region, trust=trust)
        links: dict[str, Link] = {}
        try:
            _link_all(request, linking.within(seconds_left(context, at_most=LONGEST_SECONDS)), links)
        except Exception as error:
            # whatever it is, the flow must be able to go on
            log.write_failure("link failed", error, conversationId=request.conversation_id)
            return _answer(request, links, FAILED, "A service did not answer; it can be tried again.")
        gravest = max(links.values(), key=lambda link: _SEVERITY.index(link.outcome))
        return _answer(request, links, gravest.outcome, gravest.explanation)

    return handler


def _open() -> Handler:
    client = connect.open_genesys()
    linking = Linking(client, connect.open_store(), ExternalSources(client))
    return make_handler(linking, default_region=default_region(), trust=carrier_trust())


handler = opened(_open)


def _link_all(request: Request, linking: Linking, links: dict[str, Link]) -> None:
    """Fill `links` one by one, so that they are known if a later one fails."""
    if not request.contact_id:
        links[""] = _NO_CONTACT
    elif not request.presented:
        links[""] = _NO_IDENTIFIER
    else:
        for each in request.presented:
            links[each.identifier.type] = linking.link(
                request.contact_id, each, conversation_id=request.conversation_id
            )


def _answer(request: Request, links: dict[str, Link], outcome: str, explanation: str) -> dict[str, Any]:
    contact_id = next((link.contact_id for link in links.values() if link.contact_id), request.contact_id)
    log.write(
        {
            "event": "link",
            "contactId": contact_id,
            "conversationId": request.conversation_id,
            "outcome": outcome,
            "outcomes": {kind: link.outcome for kind, link in links.items()},
        }
    )
    return {
        "contactId": contact_id,
        "outcome": str(outcome),
        "linked": ",".join(kind for kind, link in links.items() if link.outcome is LinkOutcome.LINKED),
        "explanation": explanation,
    }
