#!/usr/bin/env bash
# DuckDB's jaccard() calls two different names equal when they are written with the same letters.
#
# Package: duckdb 2.0.0 (PyPI).
# Guess:   the Jaccard similarity of two texts is that of their words or of their pairs of letters, and 1 means that
#          they are equal, or nearly so.
# Seen:    it is that of the two SETS of letters: order and repetition do not count. It does count upper and lower case.
# Output:  Mara Amra 0.40
#          mara amra 1.00
#          amy may 1.00
#          elena lane 1.00
#          anna nan 1.00
#          smith smyth 0.67
# Matters: Splink's JaccardAtThresholds is this function when it runs on DuckDB. A top level of "at least 0.9" holds
#          Amy and May, but not Smith and Smyth, and short names collide most.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'duckdb==2.0.0'
"$work/venv/bin/python" - <<'PY'
import sys
import duckdb

PAIRS = {"Mara Amra": 0.4, "mara amra": 1, "amy may": 1, "elena lane": 1, "anna nan": 1, "smith smyth": 0.67}
for pair, expected in PAIRS.items():
    (seen,) = duckdb.execute("select jaccard($1, $2)", pair.split()).fetchone()
    print(pair, f"{seen:.2f}")
    if round(seen, 2) != expected:
        sys.exit(f"jaccard of {pair} is {seen:.2f} now; it was {expected}.")
PY
