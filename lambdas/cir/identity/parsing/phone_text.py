"""The one telephone number inside what networks, CRMs and people write around it."""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

from cir.identity.identifiers import Reason, Refusal, refuse_malformed, refuse_placeholder
from cir.identity.rules import IdentifierType, load_rules

_PLAIN = re.compile(r"(?:tel:)?(\+[1-9][0-9]{6,14})", re.IGNORECASE)
"""What networks send nearly always; the rest of the grammar costs four times as much as all else together."""
_SCHEME = re.compile(
    r"(?:tel|(?P<sip>sips?)|callto|sms|whatsapp):(?://)?(?:send/?\?phone=)?"
    r"|(?:https?://)?(?:wa\.me/|api\.whatsapp\.com/send/?\?phone=)",
    re.IGNORECASE,
)
_CONTEXT = re.compile(r";phone-context=(\+[\d().-]+)", re.IGNORECASE)
_PARAMETERS = re.compile(r";\s*(?!ext\b|phone-context\b)[a-z][a-z0-9-]*(?:=[^;,<>]*)?(?=\Z|;\s*[a-z])", re.IGNORECASE)
"""What a URI says beside the number, which some networks pass on without the scheme: `;verstat=…`, `;user=phone`."""
_SECOND_ADDRESS = re.compile(r"[;,]\s*(?:[+(]|\d{7}|\w+:)")
_URI_END = re.compile(r"[;:?&]|/$")
_ENCODED_PLUS = re.compile(r"\s*%2B", re.IGNORECASE)
_AROUND = " \"'`="
"""What quoting, and a spreadsheet's `="…"`, leave around a value."""
_NOT_WORD = re.compile(r"[\W_]+")
_NOT_DIGIT = re.compile(r"\D+")
_FLOAT = re.compile(r"(\+?\d{7,15})\.0")
"""A number that passed through a spreadsheet: its `.0` is not a digit of it."""

_SEPARATORS = r"[- ().\[\]/~·‐-―−]"
_WORDS = (
    r"(?:tel(?:e(?:phone|fono|fon|foon))?|téléphone|tél|teléfono|phone|ph|mob(?:ile|il)?|móvil|cell(?:ulare)?|celular|handy"
    r"|portable|home|casa|domicile|privat[eo]?|work|office|oficina|bureau|fixe|trabajo|landline|main|direct|[tmpchw])"
)
_EXTENSION_WORDS = (
    r"(?:(?:ext(?:ension|ensión|ensão|ensio|n)?|extn|xtn|xt?|×|#|internal|poste?|interne|intern[oă]?|interior|int"
    r"|durchwahl|nebenst(?:elle)?|nbst|nst|dw|apparat|app|klappe|kl|anexo|ramal|toestel|tst|(?:nr )?wewn(?:ętrzny)?"
    r"|wew|linka|klapka|mellék|clapă|anknytn?(?:ing)?|ankn|lokal(?:nummer)?|lok|ekst|alanumero|alanro|dah(?:ili)?"
    r"|εσωτ(?:ερικό)?|доб(?:авочный)?|внутр(?:енний)?|вн|内線|分机|分機|转|轉|내선|ต่อ|máy lẻ|שלוחה|تحويلة|داخلی)"
    r"(?:\.? ?(?:(?:number|num|no|nr)(?![a-z])|n[°º]|№))?)"
)
_PHONE = re.compile(
    rf"[^\w+(#*]{{0,8}}(?:{_WORDS}(?:[.:]+ ?| ))?"
    rf"(?P<number>[(\[ ]{{0,3}}\+?[(\[ ]{{0,3}}\d(?:{_SEPARATORS}{{0,5}}\d)*)[)\] .]{{0,3}}"
    # an extension, or what is dialled after a pause; without a word for it no more digits than a PIN has
    rf"(?:[ ,;.(-]{{0,3}}{_EXTENSION_WORDS}[ .:=#-]{{0,3}}(?P<extension>\d{{1,8}})[#)]?"
    r"| ?,{1,4} ?(?P<dialled>\d{1,6})#?)?"
    rf"(?:[ ,;:\n-]{{0,3}}(?:\([^()\d]{{1,40}}\)|\[[^\[\]\d]{{1,40}}\]|\b{_WORDS}\b))?"
    r"[^\w+(#*]{0,8}",
    re.IGNORECASE,
)
_EXTENSION_OF_URI = re.compile(r"(?:;\s*ext=|;postd=)([\d.()-]+)", re.IGNORECASE)
_SEVERAL = re.compile(r"\d(?:[- ().]{0,3}\d){6,}")


@dataclass(frozen=True, slots=True)
class Written:
    """A number as somebody wrote it, without what surrounds it."""

    number: str
    """Digits, after a plus if it had one."""
    bare: bool
    """Nothing but digits, as machines write."""
    extension: str = ""
    """Digits to dial after it, without leading zeros: Genesys Cloud keeps an extension as a whole number."""


def refuse_withheld(kind: IdentifierType) -> Refusal:
    if kind is not IdentifierType.PHONE:
        return refuse_placeholder(kind)
    return Refusal(kind, Reason.WITHHELD, "the caller's number is withheld or unavailable")


def read_written(kind: IdentifierType, text: str) -> Written | Refusal:
    """The number inside a tel: or sip: URI, a name-addr or plain text."""
    plain = _PLAIN.fullmatch(text)
    if plain:
        return _without_decoys(kind, plain[1], bare=False)
    address, display = _name_addr(text) if "<" in text else (text, "")
    address = address.strip(_AROUND)
    scheme = _SCHEME.match(address)
    user, at, host = address[scheme.end() if scheme else 0 :].partition("@")
    user = unquote(user) if scheme or _ENCODED_PLUS.match(user) else user
    if _is_withheld(display, user, host):
        return refuse_withheld(kind)
    if text.casefold() in load_rules().placeholders or not _words(text):
        return refuse_placeholder(kind)
    if not scheme and (not at or user.startswith("+")):
        return _read_text(kind, _PARAMETERS.sub("", user))
    if not scheme or (not at and scheme["sip"] and not user.startswith("+")):
        return refuse_malformed(kind, "a telephone number but an address of another kind")
    return _refuse_several(kind) if _SECOND_ADDRESS.search(user) else _read_text(kind, _number_of_uri(user))


def _is_withheld(display: str, user: str, host: str) -> bool:
    # RFC 5079: a display name of Anonymous asks for privacy, even where a number stands beside it
    return (
        display == "anonymous"
        or _words(_URI_END.split(user)[0]) in load_rules().withheld_callers
        or _URI_END.split(host)[0].casefold().endswith(".invalid")
    )


def _name_addr(text: str) -> tuple[str, str]:
    """The address in `"Display name" <address>;parameters` and the words of the name; no address if it has several."""
    before, _, rest = text.partition("<")
    address, _, after = rest.partition(">")
    only = not after.strip() or after.lstrip().startswith(";")
    return address if only and "<" not in after else "", _words(before)


def _number_of_uri(user: str) -> str:
    number = _URI_END.split(user)[0]
    context, extension = _CONTEXT.search(user), _EXTENSION_OF_URI.search(user)
    number = context.group(1) + number if context and not number.startswith("+") else number
    return f"{number} ext {_NOT_DIGIT.sub('', extension.group(1))}" if extension else number


def _read_text(kind: IdentifierType, text: str) -> Written | Refusal:
    if not text.isascii():
        text = "".join(str(unicodedata.decimal(character, character)) for character in text)
    text = text.strip(_AROUND)
    spreadsheet = _FLOAT.fullmatch(text)
    text = spreadsheet[1] if spreadsheet else text
    match = _PHONE.fullmatch(text)
    if not match or not _is_area_code_slash(match["number"]):
        several = len(_SEVERAL.findall(text)) > 1
        return _refuse_several(kind) if several else refuse_malformed(kind, "a telephone number")
    digits = _NOT_DIGIT.sub("", match["number"])
    number = f"+{digits}" if "+" in match["number"] and not digits.startswith("00") else digits
    dialled = match["extension"] or match["dialled"] or ""
    extension = dialled.lstrip("0") or dialled[:1]
    return _without_decoys(kind, number, bare=match["number"].isdecimal(), extension=extension)


def _without_decoys(kind: IdentifierType, number: str, *, bare: bool, extension: str = "") -> Written | Refusal:
    """Refuses what has the form of a number and is none: `+266696687` spells ANONYMOUS on a keypad."""
    if number[0] == "+" and number in load_rules().withheld_callers:
        return refuse_withheld(kind)
    digits = number.removeprefix("+")
    if len(digits) > 1 and len(set(digits)) == 1:
        return refuse_placeholder(kind)
    return Written(number, bare, extension)


def _is_area_code_slash(number: str) -> bool:
    """A slash may follow an area code (030/1234567); elsewhere it stands between two numbers or two endings."""
    area, slash, rest = number.partition("/")
    if not slash:
        return True
    written_country_code = 4 if area.lstrip("([ ").startswith(("+", "00")) else 0
    area_digits, rest_digits = (len(_NOT_DIGIT.sub("", part)) for part in (area, rest))
    return "/" not in rest and area_digits - written_country_code <= 6 and rest_digits >= 4


def _refuse_several(kind: IdentifierType) -> Refusal:
    return refuse_malformed(kind, "one telephone number but several; give each a field of its own")


def _words(text: str) -> str:
    return _NOT_WORD.sub(" ", text.casefold()).strip()
