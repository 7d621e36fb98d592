#!/usr/bin/env bash
# A US number written with "001" in front is a New Zealand number to a reader set to Singapore.
#
# Package: phonenumbers 9.0.43 (PyPI).
# Guess:   "00" is the international prefix nearly everywhere, so "001 646 555 0123" is +1 646 555 0123 whatever the
#          default region; at worst the library says that the number is not valid.
# Seen:    callers in Singapore, Thailand, Hong Kong and South Korea choose a carrier with the digit after "00", and the
#          library takes "001" as that whole prefix. What is left, "646 555 0123", reads as +64 6 555 0123, which is
#          even a VALID number of another country. Germany as default region gives the number that was meant.
# Output:  DE +16465550123 valid=True
#          SG +6465550123 valid=True
#          TH +6465550123 valid=True
#          HK +6465550123 valid=True
#          KR +6465550123 valid=True
# Matters: the default region of a contact centre decides whose record answers. A CRM field typed with "00" and the
#          country code leads to a stranger, and no validity check notices.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'phonenumbers==9.0.43'
"$work/venv/bin/python" - <<'PY'
import sys
import phonenumbers

expected = {"DE": "+16465550123", **dict.fromkeys(["SG", "TH", "HK", "KR"], "+6465550123")}
for region, number in expected.items():
    parsed = phonenumbers.parse("001 646 555 0123", region)
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    valid = phonenumbers.is_valid_number(parsed)
    print(region, e164, f"valid={valid}")
    if e164 != number or not valid:
        sys.exit(f"001 646 555 0123 in {region} is no longer read as the valid number {number}.")
PY
