"""An AWS on this machine: moto behind HTTP, one request at a time, as its tables are not safe for several."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

type Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def empty_aws() -> Application:
    """An application with empty services."""
    backend = DomainDispatcherApplication(create_backend_app)
    one_at_a_time = threading.Lock()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with one_at_a_time:
            answer: Iterable[bytes] = backend(environ, start_response)
            return answer

    return application


@contextmanager
def serving(application: Application) -> Iterator[str]:
    """The address at which it is served until the block ends."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
