#!/usr/bin/env bash
# A tel: URI with the parameters that carriers add is "not a phone number".
#
# Package: phonenumbers 9.0.43 (PyPI).
# Guess:   the library reads tel: URIs (it knows ;ext=, ;isub= and ;phone-context=), so it skips any parameter that it
#          does not know, as RFC 3966 allows unless the name starts with "m-".
# Seen:    only those three are known. A URI with the verdict of the caller's signature (verstat), with number
#          portability (npdi, rn) or the kind of the calling party (cpc) raises NumberParseException.
# Output:  tel:+12125550123;isub=99 -> +12125550123
#          tel:+12125550123;ext=45 -> +12125550123
#          tel:+12125550123;verstat=TN-Validation-Passed -> INVALID: did not seem to be a phone number
#          tel:+12125550123;npdi;rn=+12125550199 -> INVALID: did not seem to be a phone number
#          tel:+12125550123;cpc=ordinary -> INVALID: did not seem to be a phone number
# Matters: it is the best attested calls that carry verstat. A resolver that hands the URI over as it came treats a
#          verified caller as one without a number.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'phonenumbers==9.0.43'
"$work/venv/bin/python" - <<'PY'
import sys
import phonenumbers

READ = ["isub=99", "ext=45"]
REFUSED = ["verstat=TN-Validation-Passed", "npdi;rn=+12125550199", "cpc=ordinary"]
for parameter in READ + REFUSED:
    uri = f"tel:+12125550123;{parameter}"
    try:
        parsed = phonenumbers.parse(uri)
        answer = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException as error:
        answer = None
        if error.error_type != phonenumbers.NumberParseException.NOT_A_NUMBER:
            sys.exit(f"{uri} is now refused for another reason: {error}")
    print(uri, "->", answer or "INVALID: did not seem to be a phone number")
    if answer != ("+12125550123" if parameter in READ else None):
        sys.exit(f"{uri} is no longer read as it was.")
PY
