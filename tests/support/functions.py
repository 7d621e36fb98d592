"""Lambda functions as tests call them."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def initialised(module: str) -> Iterator[ModuleType]:
    """A function's handler module, imported anew as a new execution environment does, with the variables of now."""
    sys.modules.pop(module, None)
    try:
        yield importlib.import_module(module)
    finally:
        sys.modules.pop(module, None)
