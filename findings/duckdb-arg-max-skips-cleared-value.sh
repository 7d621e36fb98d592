#!/usr/bin/env bash
# "The phone of the newest record" is an older record's phone when the newest has none.
#
# Package: duckdb 2.0.0 (PyPI).
# Guess:   arg_max(phone, changed) looks for the row with the greatest "changed" and gives its phone, be it NULL.
# Seen:    arg_max (and its other name max_by) leaves out the rows whose phone is NULL before it looks for the greatest.
#          Two columns of one customer then come from two different rows. arg_max_null gives the row's own value.
# Output:  arg_max phone +12125550123 email new@example.com
#          max_by phone +12125550123 email new@example.com
#          arg_max_null phone None email new@example.com
# Matters: survivorship by "latest wins" must let a cleared value win. Here a number that the customer had deleted comes
#          back at each merge, beside the e-mail address of the newer record.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'duckdb==2.0.0'
"$work/venv/bin/python" - <<'PY'
import sys
import duckdb

RECORDS = "(values ('+12125550123', 'old@example.com', 1), (NULL, 'new@example.com', 2)) r(phone, email, changed)"
for function, expected in [("arg_max", "+12125550123"), ("max_by", "+12125550123"), ("arg_max_null", None)]:
    phone, email = duckdb.execute(
        f"select {function}(phone, changed), {function}(email, changed) from {RECORDS}"
    ).fetchone()
    print(function, "phone", phone, "email", email)
    if (phone, email) != (expected, "new@example.com"):
        sys.exit(f"{function} gives the phone {phone} now; it was {expected}.")
PY
