"""What a Genesys organization needs before contacts can be written: external sources, custom fields, queues."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cir.crm.mapping import CrmMapping
from cir.crm.record import MAX_PROFILE_TEXT
from cir.genesys.client import GenesysClient
from cir.genesys.errors import ConfigurationError
from cir.genesys.models import SchemaReference
from cir.identity.rules import load_rules

SCHEMA_NAME = "Customer identity"
SCHEMA_FIELDS: dict[str, dict[str, Any]] = {
    name: {
        "title": title,
        "allOf": [{"$ref": "#/definitions/text"}],
        "minLength": 0,
        "maxLength": MAX_PROFILE_TEXT,
    }
    for name, title in {
        "customerTier": "Customer tier",
        "accountStatus": "Account status",
        "preferredLanguage": "Preferred language",
        "assignedQueueId": "Assigned queue",
    }.items()
}
SOURCES_AGAIN_SECONDS = 300.0
"""How soon a source that was not there is looked for again: it may be set up while a warm function lives on."""


@dataclass(frozen=True, slots=True)
class Organization:
    """What contacts refer to in one Genesys organization."""

    source_ids: Mapping[str, str]
    """Our key of an external source → its id."""
    schema: SchemaReference
    queue_ids: Mapping[str, str]
    """Customer tier → id of its queue."""


def prepare(client: GenesysClient, mapping: CrmMapping) -> Organization:
    """Create what is missing and return what contacts refer to. Can be run again at any time.

    Queues are looked up, not created. Raises ConfigurationError naming those that the mapping expects and that do not
    exist, and GenesysError.
    """
    rules = load_rules()
    queues = {name: client.organization.queue_named(name) for name in dict.fromkeys(mapping.queues.values())}
    missing = sorted(name for name, queue in queues.items() if queue is None)
    if missing:
        raise ConfigurationError(
            f"Genesys Cloud has no queue named {', '.join(missing)}. Create it, or mend `queues` in the mapping file."
        )
    return Organization(
        source_ids={
            key: client.organization.ensure_external_source(rules.external_sources[key].name) for key in mapping.sources
        },
        schema=client.organization.ensure_schema(SCHEMA_NAME, SCHEMA_FIELDS),
        queue_ids={tier: queue.id for tier, name in mapping.queues.items() if (queue := queues[name])},
    )


@dataclass(slots=True)
class ExternalSources:
    """The external sources that one organization has, for functions that do not create any. Thread-safe."""

    client: GenesysClient
    clock: Callable[[], float] = time.monotonic
    _ids: dict[str, str] = field(default_factory=dict)
    _read_at: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ids(self, *, needed: str = "", client: GenesysClient | None = None) -> Mapping[str, str]:
        """Our key of each source → its id in Genesys. Raises GenesysError.

        Read once, and again after SOURCES_AGAIN_SECONDS when the key `needed` is not among them. `client` is a view
        with a deadline.
        """
        with self._lock:
            now = self.clock()
            client = client or self.client
            if self._read_at is None or (
                needed and needed not in self._ids and now >= self._read_at + SOURCES_AGAIN_SECONDS
            ):
                rules = load_rules()
                found = ((rules.source_named(each.name), each) for each in client.organization.external_sources())
                self._ids = {key: source.id for key, source in found if key and source.active}
                self._read_at = now
            return self._ids
