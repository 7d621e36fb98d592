#!/usr/bin/env bash
# A Salesforce record that was written by its external id is not found by the same external id, if that has a blank.
#
# Package: simple-salesforce 1.12.10 (PyPI).
# Guess:   get_by_custom_id() asks for the address that upsert() with format_external_id() has written to.
# Seen:    format_external_id() writes the blank as "%20", get_by_custom_id() as "+". The id is in the path of the
#          address, and there "+" is a plus sign: the form "+ for blank" belongs to queries and forms.
# Output:  PATCH /sobjects/Contact/Loyalty__c/AB%20123
#          GET   /sobjects/Contact/Loyalty__c/AB+123
# Matters: "look up, else create" always creates. Loyalty and policy numbers are often written with blanks.
# Checked: 30 November 2026.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'simple-salesforce==1.12.10'
"$work/venv/bin/python" - <<'PY'
import sys
import requests
from simple_salesforce import Salesforce, format_external_id

asked = []


class Org(requests.adapters.BaseAdapter):
    """Notes the path of each request, and answers with an empty record."""

    def send(self, request, **_):
        asked.append(request.path_url[request.path_url.index("/sobjects"):])
        print(f"{request.method:5}", asked[-1])
        response = requests.Response()
        response.status_code, response.request, response.url, response._content = 200, request, request.url, b"{}"
        return response

    def close(self):
        pass


session = requests.Session()
session.mount("https://", Org())
contacts = Salesforce(session_id="none", instance_url="https://example.com", session=session).Contact
contacts.upsert(format_external_id("Loyalty__c", "AB 123"), {"LastName": "Smith"})
contacts.get_by_custom_id("Loyalty__c", "AB 123")
if asked != ["/sobjects/Contact/Loyalty__c/AB%20123", "/sobjects/Contact/Loyalty__c/AB+123"]:
    sys.exit("The two calls no longer write the blank in these two ways.")
PY
