"""Errors as Genesys Cloud answers them.

Codes and texts are those that the public API description lists per operation; texts with `[...]` are its templates.
Values of a person's fields are never repeated: a detail names the field.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]

GENERIC = {
    400: ("bad.request", "The request could not be understood by the server due to malformed syntax."),
    401: ("bad.credentials", "Invalid login credentials."),
    403: ("not.authorized", "You are not authorized to perform the requested action."),
    404: ("not.found", "The requested resource was not found."),
    408: (
        "client.timeout",
        (
            "The client did not produce a request within the server timeout limit. "
            "This can be caused by a slow network connection and/or large payloads."
        ),
    ),
    409: ("request.conflict", "The request conflicts with the current state of the target resource."),
    415: (
        "unsupported.media.type",
        (
            "Unsupported Media Type - Unsupported or incorrect media type, such as an incorrect Content-Type value "
            "in the header."
        ),
    ),
    500: (
        "internal.server.error",
        "The server encountered an unexpected condition which prevented it from fulfilling the request.",
    ),
    503: (
        "service.unavailable",
        "Service Unavailable - The server is currently unavailable (because it is overloaded or down for maintenance).",
    ),
    504: ("request.timeout", "The request timed out."),
}


@dataclass(eq=False)
class ApiError(Exception):
    status: int
    code: str
    message: str
    fields: tuple[str, ...] = ()  # wire paths of the fields at fault
    params: Mapping[str, str] = field(default_factory=dict)
    template: str | None = None  # the message with {named} parameters
    entity_id: str | None = None
    entity_name: str | None = None
    limit: JSON | None = None
    retry_after: int | None = None

    def body(self, context_id: str) -> JSON:
        body: JSON = {
            "message": self.message,
            "code": self.code,
            "status": self.status,
            "messageParams": dict(self.params),
            "contextId": context_id,
            "details": [{"errorCode": self.code, "fieldName": name} for name in self.fields],
            "errors": [],
        }
        optional = {
            "messageWithParams": self.template,
            "entityId": self.entity_id,
            "entityName": self.entity_name,
            "limit": self.limit,
        }
        return body | {name: value for name, value in optional.items() if value is not None}

    def bulk(self, entity: object) -> JSON:
        """The same error as one item of a bulk answer; `entity` is the request's part that failed."""
        return {
            "code": self.code,
            "message": self.message,
            "status": self.status,
            "retryable": self.status in {408, 429, 500, 503, 504},
            "details": [{"fieldName": name, "message": self.message} for name in self.fields],
            "entity": entity,
        }


def generic(status: int) -> ApiError:
    code, message = GENERIC[status]
    return ApiError(status, code, message)


def bad_request(message: str, *fields: str, code: str = "bad.request") -> ApiError:
    return ApiError(400, code, message, fields)


def invalid_parameter(name: str, value: str, allowed: str) -> ApiError:
    return ApiError(
        400,
        "invalid.query.param.value",
        f"Value [{value[:60]}] is not valid for parameter [{name}]. Allowable values are: {allowed}",
        (name,),
        {"value": value[:60], "parameter": name, "allowableValues": allowed},
        "Value [{value}] is not valid for parameter [{parameter}]. Allowable values are: {allowableValues}",
    )


def invalid_value(field_name: str, value: str, kind: str, allowed: str) -> ApiError:
    return ApiError(
        400,
        "invalid.value",
        f"Value [{value[:60]}] is not valid for field type [{kind}]. Allowable values are: {allowed}",
        (field_name,),
        {"value": value[:60], "fieldType": kind, "allowableValues": allowed},
        "Value [{value}] is not valid for field type [{fieldType}]. Allowable values are: {allowableValues}",
    )


def invalid_property(name: str, model: str) -> ApiError:
    return ApiError(
        400,
        "invalid.property",
        f"Value [{name}] is not a valid property for object [{model}]",
        (name,),
        {"property": name, "object": model},
        "Value [{property}] is not a valid property for object [{object}]",
    )


def validation_failed(what: str, problems: Iterable[tuple[str, str]]) -> ApiError:
    """`what` is the operation's own text, e.g. "The provided contact was not valid"; problems are (field, reason)."""
    listed = list(problems)
    reasons = "; ".join(f"{name} {reason}" for name, reason in listed)
    return ApiError(422, "validation.failed", f"{what}: {reasons}", tuple(name for name, _ in listed))


def custom_fields_failed(problems: Iterable[tuple[str, str]]) -> ApiError:
    listed = list(problems)
    reasons = "; ".join(f"{name} {reason}" for name, reason in listed)
    return ApiError(
        422,
        "custom.fields.validation.failed",
        f"The custom fields values failed validation: {reasons}",
        tuple(name for name, _ in listed),
    )


def entity_not_found(entity: str, entity_id: str, message: str) -> ApiError:
    return ApiError(404, "entity.not.found", message, entity_id=entity_id, entity_name=entity)


def contact_not_found(contact_id: str) -> ApiError:
    return entity_not_found("Contact", contact_id, "Specified contactId not found.")


def invalid_division(division_id: str) -> ApiError:
    return ApiError(
        400, "invalid.division.id", "The specified division(s) is not valid.", ("division.id",), entity_id=division_id
    )


def bad_cursor() -> ApiError:
    return ApiError(
        422, "unprocessable.entity", "User supplied an invalid entity or an invalid/expired cursor", ("cursor",)
    )


def too_large(limit: int) -> ApiError:
    return ApiError(
        413,
        "request.entity.too.large",
        f"The request is over the size limit. Maximum bytes: {limit}",
        params={"maximumBytes": str(limit)},
        template="The request is over the size limit. Maximum bytes: {maximumBytes}",
    )


def missing_permission(permission: str) -> ApiError:
    return ApiError(
        403,
        "missing.any.permissions",
        "Unable to perform the requested action. You must have at least one of the following permissions assigned: "
        f"[{permission}]",
        params={"permissions": permission},
        template="Unable to perform the requested action. You must have at least one of the following permissions "
        "assigned: [{permissions}]",
    )


def rate_limited(*, limit: int, retry_after: int) -> ApiError:
    return ApiError(
        429,
        "too.many.requests.retry.after",
        f"Rate limit exceeded the maximum. Retry the request in [{retry_after}] seconds",
        params={"seconds": str(retry_after)},
        template="Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds",
        limit={"key": "token.rate.per.minute", "namespace": "platform.api", "value": limit},
        retry_after=retry_after,
    )
