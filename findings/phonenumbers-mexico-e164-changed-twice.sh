#!/usr/bin/env bash
# One Mexican mobile number has had two E.164 forms in turn, and the first is back but now counts as impossible.
#
# Package: phonenumbers 8.10.0, 8.13.30 and 9.0.43 (PyPI).
# Guess:   an update of the metadata adds ranges and makes some numbers valid or invalid; the E.164 form of a number
#          that once was valid stays what it was, so it can serve as a key.
# Seen:    the "1" behind +52 that mobiles had is kept and valid in 8.10, dropped in 8.13, and kept again in 9.0, where
#          the same text is neither valid nor possible.
# Output:  8.10.0 +5212221234567 valid=True possible=True
#          8.13.30 +522221234567 valid=True possible=True
#          9.0.43 +5212221234567 valid=False possible=False
# Matters: an index of people by E.164 splits one customer over two keys at such an update, and a guard that refuses
#          impossible numbers then throws away the spelling that old records and messaging ids still have. The mapping
#          of that "1" has to be the index's own, and its version a part of the key's version.
# Checked: 30 November 2026. (222 123 4567 is an example number of the library's own.)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
while read -r version expected; do
    "$work/venv/bin/pip" install -qq "phonenumbers==$version"
    seen=$("$work/venv/bin/python" - <<'PY'
import phonenumbers

number = phonenumbers.parse("+52 1 222 123 4567")
print(
    phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
    f"valid={phonenumbers.is_valid_number(number)}",
    f"possible={phonenumbers.is_possible_number(number)}",
)
PY
    )
    echo "$version $seen"
    if [ "$seen" != "$expected" ]; then
        echo "phonenumbers $version no longer answers '$expected'." >&2
        exit 1
    fi
done <<'TABLE'
8.10.0 +5212221234567 valid=True possible=True
8.13.30 +522221234567 valid=True possible=True
9.0.43 +5212221234567 valid=False possible=False
TABLE
