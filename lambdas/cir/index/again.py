"""Repeating what another writer got in the way of: the one way in which it is done.

Writers of the index take no locks. A write whose reading is out of date raises OutdatedError, and the work is done
again with what is stored by then. The pauses before that are random, so that two writers who have met do not meet
again, and they grow, so that many do not (exponential backoff with full jitter).
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

ATTEMPTS = 6
"""Enough for the people of one office, who are imported at the same moment and share its number."""
PAUSE_SECONDS = 0.02
"""The longest that the first pause can be, of writers that only wait for DynamoDB; each later one can be twice as long,
0.6 s together."""


class OutdatedError(Exception):
    """What was read was changed by somebody else since. Read it again and repeat."""


def attempts(*, pause: float = PAUSE_SECONDS, sleep: Callable[[float], None] = time.sleep) -> Iterator[int]:
    """The numbers of the attempts, from 0, with a pause before each but the first. Leave the loop when it is done.

    `pause` is the longest that the first pause can be, in seconds.
    """
    yield 0
    for attempt in range(1, ATTEMPTS):
        sleep(random.uniform(0, pause * 2 ** (attempt - 1)))  # noqa: S311 - jitter, not a secret
        yield attempt


def again[Result](work: Callable[[], Result]) -> Result:
    """What `work` returns, which is repeated when it raises OutdatedError. The last attempt's error is raised.

    `work` reads all that it decides by itself, and may be done twice.
    """
    for attempt in attempts():
        if attempt == ATTEMPTS - 1:
            break
        with suppress(OutdatedError):
            return work()
    return work()
