"""The cache: identifier → contact and contact → profile in Redis or Valkey, read in one round trip by a script.

Keys carry no personal data: an identifier is a keyed hash, a contact its Genesys id. All keys of a deployment share one
hash tag and so one slot, because the second hop's key is known only to the server. ElastiCache Serverless serves 30,000
ECPUs a second from one slot; a lookup takes 2-4, so one deployment is good for several thousand calls a second.

Entries are versioned by what the tables count (an identifier's `version`, a contact's `generation`). The stream's
consumer leaves a floor behind, with the new version and the time. What was read before that time, or so soon after it
that only a consistent read is sure to have seen the change, is not taken: no slow reader brings back what was.

The keys carry the format of the entries (`FORMAT`), so that a release with another one has entries of its own while
both run; what the release before has in the cache is made old by this one, too.
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
_FLOOR = Path(__file__).with_name("cache_floor.lua").read_text(encoding="utf-8")
FORMAT = 2
"""Raised with every change of what an entry holds."""
_OTHER_ROLE = (
    redis.ReadOnlyError,
    redis.BusyLoadingError,
    redis.AuthenticationError,
    redis.exceptions.AskError,
    redis.exceptions.MovedError,
    redis.exceptions.ClusterDownError,
)
"""What a server answers that has another role than when it was connected to, or has forgotten who is connected."""


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
    unproven: tuple[str, ...] = ()
    """Those of the contacts that have it on a caller's word alone."""
    shared: bool = False
    """Others have it as well, so that it never decides."""
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
    read_at: int = 0
    """The cache's own time, in µs: what is read from the tables from now on began no earlier."""
    just_changed: bool = False
    """It was made old so lately that only a consistent read of the tables is sure to see why."""


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
        return f"{self._prefix}i{FORMAT}:{digest}"

    def contact_key(self, contact_id: str) -> str:
        return f"{self._prefix}c{FORMAT}:{contact_id}"

    def read(self, identifiers: Sequence[Identifier], contact_ids: Sequence[str] = ()) -> list[CacheAnswer]:
        """One answer per identifier, then one per contact id, in one round trip. Raises CacheUnavailableError."""
        keys = [self.identifier_key(each) for each in identifiers] + [self.contact_key(each) for each in contact_ids]
        if not keys:
            return []
        limits = self._limits
        now, *reply = self._run(
            _READ,
            keys,
            [self.contact_key(""), round(limits.lease * 1000), _microseconds(limits.refresh_window)],
        )
        values = [reply[start : start + 6] for start in range(0, len(reply), 6)]
        since = now - _microseconds(limits.floor)
        answers = [_identifier_answer(now, since, each) for each in values[: len(identifiers)]]
        answers += (
            _contact_answer(now, since, contact_id, each)
            for contact_id, each in zip(contact_ids, values[len(identifiers) :], strict=True)
        )
        return answers

    def put(
        self,
        candidates: Mapping[Identifier, tuple[int, Candidates]],
        contacts: Iterable[Contact],
        *,
        began: int = 0,
        consistent: bool = False,
    ) -> None:
        """Write what was read from the tables, in one round trip: identifiers with their versions, and contacts.

        `began` is the `read_at` of the answer after which the tables were read, `consistent` how. What the cache knows
        to be older than what it has is ignored. Raises CacheUnavailableError.
        """
        now = _microseconds(time.time())
        fresh = now + _microseconds(self._limits.fresh)
        fresh_negative = now + _microseconds(self._limits.fresh_negative)
        entries: dict[str, tuple[int, int, str]] = {}
        for identifier, (version, found) in candidates.items():
            only = found.contact_ids[0] if len(found.contact_ids) == 1 else ""
            entries[self.identifier_key(identifier)] = (
                version,
                1,  # its contacts may have changed, and it has not
                f"{fresh if found.count else fresh_negative}:{only}:{_dump(asdict(found))}",
            )
        for contact in contacts:
            entries[self.contact_key(contact.contact_id)] = (
                contact.generation,
                0,
                f"{fresh}:{contact.merged_into}:{_dump(asdict(contact.profile))}",
            )
        if not entries:
            return
        arguments = [round(self._limits.keep * 1000), began, int(consistent), _microseconds(self._limits.floor)]
        flat = [part for entry in entries.values() for part in entry]
        self._run(_WRITE, list(entries), [*arguments, *flat])

    def invalidate(self, *, identifiers: Mapping[Identifier, int], contacts: Mapping[str, int]) -> None:
        """Forget everything older than the given versions. Raises CacheUnavailableError.

        Only the consumer of the tables' streams calls this.
        """
        versions = {self.identifier_key(identifier): version for identifier, version in identifiers.items()}
        versions |= {self.contact_key(contact_id): generation for contact_id, generation in contacts.items()}
        self._leave_floors(versions)

    def forget(self, identifiers: Iterable[Identifier]) -> None:
        """Forget identifiers that are unchanged themselves but whose contacts were merged, made or removed."""
        self._leave_floors(dict.fromkeys(map(self.identifier_key, identifiers), -1))

    def _leave_floors(self, versions: Mapping[str, int]) -> None:
        if not versions:
            return
        arguments: list[str | int] = [round(self._limits.floor * 1000), *versions.values()]
        self._guard(lambda client: _evaluate(client, _FLOOR, list(versions), arguments))
        self._guard(lambda client: self._leave_former_floors(client, versions))

    def _leave_former_floors(self, client: redis.Redis, versions: Mapping[str, int]) -> None:
        """In the format of the release before (1), which may still be answering from its own entries."""
        with client.pipeline(transaction=False) as pipeline:
            for key, version in versions.items():
                former = key.replace(f"}}i{FORMAT}:", "}i:").replace(f"}}c{FORMAT}:", "}c:")
                if version < 0:
                    pipeline.delete(former)
                else:
                    pipeline.set(former, f"{version}:0::", px=round(self._limits.floor * 1000))
            pipeline.execute()

    def warm_up(self) -> bool:
        """Connect and load the scripts ahead of the first lookup. False when the cache cannot be reached."""
        try:
            self._guard(lambda client: [client.script_load(script) for script in (_READ, _WRITE, _FLOOR)])
        except CacheUnavailableError:
            return False
        return True

    def disconnect(self) -> None:
        """Close the connection; the next command opens another, also if this one had failed a moment ago."""
        if self._client:
            self._client.close()
        self._client = None
        self._closed_until = 0.0

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
            if isinstance(error, _OTHER_ROLE):
                # the address may lead to another server by now; this connection never does
                self.disconnect()
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


def _identifier_answer(now: int, since: int, values: Sequence[Any]) -> CacheAnswer:
    entry, contact_id, contact, fresh_until, changed, lease = values
    fresh, just_changed = now < int(fresh_until), changed > since
    candidates = _read_body(entry, _candidates)
    if candidates is None:
        return CacheAnswer(None, None, bool(lease), now, just_changed)
    known = Cached(candidates, fresh)
    return CacheAnswer(known, _contact(contact_id, contact, fresh=fresh), bool(lease), now, just_changed)


def _contact_answer(now: int, since: int, asked_id: str, values: Sequence[Any]) -> CacheAnswer:
    entry, contact_id, contact, fresh_until, changed, lease = values
    head_id, head = (contact_id, contact) if contact_id else (asked_id, entry)
    known = _contact(head_id, head, fresh=now < int(fresh_until))
    return CacheAnswer(None, known, bool(lease), now, changed > since)


def _contact(contact_id: str, entry: str, *, fresh: bool) -> Cached[Contact] | None:
    profile = _read_body(entry, lambda body: Profile(**body))
    if profile is None:
        return None
    return Cached(Contact(contact_id, profile, generation=int(entry.split(":", 1)[0])), fresh)


def _candidates(body: dict[str, Any]) -> Candidates:
    body["contact_ids"], body["unproven"] = tuple(body["contact_ids"]), tuple(body["unproven"])
    return Candidates(**body)


def _read_body[Value](entry: str, read: Callable[[dict[str, Any]], Value]) -> Value | None:
    """What an entry holds; None where there is none, or where something else has written it than this release."""
    if not entry:
        return None
    try:
        return read(json.loads(entry.split(":", 4)[4]))
    except (ValueError, TypeError, LookupError, AttributeError):
        return None


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _dump(body: Mapping[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
