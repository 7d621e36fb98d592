"""Ids that a state gives to a person, recognised by form and check digits.

The checks are python-stdnum's. Many such ids are a bare row of digits with one check digit, which one loyalty number
in ten has too. So each has up to two forms: one that hardly anything else is written in and that counts anywhere, and
one that counts where the customer's country or the name of the column speaks for it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from stdnum.at import vnr
from stdnum.au import tfn
from stdnum.be import nn
from stdnum.bg import egn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.cl import rut
from stdnum.cn import ric
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.ee import ik
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nif, nir
from stdnum.gb import nhs
from stdnum.gr import amka
from stdnum.hr import oib
from stdnum.ie import pps
from stdnum.il import idnr as teudat_zehut
from stdnum.in_ import aadhaar, pan
from stdnum.is_ import kennitala
from stdnum.it import codicefiscale
from stdnum.jp import in_ as my_number
from stdnum.kr import rrn
from stdnum.lt import asmens
from stdnum.mx import curp
from stdnum.my import nric
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.pt import cc
from stdnum.ro import cnp
from stdnum.se import personnummer
from stdnum.th import pin
from stdnum.tr import tckimlik
from stdnum.us import itin, ssn
from stdnum.za import idnr as south_african

_NEVER = ""
_INSURANCE = re.compile(r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]")
"""Which letters HMRC gives out (National Insurance Manual, NIM39110). There is no check digit, and no module for it."""


@dataclass(frozen=True, slots=True)
class _NationalId:
    country: str
    """ISO 3166-1."""
    name: str
    is_valid: Callable[[str], bool]
    anywhere: str
    """Pattern of the form that speaks for itself."""
    hinted: str
    """Pattern of the whole value that counts where the country or the column's name speaks for it."""
    words: str = ""
    """Pattern of what a column is called that holds it."""
    by_country: bool = True
    """Whether the country alone speaks for `hinted`."""


def _is_insurance_number(text: str) -> bool:
    return bool(_INSURANCE.fullmatch(text.replace(" ", "").upper()))


_IDS = (
    _NationalId("US", "SSN", ssn.is_valid, r"\d{3}-\d{2}-\d{4}", r"\d{9}", "ssn|socialsecurity", by_country=False),
    _NationalId("US", "ITIN", itin.is_valid, r"9\d{2}-\d{2}-\d{4}", r"9\d{8}", "itin|taxpayerid", by_country=False),
    _NationalId("CA", "SIN", sin.is_valid, _NEVER, r"\d{3}[ -]?\d{3}[ -]?\d{3}", r"\bsin\b|socialinsurance"),
    _NationalId("GB", "NINO", _is_insurance_number, r"[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]", _NEVER),
    _NationalId("GB", "NHS number", nhs.is_valid, r"^\d{3}[ -]\d{3}[ -]\d{4}$", r"\d{10}", "nhs"),
    _NationalId("IE", "PPS number", pps.is_valid, _NEVER, r"\d{7}[A-W][A-IW]?", r"\bpps"),
    _NationalId("BR", "CPF", cpf.is_valid, r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{11}", r"\d{9}-?\d{2}", r"\bcpf"),
    _NationalId("IN", "Aadhaar", aadhaar.is_valid, _NEVER, r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}", "aadhaa?r"),
    _NationalId("IN", "PAN", pan.is_valid, r"[A-Z]{3}P[A-Z]\d{4}[A-Z]", _NEVER),
    _NationalId("DE", "tax id", idnr.is_valid, r"\d{2} ?\d{3} ?\d{3} ?\d{3}", _NEVER),
    _NationalId("FR", "NIR", nir.is_valid, r"[12] ?\d{2} ?[0-5]\d ?(?:\d{2}|2A|2B) ?\d{3} ?\d{3} ?\d{2}", _NEVER),
    _NationalId("FR", "NIF", nif.is_valid, _NEVER, r"[0-3]\d ?\d{2} ?\d{3} ?\d{3} ?\d{3}", r"\bnif\b|\bspi\b|fiscal"),
    _NationalId("ES", "DNI", dni.is_valid, r"\d{8}[ -]?[A-Z]", _NEVER),
    _NationalId("ES", "NIE", nie.is_valid, r"[XYZ][ -]?\d{7}[ -]?[A-Z]", _NEVER),
    _NationalId(
        "IT",
        "codice fiscale",
        codicefiscale.is_valid,
        r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[A-EHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]",
        _NEVER,
    ),
    _NationalId("NL", "BSN", bsn.is_valid, _NEVER, r"\d{4}\.?\d{2}\.?\d{3}", "bsn|burgerservice|sofi"),
    _NationalId("BE", "national number", nn.is_valid, r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", r"\d{11}", "niss|insz|rrn"),
    _NationalId("CH", "AHV number", ahv.is_valid, r"756\.?\d{4}\.?\d{4}\.?\d{2}", _NEVER),
    _NationalId("AT", "insurance number", vnr.is_valid, _NEVER, r"\d{4} ?\d{6}", "svnr|vsnr|sozialversicherung"),
    _NationalId("SE", "personnummer", personnummer.is_valid, r"\d{6,8}[-+]\d{4}", r"(?:\d\d)?\d{10}", "personn"),
    _NationalId("FI", "HETU", hetu.is_valid, r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", _NEVER),
    _NationalId("DK", "CPR number", cpr.is_valid, _NEVER, r"\d{6}-?\d{4}", r"\bcpr"),
    _NationalId("NO", "fødselsnummer", fodselsnummer.is_valid, r"\d{6} \d{5}", r"\d{11}", "fodsels|fødsels|personn"),
    _NationalId("IS", "kennitala", kennitala.is_valid, _NEVER, r"\d{6}-?\d{4}", "kennitala"),
    _NationalId("PL", "PESEL", pesel.is_valid, _NEVER, r"\d{11}", "pesel"),
    _NationalId("CZ", "birth number", rc.is_valid, r"\d{6}/\d{3,4}", r"\d{9,10}", "rodne|rodcis"),
    _NationalId("SK", "birth number", rc.is_valid, r"\d{6}/\d{3,4}", r"\d{9,10}", "rodne|rodcis"),
    _NationalId("PT", "cartão de cidadão", cc.is_valid, r"\d{8} ?\d ?[A-Z][A-Z0-9]\d", _NEVER),
    _NationalId("RO", "CNP", cnp.is_valid, r"[1-9]\d{12}", _NEVER),
    _NationalId("BG", "EGN", egn.is_valid, _NEVER, r"\d{10}", r"\begn\b"),
    _NationalId("GR", "AMKA", amka.is_valid, _NEVER, r"\d{11}", "amka"),
    _NationalId("HR", "OIB", oib.is_valid, _NEVER, r"\d{11}", r"\boib\b"),
    _NationalId("EE", "isikukood", ik.is_valid, _NEVER, r"\d{11}", "isikukood"),
    _NationalId("LT", "asmens kodas", asmens.is_valid, _NEVER, r"\d{11}", "asmens"),
    _NationalId("TR", "TC kimlik", tckimlik.is_valid, _NEVER, r"[1-9]\d{10}", "kimlik|tckn"),
    _NationalId("IL", "teudat zehut", teudat_zehut.is_valid, _NEVER, r"\d{8}-?\d", "zehut"),
    _NationalId("ZA", "ID number", south_african.is_valid, _NEVER, r"\d{6} ?\d{4} ?\d{2} ?\d", "saidn|rsaid"),
    _NationalId("CN", "resident id", ric.is_valid, r"\d{17}[\dX]", _NEVER),
    _NationalId("KR", "RRN", rrn.is_valid, r"\d{6}-\d{7}", r"\d{13}", r"\brrn\b|jumin"),
    _NationalId("JP", "My Number", my_number.is_valid, _NEVER, r"\d{4}[ -]?\d{4}[ -]?\d{4}", "mynumber|kojinbango"),
    _NationalId("MY", "NRIC", nric.is_valid, r"\d{6}-\d{2}-\d{4}", r"\d{12}", "nric|mykad"),
    _NationalId("TH", "ID number", pin.is_valid, r"\d-\d{4}-\d{5}-\d{2}-\d", r"\d{13}", "thaiid|citizenid"),
    _NationalId("AU", "TFN", tfn.is_valid, _NEVER, r"\d{3} ?\d{3} ?\d{2,3}", r"\btfn\b|taxfile"),
    _NationalId("MX", "CURP", curp.is_valid, r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d", _NEVER),
    _NationalId("CL", "RUT", rut.is_valid, r"\d{1,2}\.\d{3}\.\d{3}-[\dK]", r"\d{7,8}-?[\dK]", r"\brut\b"),
)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Z0-9])(?:{pattern})(?![A-Z0-9])", re.IGNORECASE)


_SHORTEST = 8
_ANYWHERE = tuple((each, _compiled(each.anywhere)) for each in _IDS if each.anywhere)
_ANY_OF_THEM = _compiled("|".join(dict.fromkeys(each.anywhere for each in _IDS if each.anywhere)))
_WORD_BREAK = re.compile(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z0-9À-ɏ]+")


def national_id(text: str, *, country: str = "", column: str = "") -> str | None:
    """Name and country of the national id that a text holds, such as `NHS number (GB)`, or None.

    `country` is the customer's (ISO 3166-1), `column` what the CRM calls the field; either may be empty.
    """
    if len(text) < _SHORTEST:
        return None
    written = _ANYWHERE if _ANY_OF_THEM.search(text) else ()
    for each, pattern in written:
        if any(each.is_valid(found.group()) for found in pattern.finditer(text)):
            return f"{each.name} ({each.country})"
    for each, pattern in _hinted(country, column):
        if pattern.fullmatch(text.strip()) and each.is_valid(text.strip()):
            return f"{each.name} ({each.country})"
    return None


@lru_cache(1024)
def _hinted(country: str, column: str) -> tuple[tuple[_NationalId, re.Pattern[str]], ...]:
    """Which ids the country or the column's name speaks for."""
    words = _WORD_BREAK.sub(" ", column).lower()
    return tuple(
        (each, _compiled(each.hinted))
        for each in _IDS
        if each.hinted and ((each.by_country and each.country == country) or _is_called(words, each.words))
    )


def _is_called(words_of_column: str, pattern: str) -> bool:
    if not pattern:
        return False
    return any(re.search(pattern, words) for words in (words_of_column, words_of_column.replace(" ", "")))
