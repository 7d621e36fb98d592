"""Whether a request comes from the CRM: signatures, keys in the address or a header, and how both are rotated."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cir.webhooks.request import WebhookRefusedError, WebhookRequest

SIGNATURE_HEADER = "x-cir-signature"
TIMESTAMP_HEADER = "x-cir-timestamp"
KEY_HEADER = "x-cir-key"
KEY_PARAMETER = "code"
"""The name that Dataverse gives to a WebhookKey."""
SKEW_SECONDS = 300
"""As long as SQS FIFO remembers a deduplication id: an older request cannot be told from a repeated one."""
SHORTEST_KEY = 24
"""In characters; 144 bits where it is random base64."""
CACHE_SECONDS = 180.0
AGAIN_SECONDS = 10.0
"""How soon keys that could not be read are tried again."""


class KeysError(Exception):
    """The secret with the keys cannot be used. The text holds none of them."""


@dataclass(frozen=True, slots=True)
class SourceKeys:
    """What requests of one CRM are known by. Of each kind the new one and the old one are valid at once."""

    signing: tuple[str, ...] = field(default=(), repr=False)
    """Of bodies; none: signed requests are refused."""
    keys: tuple[str, ...] = field(default=(), repr=False)
    """For the CRM's own webhooks, which cannot sign; none: they are refused."""
    organization: str = ""
    """Salesforce's OrganizationId, which an outbound message must carry."""
    entity: str = ""
    """The table whose records are customers; changes of others are not for us. Empty: all are."""


def read_keys(text: str) -> dict[str, SourceKeys]:
    """Source → keys, from the secret's JSON. Raises KeysError."""
    try:
        data = json.loads(text)
    except ValueError:
        raise KeysError("the webhook secret is not JSON") from None
    if not isinstance(data, dict) or not all(isinstance(each, dict) for each in data.values()):
        raise KeysError('the webhook secret must be an object of objects: {"salesforce": {"keys": [...]}}')
    return {source: _source_keys(source, each) for source, each in data.items()}


def _source_keys(source: str, data: Mapping[str, Any]) -> SourceKeys:
    unknown = sorted(data.keys() - {"signing", "keys", "organization", "entity"})
    if unknown:
        raise KeysError(f"the webhook secret has unknown entries for {source}: {', '.join(unknown)}")
    lists = {name: data.get(name, []) for name in ("signing", "keys")}
    for name, values in lists.items():
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            raise KeysError(f"{name!r} of {source} in the webhook secret must be a list of texts")
        if len(values) > 2:
            raise KeysError(
                f"{name!r} of {source} in the webhook secret has {len(values)} keys; at most 2, new and old"
            )
        if any(len(each) < SHORTEST_KEY or not each.isascii() for each in values):
            raise KeysError(f"{name!r} of {source} has a key that is not {SHORTEST_KEY} or more ASCII characters")
    texts = {name: data.get(name, "") for name in ("organization", "entity")}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise KeysError(f"{name!r} of {source} in the webhook secret must be a text")
    return SourceKeys(tuple(lists["signing"]), tuple(lists["keys"]), **texts)


@dataclass(slots=True)
class Keyring:
    """The keys, read anew every few minutes; those read last while they cannot be. Thread-safe."""

    read: Callable[[], str]
    """The secret's text."""
    on_failure: Callable[[Exception], None]
    clock: Callable[[], float] = time.monotonic
    _keys: dict[str, SourceKeys] | None = None
    _until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, source: str) -> SourceKeys | None:
        """The keys of a source; None if it is not set up. Raises what reading raises while there are none at all."""
        with self._lock:
            if self._keys is None or self.clock() >= self._until:
                self._renew()
            return self._keys.get(source) if self._keys else None

    def _renew(self) -> None:
        try:
            self._keys = read_keys(self.read())
            self._until = self.clock() + CACHE_SECONDS
        except Exception as error:
            if self._keys is None:
                raise
            self.on_failure(error)
            self._until = self.clock() + AGAIN_SECONDS


def sign(key: str, timestamp: str, body: bytes) -> str:
    """The signature of a body: Base64 of HMAC-SHA256 over `timestamp.body`."""
    return base64.b64encode(hmac.digest(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256)).decode()


def check_signature(request: WebhookRequest, keys: SourceKeys, *, now: float) -> None:
    """Raises WebhookRefusedError unless the body is signed, now, with one of the keys."""
    timestamp = request.headers.get(TIMESTAMP_HEADER, "")
    signature = request.headers.get(SIGNATURE_HEADER, "")
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise WebhookRefusedError(401, "no timestamp in seconds")
    # The signature first: who has no key learns nothing of our clock.
    if not _is_one_of(signature, (sign(key, timestamp, request.body) for key in keys.signing)):
        raise WebhookRefusedError(401, "wrong signature")
    if abs(now - int(timestamp)) > SKEW_SECONDS:
        raise WebhookRefusedError(401, "stale or early timestamp")


def check_key(request: WebhookRequest, keys: SourceKeys) -> None:
    """Raises WebhookRefusedError unless the address or a header carries one of the keys."""
    given = request.headers.get(KEY_HEADER) or request.query.get(KEY_PARAMETER) or ""
    if not _is_one_of(given, keys.keys):
        raise WebhookRefusedError(401, "wrong key")


def check_organization(given: str, keys: SourceKeys) -> None:
    """Raises WebhookRefusedError unless the id, of 15 characters or of 18, is that of the organization."""
    ours = keys.organization[:15]
    if (
        not ours
        or len(given) not in {15, 18}
        or not hmac.compare_digest(given[:15].encode(errors="replace"), ours.encode())
    ):
        raise WebhookRefusedError(401, "wrong organization")


def _is_one_of(given: str, valid: Iterable[str]) -> bool:
    """Takes as long whichever it is: all are compared, also after one that is equal."""
    written = given.encode(errors="replace")
    return sum(hmac.compare_digest(written, each.encode()) for each in valid) > 0
