#!/usr/bin/env bash
# A Brazilian CPF of one repeated digit is valid for one library, unless the digit is nought.
#
# Package:  python-stdnum 2.2 (PyPI).
# Guess:    111.111.111-11, which is typed to fill a field, is no CPF: its check digits are right by arithmetic alone,
#           and validators in Brazil refuse all ten numbers of one digit. The library refuses 000.000.000-00.
# Seen:     only the noughts are refused. The nine others are valid CPFs, so the check digits are looked at and the
#           convention is not.
# Output:   0: False
#           1 to 9: True
# Matters:  a filler in a column of ids looks like the id of a person. What is filtered as a national id, counted as one
#           in a report, or matched on, needs a rule for repeated digits of its own (`lambdas/cir/identity/parsing/decoys.py`).
# Checked:  1 December 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'python-stdnum==2.2'
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys
from stdnum.br import cpf

valid = [cpf.is_valid(str(digit) * 11) for digit in range(10)]
print("0:", valid[0])
print("1 to 9:", all(valid[1:]))
if valid != [False] + [True] * 9:
    sys.exit("CPFs of one repeated digit are judged otherwise by now.")
PY
