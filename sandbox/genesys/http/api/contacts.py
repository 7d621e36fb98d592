"""Contacts one at a time."""

from ...organization import errors, models
from ...organization.errors import JSON
from .. import views
from ..calls import Call, Reply


def create(call: Call) -> Reply:
    return Reply(200, views.contact(call.world, call.world.service.create(call.body)))


def get(call: Call) -> Reply:
    expand = call.many("expand", allowed=views.EXPAND)
    record = call.world.contacts.canonical(call.part("contactId"))
    return Reply(200, views.contact(call.world, record, expand))


def get_unresolved(call: Call) -> Reply:
    expand = call.many("expand", allowed=views.EXPAND)
    record = call.world.contacts.unresolved(call.part("contactId"))
    return Reply(200, views.contact(call.world, record, expand))


def put(call: Call) -> Reply:
    return Reply(200, views.contact(call.world, call.world.service.put(call.part("contactId"), call.body)))


def patch(call: Call) -> Reply:
    return Reply(200, views.contact(call.world, call.world.service.patch(call.part("contactId"), call.body)))


def delete(call: Call) -> Reply:
    call.world.service.delete(call.part("contactId"))
    return Reply(200, {})


def promote(call: Call) -> Reply:
    return Reply(200, views.contact(call.world, call.world.service.promote(call.part("contactId"))))


def list_identifiers(call: Call) -> Reply:
    record = call.world.contacts.canonical(call.part("contactId"))
    claims = [views.identifier(call.world, record, key, since) for key, since in record.claims.items()]
    return Reply(200, {"entities": claims})


def change_identifiers(call: Call) -> Reply:
    record, key, since = call.world.service.claim_or_release(call.part("contactId"), call.body)
    return Reply(200, views.identifier(call.world, record, key, since))


def merge(call: Call) -> Reply:
    return Reply(200, views.contact(call.world, call.world.service.merge(call.body)))


def merge_two(call: Call) -> Reply:
    return Reply(200, views.contact(call.world, call.world.service.merge_two(call.body)))


def enrich(call: Call) -> Reply:
    request = models.EnrichRequest.read(call.body, invalid="The provided enrich request was not valid")
    return Reply(*enrich_one(call, request))


def enrich_one(call: Call, request: models.EnrichRequest) -> tuple[int, JSON]:
    enriched = call.world.service.enrich(
        request, dry_run=bool(call.flag("dryRun")), max_identifiers=call.world.settings.max_identifiers
    )
    return enriched.status, views.contact(call.world, enriched.record)


def associate(call: Call) -> Reply:
    """Link a conversation with a contact, or with none. Conversations are not emulated: any id is accepted."""
    request = models.ConversationAssociation.read(call.body)
    if not request.communication_id:
        raise errors.bad_request(
            "The communication id is required",
            "communicationId",
            code="conversation.association.communication.id.required",
        )
    if request.conversation_id != call.part("conversationId"):
        raise errors.bad_request("The conversation id of the body is not that of the path.", "conversationId")
    world, contact_id = call.world, request.external_contact_id
    if contact_id is not None:
        if not _is_uuid(contact_id):
            raise errors.bad_request(
                "The entity ID was invalid.", "externalContactId", code="eternal.contacts.invalid.entity.id"
            )
        record = world.contacts.stored(contact_id)
        if record is None:
            message = "External contact is not found by conversation id."
            raise errors.entity_not_found("Contact", contact_id, message)
        world.contacts.seen(world.contacts.head(record))
    world.conversations[request.conversation_id] = {
        "communicationId": request.communication_id,
        "mediaType": request.media_type,
        "externalContactId": contact_id,
    }
    return Reply(202)


def _is_uuid(text: str) -> bool:
    hexadecimal = text.replace("-", "")
    return len(text) == 36 and len(hexadecimal) == 32 and all(c in "0123456789abcdefABCDEF" for c in hexadecimal)
