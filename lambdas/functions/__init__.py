"""One door per Lambda function: an event in, one call on the engine, an answer out.

`make_handler` of a door takes the parts that the handler works with. `handler` is the one that Lambda names; its parts
are opened from the variables of the environment.
"""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

type Handler = Callable[[Any, object], dict[str, Any]]
"""Event and Lambda's context → answer."""


def opened(make: Callable[[], Handler]) -> Handler:
    """The handler that Lambda names, made once.

    In Lambda it is made now: opening belongs to a function's initialisation, fails there if a variable is missing, and
    lasts as long as the execution environment. Elsewhere it is made at the first call, so that a door can be imported
    for what else is in it.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        return make()
    made = cache(make)

    def handler(event: Any, context: object) -> dict[str, Any]:
        return made()(event, context)

    return handler
