#!/usr/bin/env bash
# A phone number in an Excel cell, read by one library and parsed by another, is a valid number of somebody else.
#
# Packages: python-calamine 0.9.1, openpyxl 3.1.5 (writes the sheet), phonenumbers 9.0.43 (PyPI).
# Guess:    a whole number in a cell comes back as the integer that openpyxl also gives, or its ".0" makes the phone
#           parser complain.
# Seen:     calamine gives every number as a float, as the file format stores it. As text that ends in ".0"; the phone
#           parser takes the full stop for punctuation and the nought for one more digit. In Germany, where numbers have
#           no fixed length, the result is VALID. In the USA it is only too long.
# Output:   openpyxl 493023125014 calamine 493023125014.0
#           493023125014.0 in DE -> +4930231250140 valid=True
#           12125550123.0 in US -> +121255501230 valid=False
# Matters:  an import of customers from a spreadsheet fills the index with wrong but valid numbers, and nothing is
#           rejected. pandas does the same to a column of integers in which one cell is empty.
# Checked:  30 November 2026. (030 23125 0xx is a range that Germany keeps free for films.)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'python-calamine==0.9.1' 'openpyxl==3.1.5' 'phonenumbers==9.0.43'
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys
import openpyxl
import phonenumbers
from python_calamine import CalamineWorkbook

book = openpyxl.Workbook()
book.active.append([493023125014, 12125550123])
book.save("customers.xlsx")
by_openpyxl = openpyxl.load_workbook("customers.xlsx").active["A1"].value
german, american = CalamineWorkbook.from_path("customers.xlsx").get_sheet_by_index(0).to_python()[0]
print("openpyxl", by_openpyxl, "calamine", german)
if not isinstance(by_openpyxl, int) or not isinstance(german, float):
    sys.exit("The two readers no longer disagree on the type of a whole number.")
for cell, region, number, valid in [(german, "DE", "+4930231250140", True), (american, "US", "+121255501230", False)]:
    parsed = phonenumbers.parse(str(cell), region)
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    print(f"{cell} in {region} -> {e164} valid={phonenumbers.is_valid_number(parsed)}")
    if e164 != number or phonenumbers.is_valid_number(parsed) != valid:
        sys.exit(f"{cell} in {region} is no longer read as {number}.")
PY
