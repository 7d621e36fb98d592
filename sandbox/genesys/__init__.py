"""An emulator of the Genesys Cloud public API around External Contacts. See docs/emulator.md.

Imports inside are relative: installed by itself this package is called `genesys_emulator`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .control import Control, RefusedError
    from .http.server import Emulator, running, serve
    from .organization.settings import Settings

__all__ = ["Control", "Emulator", "RefusedError", "Settings", "running", "serve"]

_HOMES = {
    "Control": ".control",
    "RefusedError": ".control",
    "Emulator": ".http.server",
    "running": ".http.server",
    "serve": ".http.server",
    "Settings": ".organization.settings",
}


def __getattr__(name: str) -> Any:
    """Names are imported when they are asked for: all of them take most of a second, and pytest reads this package at
    each of its starts."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
