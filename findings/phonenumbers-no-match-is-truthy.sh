#!/usr/bin/env bash
# "if is_number_match(a, b)" is true for two numbers that do not match.
#
# Package: phonenumbers 9.0.43 (PyPI).
# Guess:   a function named is_... gives something false for two different numbers.
# Seen:    it gives a grade. Zero is kept for a text that is no number; NO_MATCH is 1, so it is true. Below EXACT_MATCH,
#          SHORT_NSN_MATCH is generous too: the last four digits are enough, and so is a number that lacks the other's
#          extension.
# Output:  +12125550123 against +12125550199: 1, true
#          +12125550123 against 0123: 2, true
#          +12125550123 against +12125550123 x45: 2, true
#          +12125550123 against anonymous: 0, false
# Matters: a match rule written the obvious way links every caller to every customer, and only withheld callers are
#          left apart. The rule must compare with EXACT_MATCH, or better compare keys.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'phonenumbers==9.0.43'
"$work/venv/bin/python" - <<'PY'
import sys
from phonenumbers import is_number_match

mine = "+12125550123"
for other, grade in [("+12125550199", 1), ("0123", 2), ("+12125550123 x45", 2), ("anonymous", 0)]:
    seen = is_number_match(mine, other)
    print(f"{mine} against {other}: {seen}, {'true' if seen else 'false'}")
    if seen != grade:
        sys.exit(f"is_number_match({mine!r}, {other!r}) is {seen} now; it was {grade}.")
PY
