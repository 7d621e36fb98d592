#!/usr/bin/env bash
# A word behind a number becomes digits of the number in Python, and the JavaScript reader disagrees both ways.
#
# Packages: phonenumbers 9.0.43 (PyPI), libphonenumber-js 1.13.16 (npm).
# Guess:    "+49 30 23125014 home" is +49 30 23125014, or is refused; and two libraries that carry the same metadata
#           give one text the same number.
# Seen:     where three letters or more are in the text, Python reads all of them as keys of a telephone, so "home"
#           adds 4663. German numbers have no fixed length, so the longer number is VALID. libphonenumber-js cuts the
#           word off, but then it also cuts the letters out of a number that is spelt with letters.
# Output:   python +49 30 23125014 home -> +4930231250144663 valid=True
#           js     +49 30 23125014 home -> +493023125014 valid=true
#           python +1 800 FLOWERS -> +18003569377 valid=True
#           js     +1 800 FLOWERS -> +1800 valid=false
# Matters:  labels behind numbers are common in CRM fields. A web form checked in the browser and an import checked in
#           Python file the same customer under two keys, one of which belongs to nobody or to somebody else.
# Checked:  30 November 2026. (030 23125 0xx is a range that Germany keeps free for films.)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'phonenumbers==9.0.43'
npm install --silent --no-audit --no-fund --prefix "$work" libphonenumber-js@1.13.16 >/dev/null
"$work/venv/bin/python" - <<'PY'
import sys
import phonenumbers

for text, number in [("+49 30 23125014 home", "+4930231250144663"), ("+1 800 FLOWERS", "+18003569377")]:
    parsed = phonenumbers.parse(text)
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    valid = phonenumbers.is_valid_number(parsed)
    print("python", text, "->", e164, f"valid={valid}")
    if e164 != number or not valid:
        sys.exit(f"phonenumbers no longer reads {text!r} as the valid number {number}.")
PY
cd "$work"
node - <<'JS'
const { parsePhoneNumber } = require("libphonenumber-js/max");
for (const [text, number, valid] of [
  ["+49 30 23125014 home", "+493023125014", true],
  ["+1 800 FLOWERS", "+1800", false],
]) {
  const parsed = parsePhoneNumber(text);
  console.log("js    ", text, "->", parsed.number, `valid=${parsed.isValid()}`);
  if (parsed.number !== number || parsed.isValid() !== valid) {
    console.error(`libphonenumber-js no longer reads "${text}" as ${number}.`);
    process.exit(1);
  }
}
JS
