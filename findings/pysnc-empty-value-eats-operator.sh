#!/usr/bin/env bash
# A ServiceNow query for "phone is not empty" asks for users whose phone IS the text "!=".
#
# Package: pysnc 1.2.1 (PyPI).
# Guess:   add_query(field, operator, value) puts operator and value into the query as they are given.
# Seen:    a call may leave the operator out, add_query(field, value), and a third argument that is empty, 0 or False is
#          taken for one that was not given. The operator then becomes the value, behind an "=".
# Output:  add_query('mobile_phone', '!=', '') -> mobile_phone=!=
#          add_query('failed_attempts', '>', 0) -> failed_attempts=>
#          add_query('vip', '!=', False) -> vip=!=
#          add_query('mobile_phone', '!=', '0') -> mobile_phone!=0
# Matters: the answer is "no such user", without an error. A nightly comparison then finds that all customers with a
#          phone have left the CRM.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'pysnc==1.2.1'
"$work/venv/bin/python" - <<'PY'
import sys
from pysnc.query import Query

for arguments, expected in [
    (("mobile_phone", "!=", ""), "mobile_phone=!="),
    (("failed_attempts", ">", 0), "failed_attempts=>"),
    (("vip", "!=", False), "vip=!="),
    (("mobile_phone", "!=", "0"), "mobile_phone!=0"),
]:
    query = Query("sys_user")
    query.add_query(*arguments)
    seen = query.generate_query()
    print(f"add_query{arguments} -> {seen}")
    if seen != expected:
        sys.exit(f"add_query{arguments} gives {seen} now; it was {expected}.")
PY
