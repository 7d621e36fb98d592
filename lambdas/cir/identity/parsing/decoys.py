"""What stands where an id should be and is nobody's: words of people and programs, unfilled templates, typed digits."""

import re
import unicodedata

from cir.identity.identifiers import Refusal, refuse_placeholder
from cir.identity.rules import IdentifierType, load_rules

_TEMPLATE = re.compile(
    r"[$#@]!?\{.*\}|\{\{|\}\}|\$!?\{|\{![^{}]*\}|\{%.*%\}|<%.*%>|%%[^%]+%%|\[\[.*\]\]|[$@]\([^()]*\)|\$\[[^\[\]]*\]"
    r"|\*\|.*\|\*|<<.*>>|«.*»"
    # of the whole text, as these may be part of an id
    r"|\A(?:\{[\w .]*\}|%[\w .]*%|%[sd]|\$!?[a-z_][\w.]*|[\[<][\w .]*[\]>]|__\w+__)\Z",
    re.DOTALL | re.IGNORECASE,
)
"""Of Velocity and shells, Handlebars and Liquid, Salesforce, Jinja, ERB, Ruby, Power Automate, Marketing Cloud,
Mailchimp and mail merges."""
_WITH_NOTHING = re.compile(r"(?:\A|[^a-z])(?:null|undefined)(?:\Z|[^a-z])")
"""A program has joined what it had with what it had not: `LOY-null`."""
_DESTROYED = re.compile(r"-?\d(?:[.,]\d*)?e\+\d{1,3}", re.IGNORECASE)
"""A long number as a spreadsheet shows it: all numbers that begin alike are equal from then on."""
_SEPARATORS = re.compile(r"[-\s./_]+")
_AROUND = " \"'`()[]<>.-_"
_SHORTEST_REPEAT, _SHORTEST_SEQUENCE = 4, 5
"""Characters. Shorter ones may well have been issued: a small shop counts its customers from 1."""
_UP, _DOWN = "01234567890123456789", "98765432109876543210"


def refuse_decoy_id(text: str, *, is_record_key: bool) -> Refusal | None:
    """Why an id identifies nobody; None if it may. A record's own key is refused only where a program has failed."""
    kind, folded = IdentifierType.EXTERNAL, text.casefold()
    rules = load_rules()
    said = {folded, _SEPARATORS.sub(" ", folded.strip(_AROUND))}
    if said & rules.error_ids or _WITH_NOTHING.search(folded):
        return refuse_placeholder(kind)
    if _TEMPLATE.search(text):
        return Refusal(kind, refuse_placeholder(kind).reason, "an unfilled template, such as ${id}, and no id")
    if _DESTROYED.fullmatch(text):
        return Refusal(kind, refuse_placeholder(kind).reason, "a number that a spreadsheet has rounded, and no id")
    if is_record_key:
        return None
    if said & (rules.placeholders | rules.placeholder_ids) or _is_typed_to_fill(folded):
        return refuse_placeholder(kind)
    return None


def _is_typed_to_fill(text: str) -> bool:
    """One character again and again, nothing but marks, or digits in the order of the keyboard."""
    typed = "".join(str(unicodedata.decimal(each, each)) for each in _SEPARATORS.sub("", text))
    if not any(map(str.isalnum, typed)) or not typed.strip("0"):
        return True
    repeated = len(typed) >= _SHORTEST_REPEAT and len(set(typed)) == 1
    return repeated or (len(typed) >= _SHORTEST_SEQUENCE and (typed in _UP or typed in _DOWN))
