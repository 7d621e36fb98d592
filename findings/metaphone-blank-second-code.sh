#!/usr/bin/env bash
# By Double Metaphone any two plain names sound alike, since both have the second code "".
#
# Packages: Metaphone 0.6 (PyPI), double-metaphone 2.0.1 (npm).
# Guess:    doublemetaphone() gives two codes, and the usual rule "alike if any code of one is a code of the other" can
#           be used as it stands. The npm package of the same algorithm gives the same two codes.
# Seen:     a name with one pronunciation only gets an empty text as second code in Python, and the first code once more
#           in JavaScript. The usual rule is right in JavaScript and always true in Python.
# Output:   python Robert ('RPRT', '') Nguyen ('NKN', '') in common ['']
#           js Robert RPRT,RPRT Nguyen NKN,NKN in common []
# Matters:  a blocking rule on these codes puts nearly every customer into one block, or, in a comparison, gives every
#           pair the level "sounds alike". Codes that were stored by one language do not join with the other's.
# Checked:  30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'Metaphone==0.6'
npm install --silent --no-audit --no-fund --prefix "$work" double-metaphone@2.0.1 >/dev/null
"$work/venv/bin/python" - <<'PY'
import sys
from metaphone import doublemetaphone

one, other = doublemetaphone("Robert"), doublemetaphone("Nguyen")
common = sorted(set(one) & set(other))
print("python Robert", one, "Nguyen", other, "in common", common)
if common != [""]:
    sys.exit(f"The Python codes of Robert and Nguyen have {common} in common now; it was the empty text.")
PY
cd "$work"
cat >check.mjs <<'JS'
import { doubleMetaphone } from "double-metaphone";
const one = doubleMetaphone("Robert");
const other = doubleMetaphone("Nguyen");
const common = one.filter((code) => other.includes(code));
console.log(`js Robert ${one} Nguyen ${other} in common [${common}]`);
if (common.length !== 0 || one[0] !== one[1]) {
  console.error("The JavaScript codes are no longer the first code twice.");
  process.exit(1);
}
JS
node check.mjs
