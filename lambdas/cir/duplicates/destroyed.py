"""Values that a spreadsheet or an export has made of other ones: what is left of them is no evidence."""

import re

_EXPONENT = re.compile(r"[+-]?\d+(?:[.,]\d+)?E[+-]\d{1,3}|\d[.,]\d+E\d{1,3}", re.IGNORECASE)
"""1.23E+15, and 4,91516E+11 as a German Excel writes it. Without a sign and a fraction it may be an id: 4E10."""
DATE = (
    r"(?:(?:19|20)[0-9]{2}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12][0-9]|3[01])"
    r"|(?:0?[1-9]|[12][0-9]|3[01])[-/.](?:0?[1-9]|[12][0-9]|3[01])[-/.](?:19|20)[0-9]{2})"
    r"(?:[T ][0-9]{1,2}:[0-9]{2}.*)?"
)
"""A whole date in digits, year first or last, with or without a time. Python and DuckDB read it alike."""
_DATE = re.compile(DATE)
_MONTH = r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-z]*\.?"
_NAMED_MONTH = re.compile(
    rf"\d{{1,2}}[-. ]{_MONTH}(?:[-. ](?:\d\d){{1,2}})?|{_MONTH}[-. ](?:\d\d){{1,2}}", re.IGNORECASE
)
"""What `3-4` and `03/24` become: 04-Mar, Mar-24."""
ADVICE = "numbers as exponents or dates: export again with the column as text"


def is_destroyed(text: str) -> bool:
    """Whether a number or id is an exponent or a date, of which different values give the same."""
    return any(pattern.fullmatch(text.strip()) for pattern in (_EXPONENT, _DATE, _NAMED_MONTH))
