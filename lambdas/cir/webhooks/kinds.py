"""How each CRM calls out: Salesforce, Dataverse, and a signed JSON body for whatever can compute an HMAC.

Salesforce: https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_wsdl.htm
Dataverse: https://learn.microsoft.com/power-apps/developer/data-platform/use-webhooks
"""

import hashlib
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cir.crm.mapping import CrmKind
from cir.webhooks.change import Change, is_record_id, is_token
from cir.webhooks.keys import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    SourceKeys,
    check_key,
    check_organization,
    check_signature,
)
from cir.webhooks.request import Notice, WebhookRefusedError, WebhookRequest

MOST_CHANGES = 1000
"""In one request: a hundred calls to SQS, which are over in a few seconds."""

_OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_ACK = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
    "</soapenv:Body></soapenv:Envelope>"
)
_NO_GUID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of calling out."""

    name: str
    read: Callable[[WebhookRequest, SourceKeys, float], list[Notice]]
    """Authenticates before it parses as far as it can. Raises WebhookRefusedError."""
    content_type: str = "application/json"
    answer: str = "{}"
    """What the CRM takes as the acknowledgement."""


def receive(request: WebhookRequest, keys: SourceKeys, *, now: float) -> tuple[Kind, list[Change]]:
    """What an authentic request says has changed. Raises WebhookRefusedError."""
    kind = _kind(request)
    notices = kind.read(request, keys, now)
    if len(notices) > MOST_CHANGES:
        raise WebhookRefusedError(413, f"more than {MOST_CHANGES} changes")
    return kind, [
        Change(request.source, each.id, each.deleted, each.event_id, round(now, 3))
        for each in notices
        if not keys.entity or not each.entity or each.entity.casefold() == keys.entity.casefold()
    ]


def _kind(request: WebhookRequest) -> Kind:
    if SIGNATURE_HEADER in request.headers:
        return SIGNED
    # a CRM without a way of its own must sign
    return _OWN.get(request.source, SIGNED)


def _outbound_message(request: WebhookRequest, keys: SourceKeys, now: float) -> list[Notice]:  # noqa: ARG001
    """Salesforce's outbound message. It cannot sign: a key in its address and the organization vouch for it."""
    check_key(request, keys)
    notifications = _xml(request.body).find(f"{_SOAP}Body/{_OUTBOUND}notifications")
    if notifications is None:
        raise WebhookRefusedError(400, "no outbound message")
    check_organization((notifications.findtext(f"{_OUTBOUND}OrganizationId") or "").strip(), keys)
    notices = [_notification(each) for each in notifications.iterfind(f"{_OUTBOUND}Notification")]
    if not notices:
        raise WebhookRefusedError(400, "an outbound message without a notification")
    return notices


def _notification(notification: ET.Element) -> Notice:
    record = notification.find(f"{_OUTBOUND}sObject")
    if record is None:
        raise WebhookRefusedError(400, "a notification without its sObject")
    # its namespace is that of the WSDL the message was made for: enterprise or partner
    record_id = next((each.text for each in record if each.tag.rpartition("}")[2] == "Id"), None)
    event_id = (notification.findtext(f"{_OUTBOUND}Id") or "").strip()
    entity = record.get(_TYPE, "").rpartition(":")[2]
    return _notice((record_id or "").strip(), deleted=False, event_id=event_id, entity=entity)


def _xml(body: bytes) -> ET.Element:
    text = _text(body)
    # SOAP 1.1 forbids a document type declaration, and without one there are no entities to expand or fetch.
    if "<!DOCTYPE" in text:
        raise WebhookRefusedError(400, "XML with a document type")
    try:
        return ET.fromstring(text)  # noqa: S314 - no document type, 1 MB at most
    except (ET.ParseError, ValueError):
        raise WebhookRefusedError(400, "invalid XML") from None


def _dataverse(request: WebhookRequest, keys: SourceKeys, now: float) -> list[Notice]:  # noqa: ARG001
    """A RemoteExecutionContext. Of one over 256 KB Dataverse drops the attributes, which are not needed here."""
    check_key(request, keys)
    context = _json_object(request.body)
    # Several updates can share the ids of one operation, but not the whole body; a repetition does.
    digest = hashlib.sha256(request.body).hexdigest()[:32]
    operation = context.get("OperationId")
    record_id = context.get("PrimaryEntityId")
    if record_id == _NO_GUID:
        raise WebhookRefusedError(400, "a message that is not about one record")
    message = context.get("MessageName") or request.headers.get("x-ms-dynamics-request-name")
    entity = context.get("PrimaryEntityName") or request.headers.get("x-ms-dynamics-entity-name") or ""
    return [
        _notice(
            record_id,
            deleted=message == "Delete",
            event_id=f"{operation}.{digest}" if is_token(operation) and operation != _NO_GUID else digest,
            entity=str(entity),
        )
    ]


def _signed(request: WebhookRequest, keys: SourceKeys, now: float) -> list[Notice]:
    """`{"changes": [{"id": …, "deleted": …, "eventId": …}]}`, one such object alone, or Salesforce change events."""
    check_signature(request, keys, now=now)
    data = _json_object(request.body)
    changes = data.get("changes", [data])
    if not isinstance(changes, list) or not changes or not all(isinstance(each, dict) for each in changes):
        raise WebhookRefusedError(400, "no changes")
    # without an event id, a repetition is a request with the same time and body
    told = f"{request.headers[TIMESTAMP_HEADER]}.".encode() + request.body
    digest = hashlib.sha256(told).hexdigest()[:32]
    return [notice for number, change in enumerate(changes) for notice in _signed_change(change, f"{digest}.{number}")]


def _signed_change(change: Mapping[str, Any], digest: str) -> list[Notice]:
    payload = change.get("payload")
    header = (payload if isinstance(payload, dict) else change).get("ChangeEventHeader")
    if isinstance(header, dict):
        return _change_event(header)
    deleted = change.get("deleted", False)
    if not isinstance(deleted, bool):
        raise WebhookRefusedError(400, "'deleted' is not true or false")
    entity = change.get("entity", "")
    if not isinstance(entity, str):
        raise WebhookRefusedError(400, "'entity' is not a text")
    return [_notice(change.get("id"), deleted=deleted, event_id=change.get("eventId", digest), entity=entity)]


def _change_event(header: Mapping[str, Any]) -> list[Notice]:
    """Salesforce Change Data Capture. A gap event is a change whose fields Salesforce does not tell.

    Of an overflow (more than 100,000 changes in one transaction) no records are named, and of a field's conversion
    only their prefix (`003*`): reconciliation finds them.
    """
    kind, ids = header.get("changeType"), header.get("recordIds")
    if not isinstance(kind, str) or not isinstance(ids, list):
        raise WebhookRefusedError(400, "a change event without its type or records")
    if kind == "GAP_OVERFLOW":
        return []
    event_id = f"{header.get('transactionKey')}.{header.get('sequenceNumber')}"
    entity = str(header.get("entityName") or "")
    return [
        _notice(each, deleted=kind in {"DELETE", "GAP_DELETE"}, event_id=f"{event_id}.{number}", entity=entity)
        for number, each in enumerate(ids)
        if not (isinstance(each, str) and each.endswith("*"))
    ]


def _notice(record_id: Any, *, deleted: bool, event_id: Any, entity: str) -> Notice:
    if not is_record_id(record_id):
        raise WebhookRefusedError(400, "no id of a record")
    if not is_token(event_id):
        raise WebhookRefusedError(400, "no id of an event")
    return Notice(record_id, deleted, event_id, entity)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(_text(body))
    except (ValueError, RecursionError):
        raise WebhookRefusedError(400, "invalid JSON") from None
    if not isinstance(data, dict):
        raise WebhookRefusedError(400, "not a JSON object")
    return data


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise WebhookRefusedError(400, "not UTF-8") from None


SIGNED = Kind("signed", _signed)
OUTBOUND_MESSAGE = Kind("outbound message", _outbound_message, "text/xml; charset=utf-8", _ACK)
DATAVERSE = Kind("dataverse", _dataverse)
_OWN: Mapping[str, Kind] = {CrmKind.SALESFORCE: OUTBOUND_MESSAGE, CrmKind.DYNAMICS: DATAVERSE}
