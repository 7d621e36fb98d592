#!/usr/bin/env bash
# In Splink, a missing forename beside a misspelt surname is evidence AGAINST a match.
#
# Packages: splink 5.0.0 with duckdb 2.0.0 and pandas 2.3.3 (PyPI).
# Guess:    where one record has no forename, ForenameSurnameComparison judges the pair by the surname alone, or gives
#           no evidence either way, as each single comparison does with a missing value.
# Seen:     its null level asks that BOTH names be missing, and its fuzzy levels ask that both be there. Only an equal
#           surname has a level of its own. Schmidt against Schmitt without a forename falls to "all other comparisons",
#           the level of Schmidt against Weber.
# Output:   no forename, Schmidt and Schmidt: level 2
#           no forename, Schmidt and Schmitt: level 0
#           no forename, Schmidt and Weber: level 0
#           NameComparison of Schmidt and Schmitt: level 3
# Matters:  contact-centre records often have a surname only. Their duplicates are pushed below the threshold by the
#           comparison that was to help names; two NameComparisons keep the pair.
# Checked:  30 November 2026. (Level 0 is the lowest, -1 would be "missing".)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'splink==5.0.0' 'duckdb==2.0.0' 'pandas==2.3.3'
"$work/venv/bin/python" - <<'PY'
import logging
import sys
import pandas
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

logging.disable()


def level(comparison, other_surname):
    people = pandas.DataFrame(
        [(1, "Anna", "Schmidt", 1), (2, None, other_surname, 1)],
        columns=["unique_id", "forename", "surname", "block"],
    )
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[comparison],
        blocking_rules_to_generate_predictions=[block_on("block")],
        retain_intermediate_calculation_columns=True,
    )
    pairs = Linker(DuckDBAPI().register(people), settings).inference.predict().as_pandas_dataframe()
    return int(pairs.filter(like="gamma_").iloc[0, 0])


both = cl.ForenameSurnameComparison("forename", "surname")
for other, expected in [("Schmidt", 2), ("Schmitt", 0), ("Weber", 0)]:
    seen = level(both, other)
    print(f"no forename, Schmidt and {other}: level {seen}")
    if seen != expected:
        sys.exit(f"Schmidt against {other} without a forename is on level {seen} now; it was {expected}.")
alone = level(cl.NameComparison("surname"), "Schmitt")
print("NameComparison of Schmidt and Schmitt: level", alone)
if alone != 3:
    sys.exit(f"NameComparison has Schmidt against Schmitt on level {alone} now; it was 3.")
PY
