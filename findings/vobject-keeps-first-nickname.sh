#!/usr/bin/env bash
# Reading a vCard and writing it back loses all nicknames but the first.
#
# Package: vobject 0.9.9 (PyPI).
# Guess:   NICKNAME is a list with commas, as CATEGORIES is; it is read as a list, or left as one text.
# Seen:    the value ends at the first comma. The rest is in no attribute, and a copy of the card lacks it. CATEGORIES
#          in the same card keeps both values.
# Output:  NICKNAME:Bill,Billy -> 'Bill' -> NICKNAME:Bill
#          CATEGORIES:gold,vip -> ['gold', 'vip'] -> CATEGORIES:gold,vip
# Matters: the nickname is what the customer says on the phone, and what a match of given names needs. The loss comes
#          with a round trip that changes nothing else.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'vobject==0.9.9'
"$work/venv/bin/python" - <<'PY'
import sys
import vobject

LINES = ["NICKNAME:Bill,Billy", "CATEGORIES:gold,vip"]
card = vobject.readOne("\n".join(
    ["BEGIN:VCARD", "VERSION:3.0", "FN:William Smith", "N:Smith;William;;;", *LINES, "END:VCARD", ""]
))
copy = card.serialize().splitlines()
for line, field, value, written in [
    (LINES[0], card.nickname, "Bill", "NICKNAME:Bill"),
    (LINES[1], card.categories, ["gold", "vip"], "CATEGORIES:gold,vip"),
]:
    print(line, "->", repr(field.value), "->", next(text for text in copy if text.startswith(field.name)))
    if field.value != value or written not in copy:
        sys.exit(f"{line} is no longer read as {value!r} and written as {written}.")
PY
