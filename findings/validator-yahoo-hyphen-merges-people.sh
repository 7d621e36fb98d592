#!/usr/bin/env bash
# Everybody at Yahoo whose address has a hyphen gets the address of the first half.
#
# Package: validator 13.15.35 (npm).
# Guess:   normalizeEmail() with its defaults lower-cases, and drops what a provider is known to ignore; two people's
#          addresses stay two addresses.
# Seen:    Yahoo's disposable addresses are "base-word", so all from the first hyphen on is cut away, also where the
#          hyphen belongs to the name. And "+@gmail.com", which isEmail() calls valid, becomes the boolean false.
# Output:  anne-marie@yahoo.com -> anne@yahoo.com
#          anne-sophie@yahoo.com -> anne@yahoo.com
#          anne-marie@example.com -> anne-marie@example.com
#          +@gmail.com -> false
# Matters: taken as a match key this joins Anne-Marie and Anne-Sophie, and gives both Anne's record. A key that only
#          makes candidates may be so coarse; one that identifies may not.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" validator@13.15.35 >/dev/null
cd "$work"
node - <<'JS'
const { isEmail, normalizeEmail } = require("validator");
for (const [address, key] of [
  ["anne-marie@yahoo.com", "anne@yahoo.com"],
  ["anne-sophie@yahoo.com", "anne@yahoo.com"],
  ["anne-marie@example.com", "anne-marie@example.com"],
  ["+@gmail.com", false],
]) {
  const seen = normalizeEmail(address);
  console.log(address, "->", seen);
  if (seen !== key || !isEmail(address)) {
    console.error(`normalizeEmail("${address}") is ${seen} now; it was ${key}.`);
    process.exit(1);
  }
}
JS
