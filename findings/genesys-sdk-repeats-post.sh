#!/usr/bin/env bash
# One call that creates a Genesys Cloud contact sends the POST eleven times when the answer gets lost.
#
# Package: PureCloudPlatformClientV2 269.0.0 (PyPI).
# Guess:   a POST is sent once, since it may not be repeated safely: urllib3, which the SDK uses, leaves POST out of
#          its retries for that reason.
# Seen:    the SDK puts POST and PATCH back on the list and keeps urllib3's total of ten retries. A server that has
#          taken the request and then drops the connection gets it ten more times; so does one that answers 503 with a
#          Retry-After. The SDK's configuration has no setting for it.
# Output:  connection dropped: 11 POSTs of one contact, then MaxRetryError
#          503 with Retry-After: 11 POSTs of one contact, then ApiException
#          503 without: 1 POST of one contact, then ApiException
# Matters: each copy may have created a contact, so one bad minute makes up to eleven twins of a new customer. Each
#          also counts against the 300 requests a minute.
# Checked: 30 November 2026. (The server is the script's own, on 127.0.0.1.)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'PureCloudPlatformClientV2==269.0.0'
NO_PROXY=127.0.0.1 "$work/venv/bin/python" - <<'PY'
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from PureCloudPlatformClientV2 import ApiClient, ExternalContact, ExternalContactsApi

bodies = []
case = ""


class Genesys(BaseHTTPRequestHandler):
    def do_POST(self):
        bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        if case == "connection dropped":
            return
        self.send_response(503)
        if case == "503 with Retry-After":
            self.send_header("Retry-After", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Genesys)
Thread(target=server.serve_forever, daemon=True).start()
contacts = ExternalContactsApi(ApiClient(host=f"http://127.0.0.1:{server.server_port}"))
alice = ExternalContact()
alice.first_name = "Alice"
for case, expected in [("connection dropped", 11), ("503 with Retry-After", 11), ("503 without", 1)]:
    bodies.clear()
    try:
        contacts.post_externalcontacts_contacts(alice)
        sys.exit(f"{case}: the call no longer fails.")
    except Exception as error:
        plural = "" if len(bodies) == 1 else "s"
        print(f"{case}: {len(bodies)} POST{plural} of one contact, then {type(error).__name__}")
    if len(bodies) != expected or len(set(bodies)) != 1:
        sys.exit(f"{case}: the POST was sent {len(bodies)} times; it was {expected} times.")
PY
