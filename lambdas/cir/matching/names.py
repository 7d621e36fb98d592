"""People's names: the forms by which two spellings of one name are compared.

What comes out is for comparison only; it is never shown, stored in Genesys or written back.
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_WORD = re.compile(r"[^\W\d_]+\d?[^\W\d_]*|\d\w*")
_APOSTROPHES = re.compile(r"['’‘`´ʼ]")
_UMLAUT = re.compile(r"(?<![aeiou])([aou])e(?![aeiou])")
"""The German spelling of ä, ö and ü without the dots; applied to every name, so Joel and Jol are one as well."""
_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"^(?:kn|gn|pn)", "n"),
        (r"^wr", "r"),
        (r"ph|pf", "f"),
        (r"sch|sh|sz|cz|tch|tsch|ch(?=[ei])", "s"),
        (r"ck|ch|qu|q|c(?![eiy])|kh|gh", "k"),
        (r"[cz]", "s"),
        (r"th|dt|d", "t"),
        (r"[vw]", "f"),
        (r"j|y", "i"),
        (r"x", "ks"),
        (r"b", "p"),
        (r"g", "k"),
        (r"m", "n"),
        (r"h", ""),
    )
)
_SPELLINGS = tuple(
    (re.compile(pattern), spelling)
    for pattern, spelling in (
        (r"ph", "f"),
        (r"v(?=en)", "f"),
        (r"(?<=.)h", ""),
        (r"ck|c(?![eiy])", "k"),
        (r"z", "s"),
        (r"y", "i"),
        (r"ou", "u"),
        (r"(.)\1+", r"\1"),
    )
)
_VOWELS = re.compile(r"(?<=.)[aeiou]+")
_DOUBLED = re.compile(r"(.)\1+")
_HAN = re.compile(r"[\u4e00-\u9fff\uac00-\ud7a3]{2,4}")


@dataclass(frozen=True, slots=True)
class _Data:
    letters: dict[int, str]
    titles: frozenset[str]
    generations: dict[str, str]
    last_numerals: dict[str, str]
    """Generations that are an initial or a particle anywhere but at the end."""
    particles: frozenset[str]
    joined_prefixes: frozenset[str]
    roots: dict[str, tuple[str, ...]]
    known: frozenset[str]
    """Every name of the tables, full or short."""


@dataclass(frozen=True, slots=True)
class Given:
    """A given name."""

    name: str
    """Its first word, or an initial."""
    parts: tuple[str, ...]
    """All its words but for initials behind the first."""
    roots: tuple[str, ...]
    """The full names that it can be short for, itself included."""
    sound: str
    own: str = ""
    """One spelling of a name that is known; two that differ are two names and no slip. Empty for one that is not."""
    generation: str = ""
    """1 senior, 2 junior, 3 …; empty where nothing is said."""


@dataclass(frozen=True, slots=True)
class Surname:
    """A family name."""

    name: str
    """All its words but particles, written together."""
    whole: str
    """The same with its particles, as in a mailbox name."""
    parts: tuple[str, ...]
    sound: str
    generation: str = ""


NO_GIVEN = Given("", (), (), "")
NO_SURNAME = Surname("", "", (), "")


@cache
def _data() -> _Data:
    data = json.loads(Path(__file__).with_name("names.json").read_text(encoding="utf-8"))
    letters = {ord(letter): spelling for letter, spelling in data["letters"].items()}
    roots: dict[str, list[str]] = {}
    for groups in data["nicknames"].values():
        for group in groups:
            root, *short = (_UMLAUT.sub(r"\1", _plain(name, letters)) for name in group.split())
            for name in (root, *short):
                roots.setdefault(name, []).append(root)
    return _Data(
        letters=letters,
        titles=frozenset(_plain(word, letters).strip(".") for word in data["titles"].split()),
        generations=data["generations"],
        last_numerals=data["last_numerals"],
        particles=frozenset(data["particles"].split()),
        joined_prefixes=frozenset(data["joined_prefixes"].split()),
        roots={name: tuple(sorted({name, *of})) for name, of in roots.items()},
        known=frozenset(roots) | {_UMLAUT.sub(r"\1", name) for names in data["given_names"] for name in names.split()},
    )


def read_given(text: str) -> Given:
    """Read a given name, with or without a title, middle names and a generation."""
    words, generation = _words(text)
    parts = [word for word in words if len(word) > 1]
    if not words:
        return Given("", (), (), "", generation=generation)
    name = words[0] if len(words[0]) > 1 or not parts else parts[0]
    roots = _data().roots
    joined = "".join(words)
    named = sorted({name, *roots.get(name, ()), *(roots.get(joined, ()) if len(words) > 1 else ())})
    own = spelling(name) if name in _data().known else ""
    return Given(name, tuple(dict.fromkeys(parts or words[:1])), tuple(named), sound(name), own, generation)


def read_surname(text: str) -> Surname:
    """Read a family name, of one or several parts."""
    words, generation = _words(text)
    words = _joined(words)
    parts = [word for word in words if word not in _data().particles and len(word) > 1] or words
    name = "".join(parts)
    return Surname(name, "".join(words), tuple(dict.fromkeys(parts)), sound(name), generation)


def split_full(text: str) -> tuple[str, str]:
    """(given, surname) of a name in one field: `Given Surname`, `Surname, Given`, with title and generation."""
    text = unicodedata.normalize("NFKC", text).strip()
    compact = text.replace(" ", "")
    if _HAN.fullmatch(compact):
        return compact[1:], compact[:1]
    before, comma, after = text.partition(",")
    if comma and after.strip() and _fold(after.strip(" .")) not in _data().generations:
        return after, before
    words = text.replace(",", " ").split()
    data = _data()
    tail: list[str] = []
    if len(words) > 2 and _plain(words[-1], data.letters) in data.last_numerals:
        tail.append(words.pop())
    while len(words) > 1 and (_fold(words[-1]) in data.generations or _fold(words[-1]) in data.titles):
        tail.insert(0, words.pop())
    while len(words) > 1 and _fold(words[0]) in data.titles:
        words.pop(0)
    if len(words) < 2:
        return "", " ".join((*words, *tail))
    start = len(words) - 1
    while start > 1 and _fold(words[start - 1]) in data.particles | data.joined_prefixes:
        start -= 1
    return " ".join(words[:start]), " ".join((*words[start:], *tail))


@cache
def sound(name: str) -> str:
    """A key that common misspellings of a name share, in no language in particular."""
    for pattern, spoken in _SOUNDS:
        name = pattern.sub(spoken, name)
    return _VOWELS.sub("", _DOUBLED.sub(r"\1", name))[:6]


@cache
def spelling(name: str) -> str:
    """A key that spellings of one name share, and two names that only sound alike do not: Sara and Sarah, no Sora."""
    for pattern, written in _SPELLINGS:
        name = pattern.sub(written, name)
    return name


def _plain(text: str, letters: dict[int, str]) -> str:
    text = unicodedata.normalize("NFKD", text).casefold().translate(letters)
    return "".join(character for character in text if not unicodedata.combining(character))


def _fold(word: str) -> str:
    return _plain(word, _data().letters).strip(".")


def _words(text: str) -> tuple[list[str], str]:
    data = _data()
    folded = _APOSTROPHES.sub("", _plain(text, data.letters))
    words: list[str] = []
    generation = ""
    found = _WORD.findall(folded)
    for place, word in enumerate(found):
        if len(found) > 1 and word in data.generations:
            generation = data.generations[word]
        elif 0 < place == len(found) - 1 and word in data.last_numerals and not folded.rstrip().endswith("."):
            generation = generation or data.last_numerals[word]
        elif len(found) == 1 or word not in data.titles:
            words.append(_UMLAUT.sub(r"\1", word))
        elif word in {"sr"} and words:
            generation = "1"
    return words, generation


def _joined(words: list[str]) -> list[str]:
    joined: list[str] = []
    prefix = ""
    for word in words:
        if word in _data().joined_prefixes and word is not words[-1]:
            prefix += word
        else:
            joined.append(prefix + word)
            prefix = ""
    return joined
