#!/usr/bin/env bash
# A British mobile number with an extension comes back as another valid British mobile number.
#
# Package: phone 3.1.72 (npm).
# Guess:   "+44 7700 900123 x7" gives +447700900123, or isValid false, as "+1 212 555 0123 x7" does.
# Seen:    all digits are glued together. With one too many for Britain the library supposes a stray trunk digit, and
#          takes out the first 7 behind the country code: the extension stays, as the last digit of a number that
#          nobody wrote.
# Output:  +44 7700 900123 -> +447700900123
#          +44 7700 900123 x7 -> +447009001237
#          +1 212 555 0123 x7 -> null
# Matters: isValid is true, so the wrong number is stored. +44 70 is the range of personal numbers, which belong to
#          people and cost money to call.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" phone@3.1.72 >/dev/null
cd "$work"
node - <<'JS'
const { phone } = require("phone");
for (const [text, number] of [
  ["+44 7700 900123", "+447700900123"],
  ["+44 7700 900123 x7", "+447009001237"],
  ["+1 212 555 0123 x7", null],
]) {
  const seen = phone(text);
  console.log(text, "->", seen.phoneNumber);
  if (seen.phoneNumber !== number || seen.isValid !== (number !== null)) {
    console.error(`phone("${text}") is ${seen.phoneNumber} now; it was ${number}.`);
    process.exit(1);
  }
}
JS
