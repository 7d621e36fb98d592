"""An identifier as Genesys Cloud writes it, and back."""

from collections.abc import Mapping
from typing import Any

from cir.genesys.models import ContactIdentifier
from cir.identity.identifiers import Identifier, Parsed
from cir.identity.parsing import SALESFORCE_SHORT, parse
from cir.identity.rules import IdentifierType, load_rules


def to_genesys(identifier: Identifier, source_ids: Mapping[str, str]) -> ContactIdentifier:
    """The Genesys `ContactIdentifier` of an identifier.

    `source_ids` maps an external source's key to its id in Genesys; a missing one raises KeyError.
    Genesys takes phones as E.164 with the plus and WhatsApp numbers without it. An extension is no identifier there:
    what is given is its number (see `held_by_genesys`).
    """
    identifier = identifier.switchboard or identifier
    body: ContactIdentifier = {
        "type": load_rules().identifiers[identifier.type].genesys_type,
        "value": identifier.value.removeprefix("+") if identifier.type is IdentifierType.WHATSAPP else identifier.value,
    }
    if identifier.type is IdentifierType.EXTERNAL:
        body["externalSource"] = {"id": source_ids[identifier.source]}
    return body


def forms_in_genesys(identifier: Identifier, source_ids: Mapping[str, str]) -> list[ContactIdentifier]:
    """Every form in which Genesys may hold an identifier; first the one that is written.

    Whoever loaded an organization before may have written the 15 characters of a Salesforce id, which are the first of
    the 18 in their own case. `source_ids` as for `to_genesys`.
    """
    written = to_genesys(identifier, source_ids)
    source = load_rules().external_sources.get(identifier.source)
    if source is None or source.format != "salesforce":
        return [written]
    return [written, {**written, "value": identifier.value[:SALESFORCE_SHORT]}]


def held_by_genesys(identifier: Identifier) -> bool:
    """Whether Genesys can have it as an identifier by itself: an extension is only a part of a contact's number."""
    return not identifier.extension


def from_genesys(body: Mapping[str, Any], source_keys: Mapping[str, str]) -> Parsed | None:
    """The identifier in a Genesys `ContactIdentifier`; None for a type that is not ours.

    `source_keys` maps the id of an external source in Genesys to its key.
    """
    kind = next(
        (kind for kind, rule in load_rules().identifiers.items() if rule.genesys_type == body.get("type")), None
    )
    if kind is None:
        return None
    value = body.get("value")
    if kind is IdentifierType.WHATSAPP and isinstance(value, str) and value:
        value = "+" + value.removeprefix("+")
    source = body.get("externalSource")
    source_id = str(source.get("id")) if isinstance(source, Mapping) else ""
    return parse(kind, value, source=source_keys.get(source_id, ""))
