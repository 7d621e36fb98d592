#!/usr/bin/env bash
# A field of a ServiceNow record prints as the e-mail address, and in lower case is a dictionary written out as text.
#
# Package: pysnc 1.2.1 (PyPI).
# Guess:   gr.email is a str (isinstance says so) that holds the address, so lower(), strip(), join and JSON work on it.
# Seen:    the object is a str whose own text is the repr of the server's {"value", "display_value"} pair. print, ==,
#          len and f-strings are redirected to the value; lower, strip, replace and split, join, json and csv are not.
#          get_value() gives the address.
# Output:  str: Alice@example.com
#          f-string: Alice@example.com
#          equal to the address: True
#          lower: {'value': 'alice@example.com', 'display_value': 'alice@example.com'}
#          json: "{'value': 'Alice@example.com', 'display_value': 'Alice@example.com'}"
#          join: {'value': 'Alice@example.com', 'display_value': 'Alice@example.com'}
#          get_value: Alice@example.com
# Matters: lower() and strip() are the first things that a match key needs. The log shows the right address, and the
#          index gets a text in braces.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'pysnc==1.2.1'
"$work/venv/bin/python" - <<'PY'
import json
import sys
import requests
from pysnc import ServiceNowClient

ADDRESS = "Alice@example.com"


class Instance(requests.adapters.BaseAdapter):
    """Answers every request with one user, as the Table API does for sysparm_display_value=all."""

    def send(self, request, **_):
        response = requests.Response()
        response.status_code, response.request, response.url = 200, request, request.url
        response.headers["X-Total-Count"] = "1"
        pairs = {name: {"value": text, "display_value": text} for name, text in [("sys_id", "1"), ("email", ADDRESS)]}
        response._content = json.dumps({"result": [pairs]}).encode()
        return response

    def close(self):
        pass


session = requests.Session()
session.mount("https://", Instance())
users = ServiceNowClient("https://instance.example.com", session, auto_retry=False).GlideRecord("sys_user")
users.limit = 1
users.query()
users.next()
email = users.email
text = repr({"value": ADDRESS, "display_value": ADDRESS})
for name, seen, expected in [
    ("str", str(email), ADDRESS),
    ("f-string", f"{email}", ADDRESS),
    ("equal to the address", email == ADDRESS, True),
    ("lower", email.lower(), text.replace("Alice", "alice")),
    ("json", json.dumps(email), json.dumps(text)),
    ("join", ",".join([email]), text),
    ("get_value", email.get_value(), ADDRESS),
]:
    print(f"{name}: {seen}")
    if seen != expected:
        sys.exit(f"{name} of the field is {seen!r} now; it was {expected!r}.")
PY
