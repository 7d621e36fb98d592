#!/usr/bin/env bash
# The standard cleaning of recordlinkage deletes accented letters, whole names, and area codes.
#
# Package: recordlinkage 0.16 (PyPI).
# Guess:   preprocessing.clean() lower-cases and takes out punctuation; letters stay, or lose their accent. The
#          phonenumbers() beside it gives the number.
# Seen:    all that is not a-z, 0-9 or a blank is deleted, so "José" is "jos" and a name in another script is nothing
#          at all. Text in brackets goes with the brackets: from a column of phones, the area code. phonenumbers() keeps
#          every digit, so an extension becomes part of the number. (strip_accents="unicode" saves José and Müller only.)
# Output:  clean José -> 'jos'
#          clean Müller -> 'mller'
#          clean 山田 -> ''
#          clean Γεωργίου -> ''
#          clean (212) 555-0123 -> '555 0123'
#          phonenumbers +44 7700 900123 x5 -> '+4477009001235'
# Matters: every customer with a Chinese or Greek name becomes the same empty text, which is not NaN, and New York's
#          555-0123 meets that of every other city.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'recordlinkage==0.16' 'pandas==2.3.3'
PYTHONUTF8=1 "$work/venv/bin/python" - <<'PY'
import sys
import pandas
from recordlinkage.preprocessing import clean, phonenumbers

for function, text, expected in [
    (clean, "José", "jos"),
    (clean, "Müller", "mller"),
    (clean, "山田", ""),
    (clean, "Γεωργίου", ""),
    (clean, "(212) 555-0123", "555 0123"),
    (phonenumbers, "+44 7700 900123 x5", "+4477009001235"),
]:
    seen = function(pandas.Series([text]))[0]
    print(function.__name__, text, "->", repr(seen))
    if seen != expected:
        sys.exit(f"{function.__name__} of {text!r} is {seen!r} now; it was {expected!r}.")
PY
