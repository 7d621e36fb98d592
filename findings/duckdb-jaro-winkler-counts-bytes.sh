#!/usr/bin/env bash
# One accent costs a name twice as much in DuckDB as in the other string libraries.
#
# Packages: duckdb 2.0.0, rapidfuzz 3.14.6, jellyfish 1.3.0 (PyPI).
# Guess:    Jaro-Winkler and Levenshtein are defined on characters, so the three libraries agree, as they do on English
#           names.
# Seen:     DuckDB compares the bytes of UTF-8. "ü" is two bytes, so "Müller" against "Muller" is two edits, and "山田"
#           against "山本" three. Jaro-Winkler falls with it, below cut-offs such as 0.88 and 0.9 that are in common use.
# Output:   Müller Muller Jaro-Winkler duckdb 0.864 rapidfuzz 0.900 jellyfish 0.900, edits duckdb 2 jellyfish 1
#           José Jose Jaro-Winkler duckdb 0.848 rapidfuzz 0.883 jellyfish 0.883, edits duckdb 2 jellyfish 1
#           山田 山本 Jaro-Winkler duckdb 0.667 rapidfuzz 0.667 jellyfish 0.667, edits duckdb 3 jellyfish 1
#           Smith Smyth Jaro-Winkler duckdb 0.893 rapidfuzz 0.893 jellyfish 0.893, edits duckdb 1 jellyfish 1
# Matters:  cut-offs tuned in Python with one library mean something else in Splink or SQL with the other, and it is
#           customers with accents or non-Latin names whose duplicates are missed. Fold accents before comparing.
# Checked:  30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'duckdb==2.0.0' 'rapidfuzz==3.14.6' 'jellyfish==1.3.0'
PYTHONUTF8=1 "$work/venv/bin/python" - <<'PY'
import sys
import duckdb
import jellyfish
from rapidfuzz.distance import JaroWinkler

PAIRS = {
    ("Müller", "Muller"): (0.864, 0.9, 0.9, 2, 1),
    ("José", "Jose"): (0.848, 0.883, 0.883, 2, 1),
    ("山田", "山本"): (0.667, 0.667, 0.667, 3, 1),
    ("Smith", "Smyth"): (0.893, 0.893, 0.893, 1, 1),
}
for (one, other), expected in PAIRS.items():
    duck, edits = duckdb.execute(
        "select jaro_winkler_similarity($1, $2), levenshtein($1, $2)", [one, other]
    ).fetchone()
    seen = (
        round(duck, 3),
        round(JaroWinkler.similarity(one, other), 3),
        round(jellyfish.jaro_winkler_similarity(one, other), 3),
        edits,
        jellyfish.levenshtein_distance(one, other),
    )
    text = "Jaro-Winkler duckdb {:.3f} rapidfuzz {:.3f} jellyfish {:.3f}, edits duckdb {} jellyfish {}"
    print(one, other, text.format(*seen))
    if seen != expected:
        sys.exit(f"{one} against {other} is {seen} now; it was {expected}.")
PY
