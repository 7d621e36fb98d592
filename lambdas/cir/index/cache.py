"""The cache: identifier → contact and contact → profile in Redis or Valkey, read in one round trip by a script.

Keys carry no personal data: an identifier is a keyed hash, a contact its Genesys id. All keys of a deployment share one
hash tag and so one slot, because the second hop's key is known only to the server. ElastiCache Serverless serves 30,000
ECPUs a second from one slot; a lookup takes 2-4, so one deployment is good for several thousand calls a second.

Entries are versioned by what the tables count (an identifier's `version`, a contact's `generation`); the stream
consumer leaves the new version behind as a floor: a reader slower than the change cannot bring the old one back.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.retry import Retry

from cir.identity.identifiers import Identifier
from cir.identity.records import Contact, Profile

_READ = Path(__file__).with_name("cache_read.lua").read_text(encoding="utf-8")
_WRITE = Path(__file__).with_name("cache_write.lua").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """Times in seconds."""

    fresh: float = 300.0
    """How long an entry answers by itself."""
    fresh_negative: float = 60.0
    """How long "nobody has this identifier" answers by itself."""
    refresh_window: float = 20.0
    """How long before that one caller reads the table again while all others are still answered from here."""
    keep: float = 86_400.0
    """How long an entry is kept to answer from when the tables cannot."""
    floor: float = 60.0
    """How long an invalidation keeps late writers out: far longer than any resolver's budget."""
    lease: float = 0.5
    """How long one caller may take to read the table before another one does."""
    timeout: float = 0.05
    connect_timeout: float = 0.1
    retry_after: float = 2.0
    """How long a cache that failed is left alone, so that its timeouts do not eat every caller's budget."""


DEFAULT_LIMITS = CacheLimits()


@dataclass(frozen=True, slots=True)
class Candidates:
    """Whom an identifier leads to."""

    contact_ids: tuple[str, ...] = ()
    """Canonical contacts; empty for an unknown identifier and for a generic one."""
    count: int = 0
    """Distinct contacts, of a generic identifier too."""
    generic: bool = False
    ask_for: str = ""
    """What would separate the candidates best."""
    faded: bool = False
    """The evidence is too old to contradict any other."""
    to_confirm: bool = False
    """It is worth noting when the identifier is seen to be the contact's once more."""


@dataclass(frozen=True, slots=True)
class Cached[Value]:
    """A value read from the cache."""

    value: Value
    fresh: bool


@dataclass(frozen=True, slots=True)
class CacheAnswer:
    """What the cache knows of one identifier."""

    candidates: Cached[Candidates] | None
    contact: Cached[Contact] | None
    """The canonical contact, where there is exactly one candidate. Without its identifiers: routing needs none."""
    lease: bool
    """This caller is the one that should read the table and put what it finds."""


class CacheUnavailableError(Exception):
    """The cache did not answer, or is left alone since it did not."""


class Cache:
    """One connection. Not thread-safe: a Lambda serves one event at a time."""

    def __init__(
        self,
        url: str,
        *,
        environment: str,
        hash_key: bytes,
        limits: CacheLimits = DEFAULT_LIMITS,
        credentials: CredentialProvider | None = None,
    ) -> None:
        self._url = url
        self._credentials = credentials
        self._hash_key = hash_key
        self._limits = limits
        self._prefix = f"{{cir:{environment}}}"
        self._client: redis.Redis | None = None
        self._closed_until = 0.0

    def identifier_key(self, identifier: Identifier) -> str:
        """The key of an identifier's entry. The hash's key makes it useless to somebody who can only guess numbers."""
        digest = hashlib.blake2b(identifier.key.encode(), key=self._hash_key, digest_size=16).hexdigest()
        return f"{self._prefix}i:{digest}"

    def contact_key(self, contact_id: str) -> str:
        return f"{self._prefix}c:{contact_id}"

    def read(self, identifiers: Sequence[Identifier], contact_ids: Sequence[str] = ()) -> list[CacheAnswer]:
        """One answer per identifier, then one per contact id, in one round trip. Raises CacheUnavailableError."""
        keys = [self.identifier_key(each) for each in identifiers] + [self.contact_key(each) for each in contact_ids]
        if not keys:
            return []
        limits = self._limits
        now, *reply = self._run(
            _READ,
            keys,
            [f"{self._prefix}c:", round(limits.lease * 1000), round(limits.refresh_window * 1000)],
        )
        quads = [reply[start : start + 4] for start in range(0, len(reply), 4)]
        answers = [_identifier_answer(now, quad) for quad in quads[: len(identifiers)]]
        asked = zip(contact_ids, quads[len(identifiers) :], strict=True)
        return answers + [_contact_answer(now, contact_id, quad) for contact_id, quad in asked]

    def put(
        self,
        candidates: Mapping[Identifier, tuple[int, Candidates]],
        contacts: Iterable[Contact],
    ) -> None:
        """Write what was read from the tables, in one round trip: identifiers with their versions, and contacts.

        Older versions than the cache has are ignored. Raises CacheUnavailableError.
        """
        now = round(time.time() * 1000)
        fresh = now + round(self._limits.fresh * 1000)
        fresh_negative = now + round(self._limits.fresh_negative * 1000)
        entries: dict[str, tuple[int, str]] = {}
        for identifier, (version, found) in candidates.items():
            only = found.contact_ids[0] if len(found.contact_ids) == 1 else ""
            entries[self.identifier_key(identifier)] = (
                version,
                f"{version}:{fresh if found.count else fresh_negative}:{only}:{_dump(asdict(found))}",
            )
        for contact in contacts:
            entries[self.contact_key(contact.contact_id)] = (
                contact.generation,
                f"{contact.generation}:{fresh}:{contact.merged_into}:{_dump(asdict(contact.profile))}",
            )
        self._put(entries, self._limits.keep)

    def invalidate(self, *, identifiers: Mapping[Identifier, int], contacts: Mapping[str, int]) -> None:
        """Forget everything older than the given versions. Raises CacheUnavailableError.

        Only the consumer of the tables' streams calls this.
        """
        versions = {self.identifier_key(identifier): version for identifier, version in identifiers.items()}
        versions |= {self.contact_key(contact_id): generation for contact_id, generation in contacts.items()}
        self._put({key: (version, f"{version}:0::") for key, version in versions.items()}, self._limits.floor)

    def forget(self, identifiers: Iterable[Identifier]) -> None:
        """Drop entries of identifiers that are unchanged themselves but whose contacts were merged."""
        keys = [self.identifier_key(identifier) for identifier in identifiers]
        if keys:
            self._guard(lambda client: client.delete(*keys))

    def warm_up(self) -> bool:
        """Connect and load the scripts ahead of the first lookup. False when the cache cannot be reached."""
        try:
            self._guard(lambda client: [client.script_load(script) for script in (_READ, _WRITE)])
        except CacheUnavailableError:
            return False
        return True

    def disconnect(self) -> None:
        """Close the connection; the next command opens another, also if this one had failed a moment ago."""
        if self._client:
            self._client.close()
        self._client = None
        self._closed_until = 0.0

    def _put(self, entries: Mapping[str, tuple[int, str]], keep: float) -> None:
        if entries:
            flat = [part for version_and_value in entries.values() for part in version_and_value]
            self._run(_WRITE, list(entries), [round(keep * 1000), *flat])

    def _run(self, script: str, keys: list[str], arguments: list[str | int]) -> Any:
        leases = [f"{key}:lease" for key in keys]
        return self._guard(lambda client: _evaluate(client, script, keys + leases, arguments))

    def _guard[Result](self, command: Callable[[redis.Redis], Result]) -> Result:
        if time.monotonic() < self._closed_until:
            raise CacheUnavailableError("left alone after a failure")
        try:
            self._client = self._client or _connect(self._url, self._limits, self._credentials)
            return command(self._client)
        except (redis.RedisError, OSError) as error:
            self._closed_until = time.monotonic() + self._limits.retry_after
            raise CacheUnavailableError(type(error).__name__) from error


def _connect(url: str, limits: CacheLimits, credentials: CredentialProvider | None) -> redis.Redis:
    """A client for one caller at a time: without the pool's bookkeeping a call takes 0.7 of the time (measured).

    It is the plain client although the cache is in cluster mode: all keys are in one slot, and the cluster client is
    six times slower (measured). A broken connection is opened anew once; a slow cache is not asked twice.
    """
    return redis.Redis.from_url(
        url,
        credential_provider=credentials,
        decode_responses=True,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        single_connection_client=True,
        socket_connect_timeout=limits.connect_timeout,
        socket_timeout=limits.timeout,
    )


def _evaluate(client: redis.Redis, script: str, keys: list[str], arguments: list[str | int]) -> Any:
    try:
        return client.evalsha(_sha1(script), len(keys), *keys, *arguments)
    except redis.exceptions.NoScriptError:
        return client.eval(script, len(keys), *keys, *arguments)


@cache
def _sha1(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


def _identifier_answer(now: int, quad: Sequence[Any]) -> CacheAnswer:
    entry, contact_id, contact, lease = quad
    if not entry:
        return CacheAnswer(None, None, bool(lease))
    _, fresh_until, _, body = entry.split(":", 3)
    found = json.loads(body)
    candidates = Candidates(**{**found, "contact_ids": tuple(found["contact_ids"])})
    return CacheAnswer(
        Cached(candidates, fresh=now < int(fresh_until)),
        _contact(now, contact_id, contact) if contact else None,
        bool(lease),
    )


def _contact_answer(now: int, asked_id: str, quad: Sequence[Any]) -> CacheAnswer:
    entry, contact_id, contact, lease = quad
    head_id, head = (contact_id, contact) if contact_id else (asked_id, entry)
    return CacheAnswer(None, _contact(now, head_id, head) if head else None, bool(lease))


def _contact(now: int, contact_id: str, entry: str) -> Cached[Contact]:
    generation, fresh_until, _, body = entry.split(":", 3)
    contact = Contact(contact_id, Profile.from_item(json.loads(body)), generation=int(generation))
    return Cached(contact, fresh=now < int(fresh_until))


def _dump(body: Mapping[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
