"""What is the same whatever a text means: compatibility forms, invisible characters, white space."""

import re
import unicodedata

_INVISIBLE = re.compile(
    r"[\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""Format characters (general category Cf), variation selectors and fillers: copied along, never typed."""
_LINE_BREAK = re.compile(r"[\n\r\x0b\x0c\x85\u2028\u2029]+")
_SPACE = re.compile(r"[^\S\n]+|[\x00-\x09\x0e-\x1f\x7f-\x9f]+")


def without_invisible(text: str) -> str:
    return text if text.isascii() else _INVISIBLE.sub("", text)


def clean(text: str) -> str:
    """One line break for several and one space for other white space and controls; none at the ends; NFKC."""
    if not (text.isascii() and text.isprintable()):
        text = _LINE_BREAK.sub("\n", unicodedata.normalize("NFKC", without_invisible(text)))
    return _SPACE.sub(" ", text).strip()
