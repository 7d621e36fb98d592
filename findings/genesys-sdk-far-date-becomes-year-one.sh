#!/usr/bin/env bash
# A date in the far future, as Java writes "never", is read as the first day of the year 1, and written back as that.
#
# Package: PureCloudPlatformClientV2 269.0.0 (PyPI).
# Guess:   Python's datetime ends with the year 9999, so a later date is an error, None, the text, or datetime.max.
# Seen:    the SDK catches the error and gives datetime(1, 1, 1). The same happens to a day that does not exist.
# Output:  9999-12-31T23:59:59Z -> 9999-12-31T23:59:59+00:00
#          10000-01-01T00:00:00Z -> 0001-01-01T00:00:00+00:00
#          292278994-08-17T07:12:55Z -> 0001-01-01T00:00:00+00:00
#          2026-02-30T00:00:00Z -> 0001-01-01T00:00:00+00:00
# Matters: "changed later than", "latest value wins" and "expires at" turn round: what never ends has long ended, and
#          the newest record is the oldest. A save of the contact sends the year 1 to the server.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'PureCloudPlatformClientV2==269.0.0'
"$work/venv/bin/python" - <<'PY'
import json
import sys
from types import SimpleNamespace
from PureCloudPlatformClientV2 import ApiClient

client = ApiClient(host="https://example.com")
YEAR_ONE = "0001-01-01T00:00:00+00:00"
for date, expected in [
    ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59+00:00"),
    ("10000-01-01T00:00:00Z", YEAR_ONE),
    ("292278994-08-17T07:12:55Z", YEAR_ONE),
    ("2026-02-30T00:00:00Z", YEAR_ONE),
]:
    response = SimpleNamespace(data=json.dumps({"modifyDate": date}), getheader=lambda name: "application/json")
    seen = client.sanitize_for_serialization(client.deserialize(response, "ExternalContact"))["modifyDate"]
    print(date, "->", seen)
    if seen != expected:
        sys.exit(f"{date} is read as {seen} now; it was {expected}.")
PY
