#!/usr/bin/env bash
# One line without its last, empty field turns a whole CSV file of customers into a table of one column.
#
# Package: duckdb 2.0.0 (PyPI).
# Guess:   a line that is one comma short is padded, or is an error that names the line.
# Seen:    the comma is discarded as delimiter, since it does not give each line the same number of fields. The file is
#          read without an error, with one column named "id,name,mail". Only telling the delimiter makes it an error,
#          and null_padding makes it the table that was meant.
# Output:  as it comes: ['id,name,mail'] [('1,Smith,s@example.com',), ('2,Jones',)]
#          delimiter told: InvalidInputException
#          null_padding: ['id', 'name', 'mail'] [(1, 'Smith', 's@example.com'), (2, 'Jones', None)]
# Matters: exports leave trailing empty fields out, and a customer without an e-mail address is the normal case. The
#          row count is right, so a check of it passes.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'duckdb==2.0.0'
cd "$work"
printf 'id,name,mail\n1,Smith,s@example.com\n2,Jones\n' >customers.csv
"$work/venv/bin/python" - <<'PY'
import sys
import duckdb

seen = duckdb.read_csv("customers.csv")
print("as it comes:", seen.columns, seen.fetchall())
if seen.columns != ["id,name,mail"]:
    sys.exit("DuckDB no longer reads the file as one column.")
try:
    duckdb.read_csv("customers.csv", delimiter=",").fetchall()
    sys.exit("The short line is no longer an error when the delimiter is told.")
except duckdb.InvalidInputException as error:
    print("delimiter told:", type(error).__name__)
padded = duckdb.read_csv("customers.csv", null_padding=True)
print("null_padding:", padded.columns, padded.fetchall())
if padded.columns != ["id", "name", "mail"]:
    sys.exit("null_padding no longer gives three columns.")
PY
