#!/usr/bin/env bash
# Reading a Genesys Cloud contact and saving it again overwrites what the SDK did not know with "outdated_sdk_version".
#
# Package: PureCloudPlatformClientV2 269.0.0 (PyPI).
# Guess:   a value that is not in the SDK's list of values is refused, or kept as it came; a field that the model does
#          not know may be lost, but what it knows it does not change.
# Seen:    the setter of such a property stores the text "outdated_sdk_version" for any unknown value, without an error.
#          The model then sends that text to the server as the value.
# Output:  read  {"firstName": "Alice", "identifiers": [{"type": "Hologram", "value": "+12125550123"}]}
#          write {"firstName": "Alice", "identifiers": [{"type": "outdated_sdk_version", "value": "+12125550123"}]}
# Matters: Genesys adds types of identifiers and channels between two releases of the SDK. Get, change the first name,
#          put: the server refuses the contact, or loses the kind of identifier that it knew. Send only the fields that
#          are to be changed.
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
read = {"firstName": "Alice", "identifiers": [{"type": "Hologram", "value": "+12125550123"}]}
print("read ", json.dumps(read))
response = SimpleNamespace(data=json.dumps(read), getheader=lambda name: "application/json")
written = client.sanitize_for_serialization(client.deserialize(response, "ExternalContact"))
print("write", json.dumps(written))
if written != {**read, "identifiers": [{"type": "outdated_sdk_version", "value": "+12125550123"}]}:
    sys.exit("The SDK no longer writes outdated_sdk_version for a type that it does not know.")
PY
