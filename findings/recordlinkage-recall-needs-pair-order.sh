#!/usr/bin/env bash
# Recall is 0 when the known duplicates are written the other way round.
#
# Package: recordlinkage 0.16 (PyPI).
# Guess:   in a search for duplicates in one file a pair has no direction, so recall() and precision() take (a, b) and
#          (b, a) for the same pair, or refuse truth that is in the other order.
# Seen:    they compare pairs as they stand. The index puts the later row first, so truth written as (original, copy)
#          has nothing in common with it. There is no warning.
# Output:  candidates [('copy', 'original')]
#          truth (copy, original): recall 1.0
#          truth (original, copy): recall 0.0
# Matters: the figures that choose a matching rule are wrong by the order of a file. In part-sorted truth they are only
#          somewhat low, which nobody suspects.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'recordlinkage==0.16' 'pandas==2.3.3'
"$work/venv/bin/python" - <<'PY'
import sys
import pandas
import recordlinkage

people = pandas.DataFrame({"email": ["alice@example.com"] * 2}, index=["original", "copy"])
index = recordlinkage.Index()
index.block("email")
candidates = index.index(people)
print("candidates", list(candidates))
for truth, expected in [(("copy", "original"), 1.0), (("original", "copy"), 0.0)]:
    seen = recordlinkage.recall(pandas.MultiIndex.from_tuples([truth]), candidates)
    print(f"truth ({', '.join(truth)}): recall {seen}")
    if seen != expected:
        sys.exit(f"Recall against the truth {truth} is {seen} now; it was {expected}.")
PY
