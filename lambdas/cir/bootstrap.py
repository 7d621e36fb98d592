"""What a Genesys organization needs before contacts can be written: external sources, custom fields, queues."""

from cir.external_contacts import SCHEMA_FIELDS, SCHEMA_NAME, Organization
from cir.genesys.client import GenesysClient
from cir.genesys.errors import ConfigurationError
from cir.mapping import CrmMapping
from cir.rules import load_rules


def prepare(client: GenesysClient, mapping: CrmMapping) -> Organization:
    """Create what is missing and return what contacts refer to. Can be run again at any time.

    Queues are looked up, not created. Raises ConfigurationError naming those that the mapping expects and that do not
    exist, and GenesysError.
    """
    rules = load_rules()
    queues = {tier: client.organization.queue_named(name) for tier, name in mapping.queues.items()}
    missing = sorted(mapping.queues[tier] for tier, queue in queues.items() if queue is None)
    if missing:
        raise ConfigurationError(
            f"Genesys Cloud has no queue named {', '.join(missing)}. Create it, or mend `queues` in the mapping file."
        )
    return Organization(
        source_ids={
            key: client.organization.ensure_external_source(rules.external_sources[key].name) for key in mapping.sources
        },
        schema=client.organization.ensure_schema(SCHEMA_NAME, SCHEMA_FIELDS),
        queue_ids={tier: queue.id for tier, queue in queues.items() if queue},
    )


def source_ids(client: GenesysClient) -> dict[str, str]:
    """Our key of each external source that Genesys has → its id. Raises GenesysError."""
    rules = load_rules()
    keys = ((rules.source_named(source.name), source) for source in client.organization.external_sources())
    return {key: source.id for key, source in keys if key and source.active}
