"""`python -m sandbox.genesys --port 9090`: the emulator alone."""

import argparse
import sys

from sandbox.genesys.http.server import serve
from sandbox.genesys.settings import Settings, latency_range, request_limit


def main() -> int:
    parser = argparse.ArgumentParser(prog="sandbox.genesys", description="Genesys Cloud emulator")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9090)
    parser.add_argument("--latency", default="0", help="milliseconds per call, or a range: 300-800 as in production")
    parser.add_argument("--rate-limit", default="300", help="requests per minute and token, or 'unlimited'")
    parser.add_argument("--error-rate", type=float, default=0.0, help="share of calls that fail with 500 or 503")
    parser.add_argument("--queue", action="append", metavar="NAME", help="a queue of the organization; repeatable")
    parser.add_argument("--events-to", metavar="URL", help="POST contact events there")
    parser.add_argument("--events-file", metavar="FILE", help="append contact events there, one JSON line each")
    options = parser.parse_args()
    try:
        settings = Settings(
            latency_ms=latency_range(options.latency),
            rate_limit=request_limit(options.rate_limit),
            error_rate=options.error_rate,
            queues=tuple(options.queue or Settings().queues),
            event_url=options.events_to,
            event_file=options.events_file,
        )
        sys.stdout.write(
            f"Genesys Cloud emulator: http://{options.host}:{options.port} "
            f"(client {settings.client_id} / {settings.client_secret}); stop with Ctrl-C\n"
        )
        sys.stdout.flush()
        serve(host=options.host, port=options.port, settings=settings)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
