"""An identifier as Genesys Cloud writes it."""

from collections.abc import Mapping

from cir.genesys.models import ContactIdentifier
from cir.identity.identifiers import Identifier
from cir.identity.rules import IdentifierType, load_rules


def to_genesys(identifier: Identifier, source_ids: Mapping[str, str]) -> ContactIdentifier:
    """The Genesys `ContactIdentifier` of an identifier.

    `source_ids` maps an external source's key to its id in Genesys; a missing one raises KeyError.
    Genesys takes phones as E.164 with the plus and WhatsApp numbers without it.
    """
    body: ContactIdentifier = {
        "type": load_rules().identifiers[identifier.type].genesys_type,
        "value": identifier.value.removeprefix("+") if identifier.type is IdentifierType.WHATSAPP else identifier.value,
    }
    if identifier.type is IdentifierType.EXTERNAL:
        body["externalSource"] = {"id": source_ids[identifier.source]}
    return body
