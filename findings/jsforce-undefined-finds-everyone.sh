#!/usr/bin/env bash
# Looking for a Salesforce contact by an e-mail address that is undefined finds all contacts.
#
# Package: jsforce 3.10.16 (npm).
# Guess:   find({ Email: undefined }) finds nobody, or those without an address, or throws. find({ Phone: { $in: [] } })
#          finds nobody.
# Seen:    a condition whose value is undefined and a list without members are left out of the query. If nothing is
#          left, there is no WHERE, and findOne() gives the first contact there is. null is kept.
# Output:  {"Email":"alice@example.com"} -> SELECT Id FROM Contact WHERE Email = 'alice@example.com'
#          {"Email":null} -> SELECT Id FROM Contact WHERE Email = null
#          {"Email":undefined} -> SELECT Id FROM Contact
#          {"Phone":{"$in":[]}} -> SELECT Id FROM Contact
# Matters: callers without an identifier are common. Each becomes whichever customer Salesforce lists first, and an
#          update that starts from find() writes to everybody.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" jsforce@3.10.16 >/dev/null
cd "$work"
node - <<'JS'
const { Connection } = require("jsforce");
const contacts = new Connection({ instanceUrl: "https://example.com", accessToken: "none" }).sobject("Contact");
const cases = [
  ['{"Email":"alice@example.com"}', { Email: "alice@example.com" }, " WHERE Email = 'alice@example.com'"],
  ['{"Email":null}', { Email: null }, " WHERE Email = null"],
  ['{"Email":undefined}', { Email: undefined }, ""],
  ['{"Phone":{"$in":[]}}', { Phone: { $in: [] } }, ""],
];
(async () => {
  for (const [text, conditions, where] of cases) {
    const seen = await contacts.find(conditions, "Id").toSOQL();
    console.log(text, "->", seen);
    if (seen !== `SELECT Id FROM Contact${where}`) {
      console.error(`find(${text}) no longer asks "SELECT Id FROM Contact${where}".`);
      process.exit(1);
    }
  }
})();
JS
