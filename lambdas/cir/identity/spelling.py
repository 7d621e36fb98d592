"""Names that somebody has written into a file, and the nearest of those that mean something."""

from collections.abc import Collection, Iterable


def nearest(text: str, known: Iterable[str]) -> str:
    """The known name that was probably meant; empty if none is like it. Case and separators count for nothing."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for an error

    by_letters: dict[str, str] = {}
    for name in known:
        by_letters.setdefault(_letters(name), name)
    close = get_close_matches(_letters(text), list(by_letters), n=1)
    return by_letters[close[0]] if close else ""


def did_you_mean(text: object, known: Iterable[str]) -> str:
    """To be put behind an error; empty where nothing is like it."""
    name = nearest(str(text), known)
    return f"; did you mean '{name}'?" if name else ""


def unknown_in(entries: Iterable[object], known: Collection[str]) -> str:
    """What to say of the first entry that means nothing; empty if all do."""
    wrong = next((entry for entry in entries if entry not in known), None)
    return f"an entry '{wrong}' that means nothing{did_you_mean(wrong, known)}" if wrong is not None else ""


def same_letters(text: str, other: str) -> bool:
    """Whether they differ in case, space and punctuation only."""
    return _letters(text) == _letters(other)


def _letters(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())
