"""Requests as the CRMs make them, in the form in which API Gateway hands them on."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

NEW, OLD, SIGNING, OLD_SIGNING = (f"{name}-key-of-the-tests-0123456789" for name in ("new", "old", "sign", "before"))
ORGANIZATION = "00D5g000001AbCdEAK"
SECRET: dict[str, dict[str, object]] = {
    "salesforce": {
        "keys": [NEW, OLD],
        "signing": [SIGNING, OLD_SIGNING],
        "organization": ORGANIZATION,
        "entity": "Contact",
    },
    "dynamics": {"keys": [NEW], "entity": "contact"},
    "servicenow": {"signing": [SIGNING]},
}
PERSON = "Ottoline Quimby-Smythe"
"""Of whom no log may speak."""


def event(
    source: str,
    body: bytes,
    *,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    encoded: bool = False,
) -> dict[str, Any]:
    """Payload format 2.0 of an HTTP API."""
    return {
        "version": "2.0",
        "routeKey": "POST /webhooks/{source}",
        "rawPath": f"/webhooks/{source}",
        "pathParameters": {"source": source},
        "headers": dict(headers or {}),
        **({"queryStringParameters": dict(query)} if query else {}),
        "body": base64.b64encode(body).decode() if encoded else body.decode(),
        "isBase64Encoded": encoded,
    }


def signature(key: str, timestamp: str, body: bytes) -> str:
    digest = hmac.new(key.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def signed(
    source: str, content: Any, *, key: str = SIGNING, age: float = 0.0, body: bytes | None = None
) -> dict[str, Any]:
    """Signed so many seconds ago."""
    raw = json.dumps(content).encode() if body is None else body
    timestamp = str(int(time.time() - age))
    headers = {"x-cir-timestamp": timestamp, "x-cir-signature": signature(key, timestamp, raw)}
    return event(source, raw, headers={"content-type": "application/json", **headers})


def outbound_message(
    *records: tuple[str, str], key: str = NEW, organization: str = ORGANIZATION, entity: str = "Contact", head: str = ""
) -> dict[str, Any]:
    """Salesforce's, of (notification id, record id)."""
    notifications = "".join(
        f'<Notification><Id>{notification}</Id><sObject xsi:type="sf:{entity}" '
        'xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
        f"<sf:Id>{record}</sf:Id><sf:LastName>{escape(PERSON)}</sf:LastName></sObject></Notification>"
        for notification, record in records
    )
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
        f"<OrganizationId>{organization}</OrganizationId><ActionId>04k5g000000XyZzAAK</ActionId>"
        '<SessionId xsi:nil="true"/><EnterpriseUrl>https://x.example/c</EnterpriseUrl>'
        f"<PartnerUrl>https://x.example/u</PartnerUrl>{notifications}</notifications></soapenv:Body></soapenv:Envelope>"
    )
    return event("salesforce", body.encode(), headers={"content-type": "text/xml"}, query={"code": key})


def dataverse(
    record_id: str, *, message: str = "Update", key: str = NEW, in_header: bool = False, exceeded: bool = False
) -> dict[str, Any]:
    """Dataverse's execution context; `exceeded`: over 256 KB, so that Dataverse has left most of it out."""
    context: dict[str, Any] = {
        "CorrelationId": "b374239d-4233-41a9-8b17-a86cb4f737b5",
        "MessageName": message,
        "OperationCreatedOn": "/Date(1506409448000-0700)/",
        "OperationId": "4af10637-4ea2-e711-8122-000d3aa2331c",
        "PrimaryEntityId": record_id,
        "PrimaryEntityName": "contact",
        "RequestId": None,
    }
    headers = {
        "content-type": "application/json",
        "x-ms-dynamics-entity-name": "contact",
        "x-ms-dynamics-request-name": message,
    }
    if exceeded:
        headers["x-ms-dynamics-msg-size-exceeded"] = "true"
    else:
        attributes = [{"key": "fullname", "value": PERSON}]
        context["InputParameters"] = [{"key": "Target", "value": {"Attributes": attributes, "Id": record_id}}]
    return event(
        "dynamics",
        json.dumps(context).encode(),
        headers=headers | ({"x-cir-key": key} if in_header else {}),
        query=None if in_header else {"code": key},
    )
