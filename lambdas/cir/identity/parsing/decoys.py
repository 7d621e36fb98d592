"""What stands where an id should be and is nobody's: words of people and programs, unfilled templates, typed digits."""

import re

from cir.identity.identifiers import Refusal, refuse_placeholder
from cir.identity.rules import IdentifierType, load_rules

_TEMPLATE = re.compile(
    r"\$!?\{.*\}|\{\{.*\}\}|\{![^{}]*\}|\{%.*%\}|<%.*%>|%%[^%]+%%|\[\[.*\]\]|\$\([^()]*\)", re.DOTALL
)
"""Of Velocity and shells, Handlebars and Liquid, Salesforce, Jinja, ERB, Marketing Cloud, and mail merges."""
_SEPARATORS = re.compile(r"[-\s./]+")
_SHORTEST_REPEAT, _SHORTEST_SEQUENCE = 4, 5
"""Digits. Shorter ones may well have been issued: a small shop counts its customers from 1."""
_UP, _DOWN = "01234567890123456789", "98765432109876543210"


def refuse_decoy_id(text: str, *, is_record_key: bool) -> Refusal | None:
    """Why an id identifies nobody; None if it may. A record's own key is refused only where a program has failed."""
    kind, folded = IdentifierType.EXTERNAL, text.casefold()
    rules = load_rules()
    if folded in rules.error_ids:
        return refuse_placeholder(kind)
    if _TEMPLATE.search(text):
        return Refusal(kind, refuse_placeholder(kind).reason, "an unfilled template, such as ${id}, and no id")
    if is_record_key:
        return None
    if folded in rules.placeholders or folded in rules.placeholder_ids or _is_typed_to_fill(folded):
        return refuse_placeholder(kind)
    return None


def _is_typed_to_fill(text: str) -> bool:
    """One digit again and again, or digits in the order of the keyboard."""
    digits = _SEPARATORS.sub("", text)
    if not (digits.isascii() and digits.isdecimal()):
        return False
    repeated = len(digits) >= _SHORTEST_REPEAT and len(set(digits)) == 1
    return repeated or (len(digits) >= _SHORTEST_SEQUENCE and (digits in _UP or digits in _DOWN))
