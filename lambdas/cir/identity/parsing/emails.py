"""E-mail addresses: as given but for the domain, beside the key by which two spellings of one mailbox are equal."""

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

from cir.identity.identifiers import (
    MAX_VALUE,
    Identifier,
    Parsed,
    Reason,
    Refusal,
    refuse_malformed,
    refuse_placeholder,
)
from cir.identity.parsing.cleaning import clean
from cir.identity.rules import IdentifierType, load_rules

_COMMENT = re.compile(r" \([^()@]*\)\Z")
_LABEL = re.compile(r"(?:mailto:(?://)?|e-?mail:)\s*", re.IGNORECASE)
_AROUND = " \"'(),;:[]"
"""What quoting and lists leave around an address; none of it can begin or end one that this module accepts."""
_DIGITS = "0123456789"
_SEPARATORS = re.compile(r"[-_.]+")
_MACHINE = re.compile(
    r"(?:.*[-_.])?(?:no|do[-_.]?not|dont)[-_.]?repl(?:y|ies)(?:\d*\Z|[-_.+=])"
    r"|reply[+=]|(?:ms)?prvs1?=|btv1=|srs[01][=+-]|.*\bbounces?(?:\Z|[-_.+=])|[^=@]+=[a-z0-9-]+(?:\.[a-z0-9-]+)+\Z"
    r"|.*\+caf_=|(?:postmaster|mailer[-_.]?daemon)(?:\d*\Z|[-_.+=])|auto-?(?:repl(?:y|ies)|respon(?:se|der))\b",
    re.IGNORECASE,
)
"""Senders that mail servers make up: a no-reply with a number, bounces, BATV (`prvs=`, `btv1=`), SRS (`SRS0=`), Gmail's
forwarding (`ann+caf_=bob=example.com@`, which is Ann's while the sender is another), and VERP, which has the
recipient's own address before the @ (`list-ann=example.com@`)."""
_ACCENT = re.compile(r"[\u0300-\u036f]")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "đ": "d"})
_LOCAL = re.compile(r"(?!\.)(?!.*\.\.)[^\s@<>()\[\],;:\\\"\ufffd]{1,64}(?<!\.)")
_DOMAIN = re.compile(
    r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!invalid$)(?:[a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9])"
)


def parse_email(text: str) -> Parsed:
    kind = IdentifierType.EMAIL
    address = _address(text)
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or not local.isprintable():
        return refuse_malformed(kind, "one e-mail address")
    domain = _ascii_domain(domain)
    if not domain or len(local) + len(domain) + 1 > MAX_VALUE:
        return refuse_malformed(kind, "an e-mail address with a possible domain")
    match = _match(local, domain)
    rules = load_rules()
    name = _mailbox(match)
    if match in rules.placeholder_emails or name in rules.placeholder_email_locals:
        return refuse_placeholder(kind)
    if _plain(name) in rules.machine_email_locals or _MACHINE.match(local):
        return Refusal(kind, Reason.PLACEHOLDER, "the address of a machine (no-reply, bounces), which is no customer")
    return Identifier(kind, match, f"{local}@{domain}")


def is_functional(match: str) -> bool:
    """Whether an address, by its match key, is a function's and not a person's: `info@`, `vertrieb@`, `sales.team2@`.

    So is one of nothing but such words, numbers, and codes of a country or language: `support-de@`, `info.2@`.
    """
    mailbox, words = _plain(_mailbox(match)), load_rules().functional_email_locals
    if mailbox in words:
        return True
    parts = [part.rstrip(_DIGITS) for part in mailbox.split("-")]
    return any(part in words for part in parts) and all(len(part) in {0, 2} or part in words for part in parts)


def _mailbox(match: str) -> str:
    """The part before the @ without what some write behind a plus, and written in one way."""
    return _SEPARATORS.sub("-", match.partition("@")[0].partition("+")[0]) or match.partition("@")[0]


def _plain(word: str) -> str:
    """Without accents, as most write their words in an address."""
    if word.isascii():
        return word
    return _ACCENT.sub("", unicodedata.normalize("NFKD", word.translate(_LETTERS)))


def _address(text: str) -> str:
    """The address inside a mailto: URI, a name-addr or plain text; empty where it could be one of several."""
    before, angle, rest = text.partition("<")
    if angle:
        address, _, after = rest.partition(">")
        # Outlook repeats the address as the display name; a different one is a second address
        if "@" in after or "@" in before.casefold().replace(address.strip().casefold(), ""):
            return ""
    else:
        address = text
    address = _COMMENT.sub("", address.strip()).strip(_AROUND)
    label = _LABEL.match(address)
    if label:
        address = address[label.end() :].partition("?")[0]
        address = clean(unquote(address)) if label.group().casefold().startswith("mailto") else address
    return address.strip(_AROUND).rstrip(".!")


def _ascii_domain(domain: str) -> str:
    """The domain in lower case and IDNA form; empty when it is none."""
    domain = domain.rstrip(".")
    domain = (domain if domain.isascii() else _punycode(domain)).lower()
    return domain if _DOMAIN.fullmatch(domain) else ""


@lru_cache(10_000)  # 60 µs a domain, of which a base has far fewer than addresses
def _punycode(domain: str) -> str:
    import idna  # noqa: PLC0415 - 10 ms of import that hardly any address needs

    try:
        return idna.encode(domain, uts46=True).decode()
    except UnicodeError:  # idna.IDNAError is one
        return ""


def _match(local: str, domain: str) -> str:
    """Lower case, not case folding: that would make strasse@ of straße@, which are two mailboxes."""
    provider = load_rules().mail_providers.get(domain)
    match = unicodedata.normalize("NFKC", local.lower())
    if provider:
        domain = provider.domain
        if provider.ignores_dots:
            match = match.replace(".", "")
        if provider.ignores_tags:
            match = match.partition("+")[0] or match
    return f"{match}@{domain}"
