#!/usr/bin/env bash
# A short surname is taken for a degree or a Roman numeral, and the customer is left without a last name.
#
# Packages: nameparser 2.6.0 (PyPI), humanparser 2.7.0 (npm).
# Guess:    of two words the second is the last name; "Jr" or "PhD" are suffixes only where a last name is left over.
# Seen:     each library has a list of suffixes and looks there first. nameparser knows RA, AE and VI; humanparser knows
#           MA and single Roman numerals. They do not know each other's, so the same person is filed in two ways.
# Output:   nameparser Lee Ra -> first 'Lee' last '' suffix 'Ra'
#           nameparser Tran Thi Vi -> first 'Tran' last 'Thi' suffix 'Vi'
#           nameparser John Ma -> first 'John' last 'Ma' suffix ''
#           humanparser Lee Ra -> first 'Lee' last 'Ra' suffix ''
#           humanparser Tran Thi Vi -> first 'Tran' last 'Vi' suffix ''
#           humanparser John Ma -> first 'John' last '' suffix 'Ma'
# Matters:  it hits Korean, Vietnamese and Chinese names most. A duplicate search that blocks on the last name never
#           sees these people, and an empty last name is refused by most CRMs.
# Checked:  30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'nameparser==2.6.0'
npm install --silent --no-audit --no-fund --prefix "$work" humanparser@2.7.0 >/dev/null
cd "$work"
{
    "$work/venv/bin/python" - <<'PY'
from nameparser import HumanName

for text in ("Lee Ra", "Tran Thi Vi", "John Ma"):
    name = HumanName(text)
    print(f"nameparser {text} -> first '{name.first}' last '{name.last}' suffix '{name.suffix}'")
PY
    node - <<'JS'
const { parseName } = require("humanparser");
for (const text of ["Lee Ra", "Tran Thi Vi", "John Ma"]) {
  const { firstName, lastName, suffix = "" } = parseName(text);
  console.log(`humanparser ${text} -> first '${firstName}' last '${lastName}' suffix '${suffix}'`);
}
JS
} | tee seen
cat >expected <<'OUTPUT'
nameparser Lee Ra -> first 'Lee' last '' suffix 'Ra'
nameparser Tran Thi Vi -> first 'Tran' last 'Thi' suffix 'Vi'
nameparser John Ma -> first 'John' last 'Ma' suffix ''
humanparser Lee Ra -> first 'Lee' last 'Ra' suffix ''
humanparser Tran Thi Vi -> first 'Tran' last 'Vi' suffix ''
humanparser John Ma -> first 'John' last '' suffix 'Ma'
OUTPUT
if ! diff expected seen >&2; then
    echo "The parsers no longer split these names as they did." >&2
    exit 1
fi
