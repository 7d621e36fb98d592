"""What can go wrong with a call to Genesys Cloud: one line each, without personal data, that says what to do."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from cir.identity.identifiers import mask

_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# Ids of contacts, sources and schemas stay readable; whatever looks like an address or a number of a person does not.
_PERSONAL = re.compile(rf"(?P<id>{_UUID})|[^\s\[\]<>\"',;:]+@[^\s\[\]<>\"',;:]+|\+?\d(?:[\s().-]?\d){{6,}}")
# Genesys' texts put values in brackets. Counts, ids, permissions and IP addresses are the ones that concern nobody.
_BRACKETED = re.compile(r"\[([^\]]*)\]")
_IMPERSONAL = re.compile(rf"\d{{0,6}}|{_UUID}|\w+(:\w+)+(, *\w+(:\w+)+)*|\d+(\.\d+){{3}}")
_CONSTANTS = frozenset(
    {"action", "arrayAction", "defaultAction", "defaultArrayAction", "expand", "field", "mediaType", "operation"}
    | {"requestType", "type"}
)
"""Fields whose values are part of the API and not of a person."""
_MESSAGE_LIMIT = 300
_LOOK = "It may have been carried out: look before repeating it."
_NOT_GENESYS = "That is not an answer of Genesys Cloud's API: check GENESYS_HOST or GENESYS_URL."


class GenesysError(Exception):
    """A call that Genesys Cloud refused or did not answer."""

    temporary: ClassVar[bool] = False
    """Whether the same call can succeed later without anybody changing anything."""

    def __init__(
        self,
        text: str,
        *,
        operation: str = "",
        status: int | None = None,
        code: str = "",
        message: str = "",
        correlation_id: str = "",
        fields: tuple[str, ...] = (),
        may_have_applied: bool = False,
    ) -> None:
        super().__init__(text)
        self.operation = operation
        """For instance `contacts.merge`."""
        self.status = status
        """The HTTP status; None if there was no answer."""
        self.code = code
        """Genesys' own, for instance `mergeset.max.size`."""
        self.message = message
        """Genesys' own, masked."""
        self.correlation_id = correlation_id
        """What Genesys' support asks for."""
        self.fields = fields
        """Names of the fields at fault, where Genesys tells."""
        self.may_have_applied = may_have_applied
        """The call was not safe to repeat and its outcome is unknown: look before doing it again."""


class ConfigurationError(GenesysError):
    """The address, the secret or a name in the settings is wrong."""


class CredentialsError(GenesysError):
    """Genesys Cloud does not accept the OAuth client (401)."""


class PermissionDeniedError(GenesysError):
    """The OAuth client's roles or divisions do not allow the call (403)."""


class NotFoundError(GenesysError):
    """Genesys Cloud itself says that there is no such thing (404)."""


class NotGenesysError(ConfigurationError):
    """A 404 without an error code, which Genesys Cloud always gives: a proxy or another server has answered.

    Taken for NotFoundError, a wrong address would look like an unknown caller or a deleted customer.
    """


class ConflictError(GenesysError):
    """What is stored contradicts the call (409)."""


class IdentifierTakenError(ConflictError):
    """The identifier is claimed by another contact."""

    holder: str | None = None
    """That contact's id; None if it could not be told."""


class InvalidRequestError(GenesysError):
    """The request itself is wrong (400, 413, 415, 422, 501)."""


class CursorExpiredError(InvalidRequestError):
    """The scan cannot be resumed: a cursor lives for 24 hours."""


class RateLimitError(GenesysError):
    """Still too many requests after waiting as told (429)."""

    temporary = True


class UnavailableError(GenesysError):
    """No answer, or one that says to come back (408, 5xx)."""

    temporary = True


class DeadlineError(UnavailableError):
    """The time that the caller gave was over before the call could be made."""


_KINDS: dict[int, type[GenesysError]] = {
    401: CredentialsError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: UnavailableError,
    409: ConflictError,
    429: RateLimitError,
    501: InvalidRequestError,
}

_ADVICE: dict[str | type[GenesysError], str] = {
    "ip.not.authorized": "Add this address to the organization's IP allowlist.",
    CredentialsError: "Check the OAuth client (grant type Client Credentials) and that GENESYS_HOST is its region.",
    PermissionDeniedError: "Give the permission to the role of the OAuth client, in the contact's division.",
    RateLimitError: "Other integrations may share this OAuth client's limit; try again later.",
    UnavailableError: "Try again later.",
}


def error_from_answer(
    operation: str, status: int, body: object, *, correlation_id: str = "", sent: object = None, repeatable: bool = True
) -> GenesysError:
    """The error that an answer of status 300 or more stands for. `sent` is what must not reappear in its text."""
    found: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    code = str(found.get("code") or found.get("error") or "")
    kind = _kind(status, code)
    message = scrub(str(found.get("message") or found.get("error_description") or ""), sent)[:_MESSAGE_LIMIT]
    reference = correlation_id or str(found.get("contextId") or "")
    parts = [f"{operation}: Genesys Cloud answered {status}"]
    parts += [f" {code}"] if code else []
    parts += [f" ({' '.join(message.split()).rstrip('.')})"] if message else []
    parts += [f" [correlation id {reference}]"] if reference else []
    unclear = kind is UnavailableError and not repeatable
    advice = _LOOK if unclear else _ADVICE.get(code) or _ADVICE.get(kind) or ("" if code else _NOT_GENESYS)
    parts += [f". {advice}"] if advice else []
    details = found.get("details")
    return kind(
        "".join(parts),
        operation=operation,
        status=status,
        code=code,
        message=message,
        correlation_id=reference,
        fields=tuple(
            str(detail["fieldName"])
            for detail in (details if isinstance(details, list) else [])
            if isinstance(detail, Mapping) and detail.get("fieldName")
        ),
        may_have_applied=unclear,
    )


def _kind(status: int, code: str) -> type[GenesysError]:
    if status == 404 and not code:
        return NotGenesysError
    general = UnavailableError if status >= 500 else InvalidRequestError if status >= 400 else GenesysError
    return _KINDS.get(status, general)


def scrub(text: str, sent: object = None) -> str:
    """Mask what was sent, and whatever else may be about a person, in a text that Genesys wrote."""
    text = _BRACKETED.sub(lambda found: found[0] if _IMPERSONAL.fullmatch(found[1]) else f"[{mask(found[1])}]", text)
    values = {value.strip() for value in _personal_values(sent)}
    for value in sorted(filter(lambda value: len(value) > 1, values), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", lambda found: mask(found[0]), text, flags=re.IGNORECASE)
    return _PERSONAL.sub(lambda found: found[0] if found["id"] else mask(found[0]), text)


def _personal_values(sent: object, name: str = "") -> Iterator[str]:
    if isinstance(sent, Mapping):
        for key, value in sent.items():
            yield from _personal_values(value, str(key))
    elif isinstance(sent, list | tuple):
        for value in sent:
            yield from _personal_values(value, name)
    elif isinstance(sent, str) and name not in _CONSTANTS and not re.fullmatch(_UUID, sent):
        yield sent
